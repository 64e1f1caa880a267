"""A coach's side: their learners' skills, and what coaching does to their own numbers."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min

from coaching.domain import cadence, progress
from coaching.domain.movement import Movement, p_fell
from coaching.models import Dip, Metric, Pair, Person, Ranking, Reading, Standing, Yardstick
from coaching.queries import looks
from coaching.queries.peers import Peers, peers_of


@dataclass(frozen=True, slots=True)
class OwnLook:
    """
    A coach's own level after one more week of coaching.

    number : weeks since the first pair that runs began
    se : what chance alone makes of `level`
    p : the probability that it is notably below where it was (`domain.movement.p_fell`)
    """

    week: date
    number: int
    n: float
    level: float
    se: float
    p: float


@dataclass(frozen=True, slots=True)
class OwnNumbers:
    """
    A coach in one skill they coach: where they stood at the launch, and since; working scale.

    looks : oldest first, one for each week with readings; a dip that is open in `dip`
    """

    coach: Person
    metric: Metric
    before: float
    looks: list[OwnLook]
    dip: Dip | None

    @property
    def before_text(self) -> str:
        return self.metric.read(self.before)

    @property
    def now_text(self) -> str:
        return self.metric.read(self.looks[-1].level) if self.looks else ""


def own_numbers(coaches: Iterable[Person] | None = None, *, now: datetime) -> list[OwnNumbers]:
    """
    The own numbers of these coaches (of all, when None) in the skills they coach now.

    Against the *shrunken* estimate in the ranking that the oldest of their running pairs comes
    from: coaches are chosen for high numbers, and would fall back a little from the raw ones.
    A coach whom that ranking does not know is left out.

    Five queries, and two more for each peer group with a coach in it.
    """
    active = Pair.objects.active()
    if coaches is not None:
        active = active.filter(coach__in=list(coaches))
    starts = {
        (row["coach"], row["metric"]): row["since"]
        for row in active.order_by().values("coach", "metric").annotate(since=Min("counts_from"))
    }
    if not starts:
        return []
    ranking_of: dict[tuple[int, int], int] = {}
    for coach, metric, ranking in active.order_by("-counts_from", "-pk").values_list(
        "coach", "metric", "cohort__ranking"
    ):
        ranking_of[coach, metric] = ranking
    standings = Standing.objects.filter(
        ranking__in=set(ranking_of.values()),
        metric__in={metric for _, metric in starts},
        person__in={coach for coach, _ in starts},
    ).select_related("person__team__manager", "metric", "ranking")
    known = [
        row for row in standings if ranking_of.get((row.person_id, row.metric_id)) == row.ranking_id
    ]
    frames = _frames(known)
    # The last week that is over everywhere.
    until = cadence.week_of(now.date()) - cadence.WEEK
    readings = _readings(starts, until=until)
    dips = {(dip.person_id, dip.metric_id): dip for dip in Dip.objects.filter(over_at=None)}
    peers: dict[tuple[int, int, str], Peers | None] = {}
    found = []
    for row in sorted(known, key=lambda row: (row.person.name, row.person_id, row.metric.name)):
        key = row.person_id, row.metric_id
        group = row.ranking_id, row.metric_id, row.group
        if group not in frames:
            continue
        if group not in peers:
            peers[group] = peers_of(
                ranking=row.ranking, metric=row.metric, group=row.group, until=until
            )
        own = _looks(row, frames[group], readings[key], since=starts[key], peers=peers[group])
        found.append(OwnNumbers(row.person, row.metric, row.estimate, own, dips.get(key)))
    return found


def _frames(standings: Sequence[Standing]) -> dict[tuple[int, int, str], Yardstick]:
    rankings: set[Ranking] = {row.ranking for row in standings}
    return {
        (frame.ranking_id, frame.metric_id, frame.group): frame
        for frame in Yardstick.objects.filter(ranking__in=rankings)
    }


def _readings(
    starts: dict[tuple[int, int], date], *, until: date
) -> dict[tuple[int, int], list[Reading]]:
    found = defaultdict(list)
    rows = Reading.objects.filter(
        person__in={coach for coach, _ in starts},
        metric__in={metric for _, metric in starts},
        period__gte=min(starts.values()),
        period__lte=until,
    )
    for row in rows.order_by("period"):
        key = row.person_id, row.metric_id
        if key in starts and row.period >= starts[key]:
            found[key].append(row)
    return found


def _looks(
    standing: Standing,
    frame: Yardstick,
    readings: Sequence[Reading],
    *,
    since: date,
    peers: Peers | None,
) -> list[OwnLook]:
    metric, found = standing.metric, []
    for row in readings:
        oldest = max(looks.first_week(row.period), since)
        window = [old for old in readings if oldest <= old.period <= row.period]
        n, total = sum(old.n for old in window), sum(old.sum for old in window)
        if metric.kind == Metric.Kind.DURATION and total <= 0:
            continue
        level = progress.working_value(kind=metric.kind, n=n, total=total)
        moved: Movement | None = peers.moved(oldest, row.period) if peers else None
        p = p_fell(
            before=standing.estimate,
            before_se=standing.se,
            level=level,
            n=n,
            sigma2=frame.sigma2,
            tau2=frame.tau2,
            sign=metric.sign,
            peers=moved,
        )
        number = (row.period - since) // timedelta(weeks=1) + 1
        se = math.sqrt(frame.sigma2 / n)
        found.append(OwnLook(row.period, number, n, level, se, p))
    return found
