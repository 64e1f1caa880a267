"""Ranking: from stored readings to stored standings, and the engine alone."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import date, timedelta

import numpy as np
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray

from coaching.domain.ranking import Kind, rank_metric, tally
from coaching.management.benchmarks import Benchmark, Lines, peak_mb, some
from coaching.models import Metric, Person, Reading, Scorecard, ScorecardMetric, Team
from coaching.services import rankings
from coaching.services.columns import DayNumber, fetch, or_unknown, store

SEED = 20_250_106
LAST_WEEK = date(2025, 1, 6)
PEOPLE_AT_A_TIME = 5_000


def _ranking_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--people", type=some, default=20_000)
    parser.add_argument("--metrics", type=some, default=5)
    parser.add_argument("--weeks", type=some, default=1)
    parser.add_argument("--groups", type=some, default=1, help="peer groups (1)")


def measure_ranking(*, people: int, metrics: int, weeks: int, groups: int) -> Lines:
    """
    From stored readings to stored standings, against merely reading the same rows.

    Merely reading is the cheapest way there is from the stored readings to arrays: the columns
    that a ranking needs of all readings of a metric, without asking whose they are. It is done
    twice, and the second time counts.
    """
    scorecard = _workforce(people=people, metrics=metrics, weeks=weeks, groups=groups)
    with connection.cursor() as cursor:
        # As the database itself does after a while.
        cursor.execute("ANALYZE")
    before = peak_mb()
    for _ in range(2):
        started = time.perf_counter()
        readings = _merely_read(scorecard)
        bare = time.perf_counter() - started

    clock = [time.perf_counter()]
    material = rankings.read(scorecard)
    clock.append(time.perf_counter())
    outcome = rankings.work_out(material)
    clock.append(time.perf_counter())
    ranking = rankings.keep(material, outcome, by=None, now=timezone.now())
    clock.append(time.perf_counter())
    read, compute, write = np.diff(clock)
    total = read + compute + write
    return [
        ("people", f"{people:,}"),
        ("peer groups", f"{groups:,}"),
        ("readings", f"{readings:,}"),
        ("standings", f"{ranking.standings.count():,}"),
        ("merely reading", f"{bare:.2f} s"),
        ("read", f"{read:.2f} s"),
        ("compute", f"{compute:.2f} s"),
        ("write", f"{write:.2f} s"),
        ("together", f"{total:.2f} s"),
        ("read + compute / merely reading", f"{(read + compute) / bare:.1f}"),
        ("together / merely reading", f"{total / bare:.1f}"),
        ("peak memory", f"{peak_mb():,.0f} MB ({before:,.0f} MB before the ranking)"),
    ]


def _merely_read(scorecard: Scorecard) -> int:
    """Read everything once and keep nothing; how many rows there were."""
    rows = 0
    for metric in scorecard.metrics.all():
        columns = Reading.objects.filter(metric=metric).values_list(
            "person", DayNumber("period"), "n", "sum", or_unknown("sumsq")
        )
        rows += fetch(columns, rankings.READING).size
    return rows


def _workforce(*, people: int, metrics: int, weeks: int, groups: int) -> Scorecard:
    """A team that does not exist, with readings of every kind of metric."""
    rng = np.random.default_rng(SEED)
    team = Team.objects.create(name="Benchmark")
    for at in range(0, people, PEOPLE_AT_A_TIME):
        Person.objects.bulk_create(
            Person(key=f"b{i}", name=f"Person {i}", team=team, role=f"Group {i % groups}")
            for i in range(at, min(at + PEOPLE_AT_A_TIME, people))
        )
    pks = fetch(team.people.order_by("pk").values_list("pk"), [("pk", "i8")])["pk"]
    scorecard = Scorecard.objects.create(
        name="Benchmark", team=team, peers_by=["role"], weeks=weeks
    )
    kinds = list(Kind)
    for number in range(metrics):
        kind = kinds[number % len(kinds)]
        metric = Metric.objects.create(key=f"b{number}", name=f"Metric {number}", kind=kind)
        ScorecardMetric.objects.create(scorecard=scorecard, metric=metric)
        level = rng.standard_normal(people)
        for week in range(weeks):
            n, total, sumsq = _week(kind, level, rng)
            columns = {
                "person_id": pks,
                "metric_id": metric.pk,
                "period": np.datetime64(LAST_WEEK - timedelta(weeks=week)),
                "n": n,
                "sum": total,
                "sumsq": sumsq,
            }
            store(Reading, columns, rows=people)
    return scorecard


def _week(
    kind: Kind, level: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray, NDArray, NDArray]:
    """
    One week's n, sum and sum of squares of people with these true levels (standard normal).

    About 20 observations a week, with a noise that leaves much to shrink.
    """
    n = 1.0 + rng.poisson(20, level.size)
    luck = rng.standard_normal(level.size) / np.sqrt(n)
    unknown = np.full(level.size, np.nan)
    match kind:
        case Kind.MEAN:
            total = n * (3.6 + 0.4 * level + 0.9 * luck)
            return n, total, total**2 / n + 0.81 * (n - 1)
        case Kind.PROPORTION:
            share = np.clip(0.7 + 0.08 * level, 0.05, 0.95)
            return n, rng.binomial(n.astype(int), share).astype(float), unknown
        case Kind.RATE:
            return n, rng.poisson(n * np.exp(-1.5 + 0.3 * level)).astype(float), unknown
        case Kind.DURATION:
            total = n * np.exp(5.7 + 0.15 * level + 0.5 * luck)
            return n, total, total**2 / n * (1 + 0.25 * (n - 1) / n)


def _engine_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--people", type=some, default=1_000_000)
    parser.add_argument("--groups", type=some, default=10_000)


def measure_engine(*, people: int, groups: int) -> Lines:
    """One metric in memory: everybody in one peer group, and in many."""
    rng = np.random.default_rng(SEED)
    n, total, sumsq = _week(Kind.MEAN, rng.standard_normal(people), rng)
    figures = tally(kind=Kind.MEAN, person=np.arange(people), n=n, total=total, sumsq=sumsq)
    seconds = []
    for number in (1, groups):
        group = np.arange(people) % number
        started = time.perf_counter()
        rank_metric(figures, direction="higher", group=group, groups=number)
        seconds.append(time.perf_counter() - started)
    one, many = seconds
    return [
        ("people", f"{people:,}"),
        ("one peer group", f"{one:.2f} s"),
        (f"{groups:,} peer groups", f"{many:.2f} s"),
        ("many / one", f"{many / one:.2f}"),
        ("peak memory", f"{peak_mb():,.0f} MB"),
    ]


BENCHMARKS = {
    "ranking": Benchmark(
        "stored readings to stored standings", _ranking_arguments, measure_ranking, stores=True
    ),
    "engine": Benchmark(
        "one metric, one peer group against many", _engine_arguments, measure_engine, stores=False
    ),
}
