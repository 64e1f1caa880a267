"""Cohorts made of chances alone, so that a plan's story can be told in a few lines."""

from collections.abc import Mapping
from datetime import date, timedelta

from coaching.models import Cohort, Member, Metric, Person, Plan, Ranking, Standing, Team, Yardstick
from coaching.services import plans
from tests import factories
from tests.conftest import NOW

Chances = Mapping[str, float]


def make_cohort(
    team: Team,
    learners: Mapping[str, Chances],
    coaches: Mapping[str, Chances],
    *,
    by: Person,
    people: Mapping[str, Mapping] = {},
) -> Cohort:
    """
    A draft cohort; learners and coaches by name, with the chance that they lack, or master, each
    skill (by key).

    people : what else is known of somebody, by name; "group" is the peer group
    """
    keys = sorted({key for side in (learners, coaches) for given in side.values() for key in given})
    metrics = {
        key: Metric.objects.filter(key=key).first() or factories.make_metric(key) for key in keys
    }
    ranking = Ranking.objects.create(
        scorecard=factories.make_scorecard(team, *metrics.values()),
        since=NOW.date() - timedelta(weeks=16),
        until=NOW.date() - timedelta(weeks=1),
        created_at=NOW,
    )
    members, standings = [], []
    for side, given in ((Member.Side.LEARNER, learners), (Member.Side.COACH, coaches)):
        for name, chances in given.items():
            values = dict(people.get(name, {}))
            group = values.pop("group", "all")
            person = Person.objects.filter(name=name).first() or factories.make_person(
                name, **{"team": team, **values}
            )
            members.append((person, side))
            for key, chance in chances.items():
                standings.append(standing(ranking, person, metrics[key], side, chance, group))
    for group in sorted({row.group for row in standings}):
        Yardstick.objects.bulk_create(
            Yardstick(
                ranking=ranking, metric=metric, weight=1, group=group, people=99, mean=3,
                tau2=0.1, tau2_plug_in=0.1, sigma2=1, scale=0.3, top_quartile=4, low_cut=2.5,
            )
            for metric in metrics.values()
        )  # fmt: skip
    Standing.objects.bulk_create(standings)
    cohort = Cohort.objects.create(
        name="Autumn", team=team, ranking=ranking, test_date=date(2027, 5, 1), created_by=by,
        created_at=NOW,
    )  # fmt: skip
    Member.objects.bulk_create(
        Member(cohort=cohort, person=person, side=side) for person, side in members
    )
    return cohort


def standing(
    ranking: Ranking, person: Person, metric: Metric, side: str, chance: float, group: str = "all"
) -> Standing:
    learns = side == Member.Side.LEARNER
    return Standing(
        ranking=ranking, person=person, metric=metric, group=group, n=50, raw=2.5, estimate=2.5,
        se=0.1, reliability=0.9, z=-1, p_low=0, p_high=0, p_need=chance if learns else 0,
        p_skill=0 if learns else chance, rank_low=0, rank_high=1, band="weak",
    )  # fmt: skip


def make_plan(team: Team, learners, coaches, *, by: Person, people=None, **wishes) -> Plan:
    """The same with a plan, without points for anything shared unless asked for."""
    cohort = make_cohort(team, learners, coaches, by=by, people=people or {})
    plan = plans.draft(cohort=cohort, by=by, now=NOW)
    return plans.wish(plan=plan, by=by, now=NOW, **{"preferences": {}, **wishes})


def person(name: str) -> Person:
    return Person.objects.get(name=name)


def proposed(plan: Plan) -> dict[str, str]:
    """Learner -> coach; several coaches joined by a plus, in the order of their skills."""
    found: dict[str, str] = {}
    for pair in plan.draft_pairs.select_related("learner", "coach").order_by("metric__key"):
        before = found.get(pair.learner.name)
        found[pair.learner.name] = f"{before} + {pair.coach.name}" if before else pair.coach.name
    return found


def worth(plan: Plan) -> tuple[int, int]:
    return plan.matched, plan.total
