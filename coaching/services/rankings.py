"""
Stored readings -> a ranking with its standings and yardsticks.

From one million people on, what costs is not the arithmetic but an object per row. So a subject
is a place in arrays from the first query to the last, and nothing here loops over people.
"""

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction
from django.db.models import (
    Case,
    Count,
    F,
    Min,
    QuerySet,
    Sum,
    When,
    Window,
)
from numpy.typing import NDArray

from coaching.domain import ranking as engine
from coaching.domain.said import Said, said, said_many
from coaching.errors import CoachingError
from coaching.models import (
    Person,
    Ranking,
    Reading,
    Scorecard,
    ScorecardMetric,
    Standing,
    Yardstick,
)
from coaching.notifications import words
from coaching.queries import people
from coaching.services import audit
from coaching.services.columns import Column, DayNumber, Text, fetch, or_unknown, store
from coaching.services.scorecards import NoReadings, NoWeight, settings_of

EVERYBODY = "everybody"
UTC = ZoneInfo("UTC")
# A reading as it comes: whose, when, and the three figures.
READING = [("subject", "i8"), ("day", "i4"), ("n", "f8"), ("sum", "f8"), ("sumsq", "f8")]
_BANDS = [band.words for band in engine.Band]


class NobodyToRank(CoachingError):
    """There is nobody, or no team or segment, to be ranked; says what to do for each."""

    def __init__(self, scorecard: Scorecard) -> None:
        team = scorecard.team.name
        super().__init__(
            {
                Scorecard.Subject.PEOPLE: said(
                    "Nobody works in %(team)s or a team below it. Add people, or import an export "
                    "that names them, then rank.",
                    team=team,
                ),
                Scorecard.Subject.SEGMENTS: said(
                    "%(team)s has no customer segments. Import readings by segment, then rank.",
                    team=team,
                ),
                Scorecard.Subject.TEAMS: said(
                    "No team below %(team)s has people. Rank the people of %(team)s, or put them "
                    "into teams first.",
                    team=team,
                ),
            }[Scorecard.Subject(scorecard.subject)]
        )


class TooLittle(CoachingError):
    """Nothing is left above the scorecard's minimum of observations."""


@dataclass(frozen=True, slots=True, eq=False)
class Subjects:
    """
    Who is ranked: people, customer segments or teams.

    pk : row numbers, ascending
    group : each one's peer group, a place in `groups`
    groups : the names of the peer groups, sorted
    """

    pk: NDArray[np.int64]
    group: NDArray[np.intp]
    groups: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a ranking is made from: figures per subject for each metric that has any."""

    scorecard: Scorecard
    since: date
    until: date
    subjects: Subjects
    tallies: list[tuple[ScorecardMetric, engine.Tally]]
    # Metric key -> why it does not count this time.
    left_out: dict[str, Said]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    metrics: list[tuple[ScorecardMetric, engine.MetricRanking]]
    overall: engine.CompositeRanking


def run(*, scorecard: Scorecard, by: Person | None, now: datetime) -> Ranking:
    """
    Rank a scorecard's subjects on each metric and overall, and keep the result.

    The ranking's settings are the scorecard's, and `left_out` (metric key -> a sentence on why
    it does not count), `small_groups` (a sentence on who cannot be labelled, or nothing) and
    `notes`, both of them as they are kept for any language.

    :raises NobodyToRank, NoReadings, TooLittle, NoWeight:
    :raises CoachingError: for readings from which no ranking can be made
    """
    started = time.monotonic()
    material = read(scorecard)
    outcome = work_out(material)
    with transaction.atomic():
        ranking = keep(material, outcome, by=by, now=now)
        ranking.seconds = time.monotonic() - started
        ranking.save(update_fields=["seconds"])
    return ranking


# -- reading -------------------------------------------------------------------------------


def window_of(scorecard: Scorecard) -> tuple[date, date]:
    """
    The Mondays of the first and last week to rank: the newest weeks that have readings.

    :raises NoReadings:
    """

    def first(order: str, **narrowed: date) -> list[date]:
        """Of each metric on its own, for then an index leads straight to its first or last."""
        readings = Reading.objects.filter(person__in=_measured(scorecard), **narrowed)
        found = [
            readings.filter(metric=metric).order_by(order).values_list("period", flat=True).first()
            for metric in scorecard.metrics.order_by("pk")
        ]
        return [day for day in found if day is not None]

    newest = max(first("-period"), default=None)
    if newest is None:
        raise NoReadings
    return min(first("period", period__gte=newest - timedelta(weeks=scorecard.weeks - 1))), newest


def read(scorecard: Scorecard) -> Material:
    """
    Find the subjects, and add up their readings.

    :raises NobodyToRank, NoReadings, TooLittle, NoWeight, CoachingError:
    """
    weights = list(scorecard.weights.select_related("metric"))
    if not any(row.weight > 0 for row in weights):
        raise NoWeight
    everybody = _subjects(scorecard)
    if not everybody.pk.size:
        raise NobodyToRank(scorecard)
    since, until = window_of(scorecard)

    tallies, left_out = [], {}
    seen = np.zeros(everybody.pk.shape, dtype=bool)
    for row in weights:
        figures = _tally(scorecard, row, since, until, everybody, seen)
        if figures is None:
            left_out[row.metric.key] = _why_left_out(scorecard, row, since, until)
        else:
            tallies.append((row, figures))
    if not any(row.weight > 0 for row, _ in tallies):
        raise TooLittle(reduce(_both, left_out.values()))
    subjects = Subjects(everybody.pk[seen], everybody.group[seen], everybody.groups)
    tallies = [(row, _only(figures, seen)) for row, figures in tallies]
    return Material(scorecard, since, until, subjects, tallies, left_out)


def _measured(scorecard: Scorecard) -> QuerySet[Person]:
    """Those whose readings count: the people or segments themselves, or the people of teams."""
    if scorecard.subject == Scorecard.Subject.SEGMENTS:
        return people.segments_of(scorecard.team)
    members = people.of_team(scorecard.team)
    if scorecard.subject == Scorecard.Subject.TEAMS:
        members = members.exclude(team=scorecard.team)
    return members


def _subjects(scorecard: Scorecard) -> Subjects:
    """Everybody who may have readings."""
    members = _measured(scorecard)
    if scorecard.subject == Scorecard.Subject.TEAMS:
        teams = np.array(
            members.order_by("team").values_list("team", flat=True).distinct(), dtype=np.int64
        )
        return Subjects(teams, np.zeros(teams.size, np.intp), [EVERYBODY])

    # The first member of a peer group stands for it, until its name is needed.
    first = Window(Min("pk"), partition_by=scorecard.peers_by or None)
    rows = fetch(members.order_by("pk").values_list("pk", first), [("pk", "i8"), ("first", "i8")])
    firsts, group = np.unique(rows["first"], return_inverse=True)
    found = Person.objects.only("pk", *scorecard.peers_by).in_bulk(firsts.tolist())
    labels = [
        " · ".join(getattr(found[pk], name) or "–" for name in scorecard.peers_by) or EVERYBODY
        for pk in firsts.tolist()
    ]
    groups, code = np.unique(labels, return_inverse=True)
    return Subjects(rows["pk"], code[group], groups.tolist())


def _readings(scorecard: Scorecard, row: ScorecardMetric, since: date, until: date) -> NDArray:
    """One metric's readings in the window, by subject and week; a team's are its people's sums."""
    readings = Reading.objects.filter(
        person__in=_measured(scorecard), metric=row.metric, period__range=(since, until)
    ).order_by()
    if scorecard.subject == Scorecard.Subject.TEAMS:
        # Unknown squares of one person make those of the team unknown.
        squares = Case(When(known=F("rows"), then=Sum("sumsq")))
        columns = (
            readings.values("person__team", day=DayNumber("period"))
            .annotate(n_all=Sum("n"), sum_all=Sum("sum"), known=Count("sumsq"), rows=Count("pk"))
            .values_list("person__team", "day", "n_all", "sum_all", or_unknown(squares))
        )
    else:
        columns = readings.values_list(
            "person", DayNumber("period"), "n", "sum", or_unknown("sumsq")
        )
    found = fetch(columns, READING)
    # Sums of floats depend on their order, and a database owes us none.
    return found[np.lexsort((found["day"], found["subject"]))]


def _tally(
    scorecard: Scorecard,
    row: ScorecardMetric,
    since: date,
    until: date,
    subjects: Subjects,
    seen: NDArray[np.bool_],
) -> engine.Tally | None:
    """One metric added up per subject, None without any; marks in `seen` who has readings."""
    rows = _readings(scorecard, row, since, until)
    place = np.searchsorted(subjects.pk, rows["subject"])
    # Somebody may have joined between the two queries: they wait for the next ranking.
    place = np.minimum(place, subjects.pk.size - 1)
    known = subjects.pk[place] == rows["subject"]
    rows, place = rows[known], place[known]
    seen[place] = True
    enough = np.bincount(place, weights=rows["n"])[place] >= scorecard.minimum_n
    rows, place = rows[enough], place[enough]
    if not rows.size:
        return None
    try:
        return engine.tally(
            kind=row.metric.kind,
            person=place,
            n=rows["n"],
            total=rows["sum"],
            sumsq=None if np.isnan(rows["sumsq"]).all() else rows["sumsq"],
            period=rows["day"],
            people=subjects.pk.size,
        )
    except engine.RankingError as refusal:
        raise _refused(row, refusal) from refusal


def _refused(row: ScorecardMetric, refusal: engine.RankingError) -> CoachingError:
    problem = refusal.args[0]
    return CoachingError(said("%(skill)s: %(problem)s", skill=row.metric.name, problem=problem))


def _only(figures: engine.Tally, chosen: NDArray[np.bool_]) -> engine.Tally:
    columns = (figures.n, figures.total, figures.sumsq, figures.scatter, figures.scatter_df)
    return engine.Tally(
        figures.kind, *(None if column is None else column[chosen] for column in columns)
    )


def _both(one: Said, other: Said) -> Said:
    return said("%(one)s %(other)s", one=one, other=other)


def _why_left_out(scorecard: Scorecard, row: ScorecardMetric, since: date, until: date) -> Said:
    # As in the addresses of weeks, in every language.
    weeks = {"since": since.isoformat(), "until": until.isoformat()}
    if scorecard.minimum_n > 0:
        return said(
            "%(skill)s was left out: nobody has %(minimum)s observations of it in the weeks of "
            "%(since)s to %(until)s. Lower the minimum evidence, or rank over more weeks.",
            skill=row.metric.name,
            minimum=f"{scorecard.minimum_n:g}",
            **weeks,
        )
    return said(
        "%(skill)s was left out: it has no readings in the weeks of %(since)s to %(until)s. Import "
        "some, rank over more weeks, or take it off the scorecard.",
        skill=row.metric.name,
        **weeks,
    )


# -- working out ---------------------------------------------------------------------------


def work_out(material: Material) -> Outcome:
    """
    Rank on each metric and overall.

    :raises CoachingError: for readings from which no ranking can be made
    """
    subjects, q = material.subjects, material.scorecard.q
    ranked: list[tuple[ScorecardMetric, engine.MetricRanking]] = []
    try:
        for row, figures in material.tallies:
            result = engine.rank_metric(
                figures,
                direction=row.metric.direction,
                group=subjects.group,
                groups=len(subjects.groups),
                q=q,
            )
            ranked.append((row, result))
    except engine.RankingError as refusal:
        raise _refused(row, refusal) from refusal
    overall = engine.composite(
        [result for _, result in ranked], weights=[row.weight for row, _ in ranked], q=q
    )
    return Outcome(ranked, overall)


# -- keeping -------------------------------------------------------------------------------


@transaction.atomic
def keep(material: Material, outcome: Outcome, *, by: Person | None, now: datetime) -> Ranking:
    """Store a ranking with all its standings and yardsticks."""
    scorecard, subjects = material.scorecard, material.subjects
    left_out = material.left_out
    small_groups = _small_groups(subjects, outcome.overall.people)
    ranking = Ranking.objects.create(
        scorecard=scorecard,
        since=material.since,
        until=material.until,
        subject=scorecard.subject,
        settings={
            **settings_of(scorecard),
            "left_out": left_out,
            "small_groups": small_groups,
            "notes": [words.keep(note, UTC) for note in (*left_out.values(), small_groups) if note],
        },
        created_by=by,
        created_at=now,
    )
    _store_standings(ranking, subjects, None, outcome.overall)
    for row, result in outcome.metrics:
        _store_yardsticks(ranking, subjects, row, result)
        _store_standings(ranking, subjects, row, result)
    audit.record("ranked", ranking, by=by, now=now, team=scorecard.team, people=subjects.pk.size)
    return ranking


def _small_groups(subjects: Subjects, sizes: NDArray[np.intp]) -> Said | str:
    """A sentence on the peer groups in which nobody can be labelled; empty without any."""
    inhabited = np.flatnonzero(sizes)
    small = inhabited[sizes[inhabited] < engine.SMALLEST_GROUP]
    if not small.size:
        return ""
    if subjects.groups == [EVERYBODY]:
        return said_many(
            "Only %(number)s of them has readings. Below %(least)s nobody is labelled: rank a "
            "larger team.",
            "Only %(number)s of them have readings. Below %(least)s nobody is labelled: rank a "
            "larger team.",
            int(sizes[small[0]]),
            least=engine.SMALLEST_GROUP,
        )
    named = ", ".join(f"{subjects.groups[code]}: {sizes[code]}" for code in small[:5])
    more = ", …" if small.size > 5 else ""
    return said(
        "%(small)s of %(groups)s peer groups have fewer than %(least)s with readings (%(named)s). "
        "Nobody in them is labelled: let peers share fewer attributes, or rank a larger team.",
        small=int(small.size),
        groups=int(inhabited.size),
        least=engine.SMALLEST_GROUP,
        named=named + more,
    )


def _store_yardsticks(
    ranking: Ranking, subjects: Subjects, row: ScorecardMetric, result: engine.MetricRanking
) -> None:
    some = np.flatnonzero(result.people)
    columns: dict[str, Column] = {
        "ranking_id": ranking.pk,
        "metric_id": row.metric_id,
        "weight": float(row.weight),
        "group": Text(subjects.groups, some),
        "people": result.people[some],
        "mean": result.mean[some],
        "tau2": result.tau2[some],
        "tau2_plug_in": result.tau2_plug_in[some],
        "sigma2": result.sigma2[some],
        "scale": result.scale[some],
        "top_quartile": result.top_mean[some],
        "low_cut": result.cut_low[some],
    }
    store(Yardstick, columns, rows=some.size)


def _store_standings(
    ranking: Ranking,
    subjects: Subjects,
    row: ScorecardMetric | None,
    result: engine.MetricRanking | engine.CompositeRanking,
) -> None:
    numbers = {
        "team_id" if ranking.subject == Scorecard.Subject.TEAMS else "person_id": subjects.pk,
        "se": result.se,
        "reliability": result.reliability,
        "p_low": result.p_low,
        "p_high": result.p_high,
        "p_need": result.p_need,
        "p_skill": result.p_skill,
        "rank_low": result.rank_low,
        "rank_high": result.rank_high,
    }
    columns: dict[str, Column] = {"ranking_id": ranking.pk}
    if isinstance(result, engine.MetricRanking):
        numbers |= {"n": result.n, "raw": result.raw, "estimate": result.theta, "z": result.z}
        columns["metric_id"] = row.metric_id
    else:
        numbers |= {"estimate": result.score, "z": result.score}
        columns["n"] = 0.0
    # A group without one reading has no frame to be read in.
    framed = result.people[result.group] > 0
    here = slice(None) if framed.all() else np.flatnonzero(framed)
    columns |= {name: values[here] for name, values in numbers.items()}
    columns["group"] = Text(subjects.groups, result.group[here])
    columns["band"] = Text(_BANDS, result.band[here])
    store(Standing, columns, rows=int(framed.sum()))
