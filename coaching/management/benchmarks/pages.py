"""Pages: what the server takes for each of them, with few pairs and with very many."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from coaching.domain import cadence
from coaching.management.benchmarks import Benchmark, Lines, peak_mb, some
from coaching.models import (
    Band,
    Case,
    Cohort,
    Event,
    HandRaise,
    Letter,
    Look,
    Metric,
    Notice,
    Pair,
    Person,
    Ranking,
    Reading,
    Scorecard,
    ScorecardMetric,
    Session,
    Standing,
    Team,
    Yardstick,
)
from coaching.queries import clock

BATCH = 1000
# A cohort, and a team, as large as they get.
COHORT, TEAM = 200, 50
WEEKS = 6
# So many pairs stand beside the asked number, to show what grows.
FEW = 100
STATES = (Pair.State.ON_TRACK,) * 7 + (Pair.State.AT_RISK,) * 2 + (Pair.State.STUCK,)


class World(NamedTuple):
    manager: Person
    learner: Person
    coach: Person
    pages: list[tuple[str, Person, str]]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--pairs", type=some, default=10_000)
    parser.add_argument("--times", type=some, default=40, help="how often each is asked for (40)")


def measure(*, pairs: int, times: int) -> Lines:
    """
    Every page in turn, so often, by its own reader; with few pairs first, then with all.

    Times are those of the server alone: from the request to the last byte of the answer.
    """
    few = _measured(min(FEW, pairs), times)
    many = _measured(pairs, times)
    lines = [("pairs", f"{min(FEW, pairs):,} and {pairs:,}")]
    for name, (p50, p95, queries) in many.items():
        small = few[name]
        same = "" if small[2] == queries else f" (with few pairs {small[2]})"
        lines.append(
            (
                name,
                f"half under {p50 * 1000:4.0f} ms, 95 % under {p95 * 1000:4.0f} ms, "
                f"{p50 / small[0]:4.1f} times that of few, {queries} queries{same}",
            )
        )
    slowest = max(p95 for _, p95, _ in many.values())
    lines.append(("the slowest", f"95 % under {slowest * 1000:.0f} ms"))
    lines.append(("peak memory", f"{peak_mb():,.0f} MB"))
    return lines


def _measured(pairs: int, times: int) -> dict[str, tuple[float, float, int]]:
    """Page -> seconds of the middle one and of the slowest twentieth, and its queries."""
    with transaction.atomic():
        world = build(pairs, now=clock.now())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        found = {}
        for name, reader, address in world.pages:
            client = Client(SERVER_NAME="localhost")
            client.force_login(reader.user)
            # The first one fills caches that live as long as the process.
            _asked(client, address)
            rows = [_asked(client, address) for _ in range(times)]
            seconds = np.array([row[0] for row in rows])
            found[name] = (
                float(np.median(seconds)), float(np.quantile(seconds, 0.95)), rows[-1][1]
            )  # fmt: skip
        transaction.set_rollback(True)
    return found


def _asked(client: Client, address: str) -> tuple[float, int]:
    count = 0

    def counting(execute, sql, params, many, context):
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        started = time.perf_counter()
        answer = client.get(address)
        seconds = time.perf_counter() - started
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return seconds, count


# -- so many pairs ---------------------------------------------------------------------------


def build(pairs: int, *, now: datetime) -> World:
    """A centre whose manager has so many live pairs, in cohorts of 200, with their histories."""
    monday = cadence.week_of(now.date())
    root, teams = _teams(2 * pairs)
    manager = _person(0, "Mara", root, login="mara")
    root.manager = manager
    root.save()
    people = [
        Person(
            key=f"P{number}", name=f"Person {number:06}", team=teams[number // TEAM],
            email=f"p{number}@example.com", role="Agent", site="Leeds", time_zone="Europe/London",
        )
        for number in range(1, 2 * pairs + 1)
    ]  # fmt: skip
    Person.objects.bulk_create(people, batch_size=BATCH)
    learners, coaches = people[:pairs], people[pairs:]
    for person, name in ((learners[0], "lea"), (coaches[0], "ivo")):
        person.user = _login(name)
        person.save(update_fields=["user"])
    metric = Metric.objects.create(key="csat", name="Satisfaction", kind="mean", lower=1, upper=5)
    ranking = _ranking(root, metric, people, monday, now=now)
    live = _pairs(root, ranking, metric, learners, coaches, monday, now=now)
    _histories(live, manager, now=now)
    HandRaise.objects.bulk_create(
        HandRaise(person=person, metric=metric, raised_at=now) for person in coaches[1:200:4]
    )
    return World(manager, learners[0], coaches[0], _pages(manager, live[0], ranking))


def _pages(manager: Person, pair: Pair, ranking: Ranking) -> list[tuple[str, Person, str]]:
    learner, coach, cohort = pair.learner, pair.coach, pair.cohort
    case = Case.objects.order_by("pk").first()
    lists = ("home", "cohorts", "triage", "teams", "rankings", "hands", "letters", "notices")
    return [
        *((name, manager, reverse(name)) for name in lists),
        ("cohort", manager, reverse("cohort", args=[cohort.public_id])),
        ("pair", manager, reverse("pair", args=[pair.public_id])),
        ("case", manager, reverse("case", args=[case.public_id])),
        ("person", manager, reverse("person", args=[learner.public_id])),
        ("ranking", manager, reverse("ranking", args=[ranking.public_id])),
        ("digest", manager, reverse("digest")),
        ("me, a learner", learner, reverse("me")),
        ("pair, a learner", learner, reverse("pair", args=[pair.public_id])),
        ("me, a coach", coach, reverse("me")),
        ("digest, a coach", coach, reverse("digest")),
    ]


def _login(name: str):
    return get_user_model().objects.create(username=name)


def _person(number: int, name: str, team: Team, *, login: str) -> Person:
    return Person.objects.create(
        key=f"P{number}", name=name, team=team, email=f"{login}@example.com", user=_login(login)
    )


def _teams(people: int) -> tuple[Team, list[Team]]:
    root = Team.objects.create(name="Centre")
    number = people // TEAM + 1
    return root, [Team.objects.create(name=f"Team {at}", parent=root) for at in range(number)]


def _ranking(root: Team, metric: Metric, people: list[Person], monday, *, now: datetime) -> Ranking:
    scorecard = Scorecard.objects.create(name="Skills", team=root)
    ScorecardMetric.objects.create(scorecard=scorecard, metric=metric)
    ranking = Ranking.objects.create(
        scorecard=scorecard, since=monday - 20 * cadence.WEEK,
        until=monday - (WEEKS + 1) * cadence.WEEK, created_at=now,
    )  # fmt: skip
    Yardstick.objects.create(
        ranking=ranking, metric=metric, weight=1, group="everybody", people=len(people), mean=3.5,
        tau2=0.09, tau2_plug_in=0.09, sigma2=0.9, scale=0.5, top_quartile=3.9, low_cut=3.3,
    )  # fmt: skip
    places = np.linspace(-2, 2, len(people))
    Standing.objects.bulk_create(
        (
            Standing(
                ranking=ranking, person=person, metric=about, group="everybody", n=300,
                raw=3.5 + 0.3 * z, estimate=3.5 + 0.3 * z, se=0.05, reliability=0.9, z=z,
                p_low=0.1, p_high=0.1, p_need=0.2, p_skill=0.2, rank_low=0.1, rank_high=0.9,
                band=Band.WEAK if z < -1 else Band.STRONG if z > 1 else Band.MIDDLE,
            )
            for person, z in zip(people, places.tolist(), strict=True)
            for about in (None, metric)
        ),
        batch_size=BATCH,
    )  # fmt: skip
    return ranking


def _pairs(root, ranking, metric, learners, coaches, monday, *, now: datetime) -> list[Pair]:
    begun = now - WEEKS * cadence.WEEK
    cohorts = [
        Cohort.objects.create(
            name=f"Cohort {at}", team=root, ranking=ranking, state=Cohort.State.LIVE,
            test_date=monday + 4 * cadence.WEEK, created_at=begun, launched_at=begun,
        )
        for at in range(-(-len(learners) // COHORT))
    ]  # fmt: skip
    first = monday - WEEKS * cadence.WEEK
    rows = [
        Pair(
            cohort=cohorts[at // COHORT], learner=learner, coach=coach, metric=metric, slot=1,
            state=STATES[at % len(STATES)], score=700, baseline=3.0, baseline_se=0.1,
            parts=[{"metric": metric.key, "name": metric.name, "points": 700}],
            peer_mean=3.5, tau2=0.09, sigma2=0.9, target=3.6, stretch=3.66, target_formula="-",
            counts_from=first, test_date=cohorts[0].test_date, started_at=begun, state_since=begun,
            clocks_from=first, next_check_at=now + timedelta(days=1),
            next_reminder_at=now + timedelta(days=1),
        )
        for at, (learner, coach) in enumerate(zip(learners, coaches, strict=True))
    ]  # fmt: skip
    return Pair.objects.bulk_create(rows, batch_size=BATCH)


def _histories(pairs: list[Pair], manager: Person, *, now: datetime) -> None:
    """Weekly readings, looks and sessions, letters to both, a case for each that is stuck."""
    Reading.objects.bulk_create(
        (
            Reading(
                person=pair.learner, metric=pair.metric, n=20, sum=64, sumsq=220,
                period=pair.counts_from + week * cadence.WEEK,
            )
            for pair in pairs
            for week in range(WEEKS)
        ),
        batch_size=BATCH,
    )  # fmt: skip
    Look.objects.bulk_create(
        (
            Look(
                pair=pair, week=pair.counts_from + week * cadence.WEEK, number=week + 1, n=20,
                level=3.1 + week / 20, se=0.1, p_reached=0.2, taken_at=now,
            )
            for pair in pairs
            for week in range(WEEKS)
        ),
        batch_size=BATCH,
    )  # fmt: skip
    Session.objects.bulk_create(
        (
            Session(
                pair=pair, held_on=now.date() - timedelta(days=at % 7) - week * cadence.WEEK,
                note="Openings.", logged_by=pair.learner, logged_at=now,
            )
            for at, pair in enumerate(pairs)
            # One in fifty has gone quiet.
            for week in range(0 if at % 50 else 2, WEEKS)
        ),
        batch_size=BATCH,
    )  # fmt: skip
    asked = [pair for pair in pairs if pair.state == Pair.State.STUCK]
    Case.objects.bulk_create(
        (Case(pair=pair, episode=1, clock=Case.Clock.OUTCOME, opened_at=now) for pair in asked),
        batch_size=BATCH,
    )
    told = [(pair, reader) for pair in pairs for reader in (pair.learner, pair.coach)]
    told += [(pair, manager) for pair in asked]
    Letter.objects.bulk_create(
        (
            Letter(
                dedupe_key=f"inv:{pair.pk}:{reader.pk}", kind=Letter.Kind.INVITATION,
                recipient=reader, pair=pair, cohort=pair.cohort, state=Letter.State.SENT,
                created_at=now, next_attempt_at=now, sent_at=now,
            )
            for pair, reader in told
        ),
        batch_size=BATCH,
    )  # fmt: skip
    Notice.objects.bulk_create(
        (
            Notice(
                person=reader, text="You are a pair.", link="/me/", at=now,
                dedupe_key=f"inv:{pair.pk}:{reader.pk}",
            )
            for pair, reader in told
        ),
        batch_size=BATCH,
    )  # fmt: skip
    Event.objects.bulk_create(
        (
            Event(
                at=now, actor=manager, verb="session logged", subject_type="pair",
                subject_id=pair.public_id, team=pair.learner.team,
            )
            for pair in pairs
        ),
        batch_size=BATCH,
    )  # fmt: skip


BENCHMARKS = {
    "pages": Benchmark(
        "each page's time at the server, with few pairs and with many", _arguments, measure,
        stores=True,
    )
}  # fmt: skip
