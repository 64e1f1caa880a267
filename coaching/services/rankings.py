"""Stored readings -> a ranking with its standings and yardsticks."""

import time
from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Max, Min

from coaching.domain import ranking as engine
from coaching.errors import CoachingError
from coaching.models import (
    Metric,
    Person,
    Ranking,
    Reading,
    Scorecard,
    ScorecardMetric,
    Standing,
    Yardstick,
)
from coaching.queries import people
from coaching.services import audit
from coaching.services.scorecards import NoReadings, NoWeight, settings_of

EVERYBODY = "everybody"


def window_of(scorecard: Scorecard) -> tuple[date, date]:
    """
    The Mondays of the first and last week to rank: the newest weeks that have readings.

    :raises NoReadings:
    """
    readings = Reading.objects.filter(
        person__in=people.of_team(scorecard.team), metric__in=scorecard.metrics.all()
    )
    newest = readings.aggregate(newest=Max("period"))["newest"]
    if newest is None:
        raise NoReadings
    since = newest - timedelta(weeks=scorecard.weeks - 1)
    oldest = readings.filter(period__gte=since).aggregate(oldest=Min("period"))["oldest"]
    return oldest, newest


def run(*, scorecard: Scorecard, by: Person | None, now: datetime) -> Ranking:
    """
    Rank a scorecard's people on each metric and overall, and keep the result.

    :raises NoReadings, NoWeight:
    """
    started = time.monotonic()
    weights = [row for row in scorecard.weights.select_related("metric")]
    if not any(row.weight > 0 for row in weights):
        raise NoWeight
    since, until = window_of(scorecard)
    window = Reading.objects.filter(period__gte=since, period__lte=until)
    members = list(
        people.of_team(scorecard.team)
        .filter(readings__in=window.filter(metric__in=[row.metric_id for row in weights]))
        .distinct()
        .order_by("pk")
    )
    codes, names = _peer_groups(members, scorecard.peers_by)
    position = {person.pk: index for index, person in enumerate(members)}
    ranked: list[tuple[ScorecardMetric, engine.MetricRanking]] = []
    for row in weights:
        readings = window.filter(metric=row.metric, person__in=people.of_team(scorecard.team))
        result = _rank_one(row.metric, readings, position, codes, len(names), q=scorecard.q)
        if result is not None:
            ranked.append((row, result))
    if not any(row.weight > 0 for row, _ in ranked):
        raise NoReadings
    try:
        overall = engine.composite(
            [result for _, result in ranked],
            weights=[row.weight for row, _ in ranked],
            q=scorecard.q,
        )
    except engine.RankingError as refusal:
        raise CoachingError(str(refusal)) from refusal
    with transaction.atomic():
        ranking = Ranking.objects.create(
            scorecard=scorecard,
            since=since,
            until=until,
            subject=scorecard.subject,
            settings=settings_of(scorecard),
            created_by=by,
            created_at=now,
        )
        for row, result in ranked:
            Yardstick.objects.bulk_create(_yardsticks(ranking, row, result, names))
        standings = _overall_standings(ranking, members, overall, names)
        for row, result in ranked:
            standings += _metric_standings(ranking, members, row.metric, result, names)
        Standing.objects.bulk_create(standings, batch_size=2000)
        ranking.seconds = time.monotonic() - started
        ranking.save(update_fields=["seconds"])
        audit.record("ranked", ranking, by=by, now=now, team=scorecard.team, people=len(members))
    return ranking


def _peer_groups(members: list[Person], peers_by: list[str]) -> tuple[np.ndarray, list[str]]:
    """Each person's peer group as a code, and the groups' names."""
    labels = [
        " · ".join(str(getattr(person, attribute)) or "–" for attribute in peers_by) or EVERYBODY
        for person in members
    ]
    names = sorted(set(labels))
    code = {name: index for index, name in enumerate(names)}
    return np.array([code[label] for label in labels], dtype=np.intp), names


def _rank_one(
    metric: Metric,
    readings,
    position: dict[int, int],
    codes: np.ndarray,
    groups: int,
    *,
    q: float,
) -> engine.MetricRanking | None:
    rows = list(readings.order_by("person_id", "period").values_list(
        "person_id", "period", "n", "sum", "sumsq"
    ))  # fmt: skip
    if not rows:
        return None
    person, period, n, total, sumsq = zip(*rows, strict=True)
    squares = np.array([np.nan if value is None else value for value in sumsq])
    try:
        tally = engine.tally(
            kind=metric.kind,
            person=[position[pk] for pk in person],
            n=n,
            total=total,
            sumsq=None if np.isnan(squares).all() else squares,
            period=[day.toordinal() for day in period],
            people=len(position),
        )
        return engine.rank_metric(
            tally, direction=metric.direction, group=codes, groups=groups, q=q
        )
    except engine.RankingError as refusal:
        raise CoachingError(f"{metric.name}: {refusal}") from refusal


def _yardsticks(
    ranking: Ranking, row: ScorecardMetric, result: engine.MetricRanking, names: list[str]
) -> list[Yardstick]:
    return [
        Yardstick(
            ranking=ranking,
            metric=row.metric,
            weight=row.weight,
            group=name,
            people=int(result.people[index]),
            mean=result.mean[index],
            tau2=result.tau2[index],
            tau2_plug_in=result.tau2_plug_in[index],
            sigma2=result.sigma2[index],
            scale=result.scale[index],
            top_quartile=result.top_mean[index],
            low_cut=result.cut_low[index],
        )
        for index, name in enumerate(names)
        if result.people[index]
    ]


def _metric_standings(
    ranking: Ranking,
    members: list[Person],
    metric: Metric,
    result: engine.MetricRanking,
    names: list[str],
) -> list[Standing]:
    return [
        Standing(
            ranking=ranking,
            person=person,
            metric=metric,
            group=names[result.group[index]],
            n=result.n[index],
            raw=None if np.isnan(result.raw[index]) else result.raw[index],
            estimate=result.theta[index],
            se=result.se[index],
            reliability=result.reliability[index],
            z=result.z[index],
            **_chances(result, index),
        )
        for index, person in enumerate(members)
        # A group without one reading of a metric has no frame to be read in.
        if result.people[result.group[index]]
    ]


def _overall_standings(
    ranking: Ranking, members: list[Person], result: engine.CompositeRanking, names: list[str]
) -> list[Standing]:
    return [
        Standing(
            ranking=ranking,
            person=person,
            metric=None,
            group=names[result.group[index]],
            n=0,
            raw=None,
            estimate=result.score[index],
            se=result.se[index],
            reliability=result.reliability[index],
            z=result.score[index],
            **_chances(result, index),
        )
        for index, person in enumerate(members)
    ]


def _chances(result, index: int) -> dict:
    return {
        "p_low": result.p_low[index],
        "p_high": result.p_high[index],
        "p_need": result.p_need[index],
        "p_skill": result.p_skill[index],
        "rank_low": result.rank_low[index],
        "rank_high": result.rank_high[index],
        "band": engine.Band(result.band[index]).words,
    }
