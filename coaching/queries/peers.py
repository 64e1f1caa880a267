"""What those moved meanwhile whom nobody coaches: as a whole, never one of them."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from coaching.domain.movement import FEWEST_PEERS, Movement, movement
from coaching.models import Metric, Pair, Ranking, Reading, Standing
from coaching.queries import looks

# More of them would tell hardly more, and would have to be read for every picture.
MOST_PEERS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Peers:
    """
    Weekly counts and sums of uncoached peers; rows are people, columns are weeks from `first`.

    since, until : Mondays of the first and last week before the launch
    """

    metric: Metric
    first: date
    since: date
    until: date
    n: np.ndarray
    total: np.ndarray

    def moved(self, since: date, until: date) -> Movement | None:
        """Their change from the weeks before the launch to the weeks of these two Mondays."""
        n0, y0 = self._window(self.since, self.until)
        n1, y1 = self._window(since, until)
        return movement(n0=n0, y0=y0, n1=n1, y1=y1)

    def _window(self, since: date, until: date) -> tuple[np.ndarray, np.ndarray]:
        weeks = slice(
            max((since - self.first).days // 7, 0), max((until - self.first).days // 7 + 1, 0)
        )
        n, total = self.n[:, weeks].sum(axis=1), self.total[:, weeks].sum(axis=1)
        counted = n > 0
        if self.metric.kind == Metric.Kind.DURATION:
            counted &= total > 0
        mean = np.divide(total, n, out=np.ones_like(total), where=counted)
        level = np.log(mean) if self.metric.kind == Metric.Kind.DURATION else mean
        return np.where(counted, n, 0.0), level


def peers_of(*, ranking: Ranking, metric: Metric, group: str, until: date) -> Peers | None:
    """
    The people of one peer group of a ranking who neither learn nor coach this skill in any
    pair, with their readings up to the week of `until`; None when there are too few of them.

    Two queries.
    """
    paired = Pair.objects.counted().filter(metric=metric).order_by()
    people = list(
        Standing.objects.filter(ranking=ranking, metric=metric, group=group, n__gt=0)
        .exclude(person=None)
        .exclude(person__in=paired.values("learner"))
        .exclude(person__in=paired.values("coach"))
        .order_by("person")
        .values_list("person", flat=True)[:MOST_PEERS]
    )
    if len(people) < FEWEST_PEERS:
        return None
    row_of = {person: row for row, person in enumerate(people)}
    weeks = max((until - ranking.since).days // 7 + 1, 1)
    n, total = np.zeros((2, len(people), weeks))
    rows = Reading.objects.filter(
        person__in=people, metric=metric, period__gte=ranking.since, period__lte=until
    )
    for person, period, count, value in rows.values_list("person", "period", "n", "sum"):
        at = row_of[person], (period - ranking.since).days // 7
        n[at], total[at] = count, value
    return Peers(metric, ranking.since, ranking.since, ranking.until, n, total)


def around(pair: Pair, *, until: date) -> Peers | None:
    """The peers of a pair's learner, as they stood in the ranking that the cohort came from."""
    standing = (
        Standing.objects.filter(
            ranking=pair.cohort.ranking_id, metric=pair.metric_id, person=pair.learner_id
        )
        .select_related("ranking")
        .first()
    )
    if standing is None:
        return None
    return peers_of(ranking=standing.ranking, metric=pair.metric, group=standing.group, until=until)


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a learner would be expected in one week had nobody coached them; working scale."""

    week: date
    level: float


def without_coaching(pair: Pair, *, weeks: list[date]) -> list[Expected]:
    """
    The line beside a learner's own: the baseline, which is shrunken and so has the fall back
    to the mean in it already, and what uncoached peers moved meanwhile.

    weeks : Mondays of the pair's looks, oldest first; empty with fewer than five peers
    """
    if not weeks:
        return []
    peers = around(pair, until=weeks[-1])
    if peers is None:
        return []
    found = []
    for week in weeks:
        oldest = max(looks.first_week(week), pair.counts_from)
        moved = peers.moved(oldest, week)
        if moved is not None:
            found.append(Expected(week, pair.baseline + moved.change))
    return found
