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
    Team,
    Yardstick,
)
from coaching.queries import people
from coaching.services import audit

# Nobody is ranked against people of another role; without roles everybody is a peer.
DEFAULT_PEERS = ("role",)
EVERYBODY = "everybody"


class NoReadings(CoachingError):
    message = (
        "There are no readings for the people of this team yet. Import an export first, then rank."
    )


class NoWeight(CoachingError):
    message = "Every metric of this scorecard has weight 0. Give at least one of them a weight."


@transaction.atomic
def default_scorecard(*, team: Team, by: Person, now: datetime) -> Scorecard:
    """
    The team's first scorecard, proposed from what has been imported: every metric with
    readings, weighed equally, among people of the same role.

    :raises NoReadings:
    """
    metrics = list(Metric.objects.filter(readings__person__in=people.of_team(team)).distinct())
    if not metrics:
        raise NoReadings
    roles = people.of_team(team).exclude(role="").exists()
    scorecard = Scorecard.objects.create(
        name=f"{team.name}: all metrics", team=team, peers_by=list(DEFAULT_PEERS) if roles else []
    )
    ScorecardMetric.objects.bulk_create(
        ScorecardMetric(scorecard=scorecard, metric=metric) for metric in metrics
    )
    audit.record("scorecard proposed", scorecard, by=by, now=now, team=team)
    return scorecard


class ScorecardRefused(CoachingError):
    """`field` names what cannot be changed as asked."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


MOST_WEEKS = 104
HEAVIEST = 1000


@transaction.atomic
def change_scorecard(
    *,
    scorecard: Scorecard,
    by: Person,
    now: datetime,
    name: str | None = None,
    weights: dict[Metric, float] | None = None,
    peers_by: list[str] | None = None,
    weeks: int | None = None,
    policy: str | None = None,
) -> Scorecard:
    """
    Change what is given; `weights` replaces all metrics of the scorecard.

    Rankings that exist stay as they were.

    :raises ScorecardRefused:
    """
    changed = {
        field: value
        for field, value in (
            ("name", None if name is None else name.strip()),
            ("peers_by", peers_by),
            ("weeks", weeks),
            ("policy", policy),
        )
        if value is not None
    }
    _check_change(changed, weights)
    for field, value in changed.items():
        setattr(scorecard, field, value)
    scorecard.version += 1
    scorecard.save(update_fields=[*changed, "version"])
    if weights is not None:
        scorecard.weights.exclude(metric__in=weights).delete()
        for metric, weight in weights.items():
            ScorecardMetric.objects.update_or_create(
                scorecard=scorecard, metric=metric, defaults={"weight": weight}
            )
    told = {**changed, "weights": {metric.key: weight for metric, weight in weights.items()}} if (
        weights is not None
    ) else changed  # fmt: skip
    audit.record("scorecard changed", scorecard, by=by, now=now, team=scorecard.team, **told)
    return scorecard


def _check_change(changed: dict, weights: dict[Metric, float] | None) -> None:
    if "name" in changed and not 0 < len(changed["name"]) <= 120:
        raise ScorecardRefused("name", "Give the scorecard a name of at most 120 letters.")
    peers_by = changed.get("peers_by", [])
    if not set(peers_by) <= set(Person.ATTRIBUTES) or len(set(peers_by)) < len(peers_by):
        raise ScorecardRefused(
            "peers_by",
            f"Peers can be told apart by {', '.join(Person.ATTRIBUTES)}, each once.",
        )
    if not 1 <= changed.get("weeks", 1) <= MOST_WEEKS:
        raise ScorecardRefused("weeks", f"Rank over 1 to {MOST_WEEKS} weeks of readings.")
    if changed.get("policy", Scorecard.Policy.EVIDENCE) not in Scorecard.Policy.values:
        raise ScorecardRefused("policy", f"Choose one of {', '.join(Scorecard.Policy.values)}.")
    if weights is None:
        return
    for metric, weight in weights.items():
        if not 0 <= weight <= HEAVIEST:
            raise ScorecardRefused(
                "weights", f"The weight of {metric.name} must lie from 0 to {HEAVIEST:,}."
            )
    if not any(weights.values()):
        raise ScorecardRefused("weights", NoWeight.message)


def settings_of(scorecard: Scorecard) -> dict:
    """A scorecard as plain values, for a ranking to keep."""
    return {
        "version": scorecard.version,
        "weights": {
            row.metric.key: row.weight for row in scorecard.weights.select_related("metric")
        },
        "peers_by": scorecard.peers_by,
        "weeks": scorecard.weeks,
        "policy": scorecard.policy,
        "q": scorecard.q,
        "minimum_n": scorecard.minimum_n,
    }


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
