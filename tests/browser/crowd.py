"""
A cohort of hundreds with its plan, in an empty database, within seconds: people and standings
are written at once instead of being ranked. `python -m tests.browser.crowd [LEARNERS COACHES]`
with LANEMATE_VAR set to a folder of its own; the login is mara with the demo's password.
"""

import os
import random
import sys
from datetime import timedelta

FIRST = ("Ada", "Björn", "Chidi", "Dana", "Emeka", "Farah", "Goran", "Hana", "Iris", "Jonas",
         "Kaya", "Łucja", "Mateo", "Noor", "Oskar", "Priya", "Quinn", "Rosa", "Samir", "Tova",
         "Umar", "Vera", "Wanda", "Ximena", "Yusuf", "Zofia")  # fmt: skip
LAST = ("Aalto", "Brandt", "Castellanos", "Demir", "Eriksen", "Fontaine", "Gruber", "Horvat",
        "Ito", "Jansen", "Keller", "Lindqvist", "Marković", "Nowak", "Okafor", "Petrov", "Quist",
        "Rossi", "Sørensen", "Tan", "Ueda", "Vidal", "Weiss", "Yilmaz", "Zimmermann")  # fmt: skip
LONG = "Maximiliana Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
SKILLS = ("Customer satisfaction", "Resolved at first contact", "Handle time", "After-call work",
          "Quality of notes", "Kept appointments")  # fmt: skip
SITES, SHIFTS, LANGUAGES = ("Leeds", "Porto", "Gdańsk"), ("early", "late"), ("en", "pt", "pl")
SEED = 7
LEARNERS, COACHES = 500, 200


def build(learners: int, coaches: int) -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.utils import timezone

    from coaching.models import (
        Cohort,
        Member,
        Metric,
        Person,
        Ranking,
        Scorecard,
        ScorecardMetric,
        Standing,
        Team,
        Yardstick,
    )
    from coaching.services import plans

    call_command("migrate", verbosity=0, interactive=False)
    now, chance = timezone.now(), random.Random(SEED)
    root = Team.objects.create(name="Crowded centre")
    teams = [Team.objects.create(name=f"Team {1 + at}", parent=root) for at in range(20)]
    login = get_user_model().objects.create_user("mara", password="lanemate")
    mara = Person.objects.create(key="mara", name="Mara Lindqvist", team=root, user=login)
    root.manager = mara
    root.save()

    def somebody(number: int) -> Person:
        return Person(
            key=f"P{number:05}",
            name=LONG if number == 3 else f"{chance.choice(FIRST)} {chance.choice(LAST)} {number}",
            team=chance.choice(teams),
            site=chance.choice(SITES),
            shift=chance.choice(SHIFTS),
            language=chance.choice(LANGUAGES),
            started_on=(now - timedelta(days=chance.randint(60, 4000))).date(),
            capacity=chance.choice((2, 2, 3)),
        )

    everybody = Person.objects.bulk_create(
        [somebody(number) for number in range(learners + coaches + 100)], batch_size=500
    )
    taught, teaching = everybody[:learners], everybody[learners : learners + coaches]
    metrics = [
        Metric.objects.create(
            key=name.casefold().replace(" ", "-"), name=name, kind="mean", lower=1, upper=5
        )
        for name in SKILLS
    ]
    scorecard = Scorecard.objects.create(name="Crowded centre: skills", team=root)
    ScorecardMetric.objects.bulk_create(
        ScorecardMetric(scorecard=scorecard, metric=metric) for metric in metrics
    )
    monday = (now - timedelta(days=now.weekday())).date()
    ranking = Ranking.objects.create(
        scorecard=scorecard,
        since=monday - timedelta(weeks=14),
        until=monday - timedelta(weeks=1),
        created_by=mara,
        created_at=now,
    )
    Yardstick.objects.bulk_create(
        Yardstick(
            ranking=ranking, metric=metric, weight=1, group="everybody", people=len(everybody),
            mean=3.5, tau2=0.09, tau2_plug_in=0.09, sigma2=0.9, scale=0.5, top_quartile=3.9,
            low_cut=3.3,
        )
        for metric in metrics
    )  # fmt: skip

    def standing(person: Person, metric: Metric | None, z: float, band: str) -> Standing:
        low = min(max(0.5 - 0.35 * z, 0.01), 0.99)
        return Standing(
            ranking=ranking, person=person, metric=metric, group="everybody", n=300,
            raw=3.5 + 0.3 * z, estimate=3.5 + 0.3 * z, se=0.05, reliability=0.9, z=z,
            p_low=low, p_high=1 - low, p_need=min(low + 0.1, 0.99), p_skill=min(1.1 - low, 0.99),
            rank_low=0.1, rank_high=0.9, band=band,
        )  # fmt: skip

    rows, groups = [], ((taught, -1.0, "weak"), (teaching, 1.0, "strong"))
    for people, mean, band in (*groups, (everybody[learners + coaches :], 0.0, "middle")):
        for person in people:
            rows.append(standing(person, None, mean, band))
            rows += [standing(person, metric, chance.gauss(mean, 0.9), band) for metric in metrics]
    Standing.objects.bulk_create(rows, batch_size=500)
    cohort = Cohort.objects.create(
        name="Crowd",
        team=root,
        ranking=ranking,
        test_date=monday + timedelta(weeks=10),
        created_by=mara,
        created_at=now,
    )
    Member.objects.bulk_create(
        (
            Member(cohort=cohort, person=person, side=side, chance=0.9)
            for people, side in ((taught, Member.Side.LEARNER), (teaching, Member.Side.COACH))
            for person in people
        ),
        batch_size=500,
    )
    plan = plans.draft(cohort=cohort, by=mara, now=now)
    print(f"{plan.matched} of {learners} learners have one of {coaches} coaches.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    build(*(int(word) for word in sys.argv[1:]) if len(sys.argv) > 1 else (LEARNERS, COACHES))
