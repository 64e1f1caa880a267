"""Who would learn and who would coach, how many of those labels are right, and who gets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import numpy as np
from scipy.special import gammaln, ndtri

from coaching.domain.ranking.groups import Bools, Floats, Ints
from coaching.domain.ranking.kinds import Band, RankingError
from coaching.domain.ranking.metric import LABEL, LEANING, bands
from coaching.domain.ranking.tails import tails

NARROWEST, WIDEST = 0.05, 0.50
# Rounding may miss a threshold by this much, so that units and order decide nothing.
_HAIR = 1e-9
# Groups under this size are not told apart: everybody would know who is meant.
SMALLEST_SHOWN = 5
FAIRNESS_LEVEL = 0.05
INTERVAL = 0.90
UNKNOWN = "not known"
TENURES = ("under 6 months", "6 months to 2 years", "over 2 years")


class Policy(StrEnum):
    """How sure one must be before somebody is chosen."""

    EVIDENCE = "evidence"
    LEANING = "leaning"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Arrays (people,): chances of truly being in the worst and best q, and codes of `Band`."""

    p_low: Floats
    p_high: Floats
    band: Ints


def bands_at(
    q: float, *, score: Floats, se: Floats, group: Ints, band: Ints, yardstick: Bools
) -> Bands:
    """
    The bands that another band width would give, from the same estimates.

    q : the part of the peers that is called worst or best, 0.05 to 0.5
    score, se : arrays (people,), higher is better
    group : peer group codes from 0
    band : codes of `Band` at any width; who cannot be placed (too few readings, too small a
    group, a value to check) cannot be placed at another width either
    yardstick : bool array (people,), the peers against whom everybody is held

    :raises RankingError: for a width out of range
    """
    if not NARROWEST <= q <= WIDEST:
        raise RankingError(f"A band covers from {NARROWEST:.0%} to {WIDEST:.0%} of the peers.")
    score, se = np.asarray(score, float), np.asarray(se, float)
    groups = int(group.max()) + 1 if group.size else 0
    tail = tails(
        score=score, se=se, group=group, groups=groups, yardstick=yardstick, q=q, q_match=q
    )
    fresh = bands(
        p_low=tail.p_low,
        p_high=tail.p_high,
        enough=np.ones(score.shape, dtype=bool),
        observed=np.ones(score.shape, dtype=bool),
        small=np.zeros(score.shape, dtype=bool),
        check=np.zeros(score.shape, dtype=bool),
    )
    return Bands(tail.p_low, tail.p_high, np.where(placeable(band), fresh, band))


def placeable(band: Ints) -> Bools:
    """Whether the readings say anything about somebody, at whatever width."""
    return ~np.isin(band, (Band.CANNOT_TELL, Band.GROUP_TOO_SMALL, Band.CHECK_DATA))


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """
    Who a policy would choose: bool arrays (people,), nobody on both sides.

    learners_right, coaches_right : how many of them to expect truly in the worst or best part,
    the sum of their probabilities
    """

    learner: Bools
    coach: Bools
    learners_right: float
    coaches_right: float

    @property
    def learners(self) -> int:
        return int(self.learner.sum())

    @property
    def coaches(self) -> int:
        return int(self.coach.sum())

    @property
    def learners_wrong(self) -> float:
        return self.learners - self.learners_right

    @property
    def coaches_wrong(self) -> float:
        return self.coaches - self.coaches_right


def choose(
    policy: Policy | str,
    *,
    p_low: Floats,
    p_high: Floats,
    eligible: Bools,
    q: float = 0.25,
    quota: int | None = None,
) -> Labels:
    """
    Who would learn and who would coach under a policy, and how many of these to expect right.

    p_low, p_high : arrays (people,) in the order of their ids, which breaks ties
    eligible : bool array (people,), who may be chosen at all
    q, quota : for the policy quota, the share of the eligible to take from each end, or how many

    Evidence asks for a probability of 0.8, leaning for 0.5; a quota takes the likeliest,
    whatever their probability. The expected number of right labels is the sum of the chosen
    people's probabilities (Lin, Louis et al. 2006: for "who is in the worst part" the tail
    probability is the optimal criterion).

    >>> low, high = np.array([0.9, 0.6, 0.2, 0.0]), np.array([0.0, 0.1, 0.3, 0.85])
    >>> chosen = choose("leaning", p_low=low, p_high=high, eligible=np.ones(4, bool))
    >>> chosen.learner.tolist(), round(chosen.learners_right, 2), chosen.coaches
    ([True, True, False, False], 1.5, 1)
    """
    policy = Policy(policy)
    low = np.where(eligible, np.nan_to_num(p_low, nan=-1.0), -1.0)
    high = np.where(eligible, np.nan_to_num(p_high, nan=-1.0), -1.0)
    if policy == Policy.QUOTA:
        seats = int(q * np.count_nonzero(eligible) + 0.5) if quota is None else max(quota, 0)
        learner = _likeliest(low, seats)
        coach = _likeliest(np.where(learner, -1.0, high), seats)
    else:
        sure = LABEL if policy == Policy.EVIDENCE else LEANING
        learner = low >= sure - _HAIR
        coach = (high >= sure - _HAIR) & ~learner
    return Labels(learner, coach, float(low[learner].sum()), float(high[coach].sum()))


def _likeliest(chance: Floats, seats: int) -> Bools:
    """The so many with the largest chance; negative chances stand for nobody's."""
    order = np.argsort(-chance, kind="stable")[:seats]
    chosen = np.zeros(chance.shape, dtype=bool)
    chosen[order] = chance[order] >= 0
    return chosen


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What changes between two selections: bool arrays (people,)."""

    enters: Bools
    leaves: Bools
    stays: Bools


def moves(before: Bools, after: Bools) -> Moves:
    return Moves(enters=after & ~before, leaves=before & ~after, stays=before & after)


def undecided(chosen: Labels, band: Ints) -> Bools:
    """
    Who is not chosen and not in the clear middle either: leaning to one side, or not to be told.
    """
    open_ = np.isin(band, (Band.LEANING_WEAK, Band.LEANING_STRONG, Band.CANNOT_TELL))
    return open_ & ~chosen.learner & ~chosen.coach


@dataclass(frozen=True, slots=True)
class Share:
    """
    How many of the people with one value of an attribute are labelled.

    labelled, low, high (90 % Wilson interval) are None for groups under five.
    lean : 1 labelled more often than everybody else, -1 less often, 0 within chance
    """

    value: str
    people: int
    labelled: int | None
    low: float | None = None
    high: float | None = None
    rest_people: int = 0
    rest_labelled: int = 0
    p: float | None = None
    lean: int = 0

    @property
    def suppressed(self) -> bool:
        return self.labelled is None

    @property
    def share(self) -> float | None:
        return None if self.labelled is None else self.labelled / self.people


def fairness(labelled: Bools, attributes: Mapping[str, Sequence[str]]) -> dict[str, list[Share]]:
    """
    Who carries the labels, by attribute and value.

    labelled : bool array (people,)
    attributes : per attribute, everybody's value; an empty one is "not known"

    Each value is held against everybody else by Fisher's exact test (two-sided); a difference
    counts when it holds at 5 % after Holm's correction (1979) over all comparisons made. With
    two values both comparisons are the same one, and are counted once.
    """
    labelled = np.asarray(labelled, dtype=bool)
    total, hits = labelled.size, int(labelled.sum())
    shares: dict[str, list[Share]] = {}
    tests: dict[tuple[str, str], float] = {}
    for attribute, values in attributes.items():
        codes = np.array([value or UNKNOWN for value in values], dtype=object)
        found = sorted(set(codes), key=_place)
        shares[attribute] = []
        for value in found:
            here = codes == value
            people, mine = int(here.sum()), int(labelled[here].sum())
            if people < SMALLEST_SHOWN:
                shares[attribute].append(Share(value, people, None))
                continue
            low, high = wilson(mine, people)
            rest = total - people
            p = fisher(mine, people, hits - mine, rest) if rest else None
            if p is not None:
                tests[attribute, _comparison(value, found)] = p
            shares[attribute].append(Share(value, people, mine, low, high, rest, hits - mine, p))
    counts = dict(zip(tests, holm(list(tests.values()), level=FAIRNESS_LEVEL), strict=True))
    for attribute, rows in shares.items():
        found = [row.value for row in rows]
        shares[attribute] = [
            replace(row, lean=_lean(row))
            if counts.get((attribute, _comparison(row.value, found)))
            else row
            for row in rows
        ]
    return shares


def _place(value: str) -> tuple[bool, int, str]:
    """Tenures in their own order, everything else by name, the unknown last."""
    return value == UNKNOWN, TENURES.index(value) if value in TENURES else 0, value


def _comparison(value: str, values: list[str]) -> str:
    """With two values, "these against those" is "those against these"."""
    return value if len(values) > 2 else ""


def _lean(row: Share) -> int:
    if row.labelled is None:
        return 0
    return 1 if row.labelled * row.rest_people > row.rest_labelled * row.people else -1


# The next two are in scipy.stats as well, which takes longer to import than everything else
# together; the tests hold these against it.


def wilson(hits: int, people: int, *, level: float = INTERVAL) -> tuple[float, float]:
    """
    The interval of a share (Wilson 1927).

    >>> [round(end, 3) for end in wilson(0, 10)]
    [0.0, 0.213]
    """
    z2 = float(ndtri((1 + level) / 2)) ** 2
    middle = (hits + z2 / 2) / (people + z2)
    reach = np.sqrt(z2 * (hits * (people - hits) / people + z2 / 4)) / (people + z2)
    return float(max(middle - reach, 0.0)), float(min(middle + reach, 1.0))


def fisher(hits: int, people: int, other_hits: int, others: int) -> float:
    """
    Two-sided p of Fisher's exact test (1922): all outcomes no likelier than this one.

    >>> round(fisher(3, 4, 1, 4), 4)
    0.4857
    """
    marked = hits + other_hits
    possible = np.arange(max(0, marked - others), min(marked, people) + 1)
    log = _log_choose(people, possible) + _log_choose(others, marked - possible)
    log -= _log_choose(people + others, np.array(marked))
    # Equally likely outcomes differ by rounding.
    return float(min(np.exp(log[log <= log[hits - possible[0]] + 1e-7]).sum(), 1.0))


def _log_choose(n: int, k: Ints) -> Floats:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def holm(p: Sequence[float], *, level: float) -> list[bool]:
    """
    Which of several tests count at this level, all of them together (Holm 1979).

    >>> holm([0.04, 0.01, 0.03], level=0.05)
    [False, True, False]
    """
    counts = [False] * len(p)
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: (p[index], index))):
        if p[index] > level / (len(p) - place):
            break
        counts[index] = True
    return counts


def tenure(started: date | None, *, on: date) -> str:
    """
    How long somebody has been here, in three steps; empty when nobody knows.

    >>> day = date(2027, 3, 14)
    >>> tenure(date(2026, 9, 15), on=day), tenure(date(2025, 3, 14), on=day)
    ('under 6 months', 'over 2 years')
    """
    if started is None:
        return ""
    months = 12 * (on.year - started.year) + on.month - started.month - (on.day < started.day)
    return TENURES[(months >= 6) + (months >= 24)]
