"""Plans for so many people that not even a glance at every pair is affordable: cut by lot."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coaching.domain.matching.dense import solve_dense
from coaching.domain.matching.problem import Bools, Ints, Plan, Refused
from coaching.domain.matching.scores import Scores
from coaching.domain.matching.table import BLOCK_BYTES

EXACT = 3 * 10**8  # pairs up to which people are planned as one
AHEAD = 10  # the plan of a part may use up this share of the tolerance
BIDDERS = 10_000  # learners whose bids price all coaches, where people were cut apart


@dataclass(frozen=True, kw_only=True)
class SparseAnswer:
    """
    A plan, and how much score might still be gained.

    gap, gap_error : an unbiased estimate of a bound and its standard error; with an error of 0 the
        bound is proven, because every pair was looked at
    rounds : how often candidates were added, in the part that took most
    parts : parts that were planned
    candidates : pairs the flow solver saw in the end
    """

    plan: Plan
    gap: float
    gap_error: float
    rounds: int
    parts: int
    candidates: int


class _Part(NamedTuple):
    """What a process needs to plan one part, people in the order of the whole."""

    learners: Ints
    coaches: Ints
    scores: Scores
    capacity: Ints
    wanting: Bools


class _Found(NamedTuple):
    learner: Ints
    coach: Ints
    score: Ints
    price: Ints
    seat_value: int
    gap: float
    rounds: int
    candidates: int


def solve_people(
    scores: Scores,
    *,
    capacity: npt.ArrayLike,
    wanting: npt.ArrayLike | None = None,
    blocks: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    tolerance: float = 0.005,
    max_rounds: int = 12,
    sample: int = 1000,
    processes: int = 1,
    seed: int = 0,
) -> SparseAnswer:
    """
    Plan one coach for each learner, without looking at every pair.

    capacity : (coaches,); wanting : (learners,), False for those who need no coach
    blocks : codes (learners,) and (coaches,), site and shift say; a learner may only have a coach
        of the same code, and so each code is planned on its own
    tolerance : a part that is looked at as a whole is planned to a tenth of this share of its total
    sample : learners who are looked at with every coach, to estimate the gap
    processes : so many parts are planned side by side

    1. Where there are more than EXACT pairs, people are cut apart by lot, learners in proportion
       to seats. Thousands of learners drawn by lot find among as large a share of the coaches
       nearly what they would find among all of them: about 40 % / sqrt(learners) of the score is
       lost in each part (measured on skills of six metrics, docs/benchmarks.md).
    2. Each part is planned over all its pairs (``solve_dense``).
    3. What sampled learners of all parts would bid, given what they have, prices every coach.
    4. Others are looked at with all coaches at these prices: what they could gain, added up, bounds
       every plan (weak duality), and the sample estimates the sum without bias.

    The same input gives the same plan; in another order of people it may be another plan.

    :raises Refused: on seats that are no whole numbers, 0 or more
    """
    n, m = scores.shape
    seats = np.asarray(capacity)
    if seats.shape != (m,) or seats.dtype.kind not in "iu" or (seats < 0).any():
        raise Refused(["Give every coach a whole number of seats, 0 or more."])
    if scores.points is not None:
        raise ValueError("Points pair by pair are not for so many people; use codes.")
    seats = seats.astype(np.int64)
    asks = np.ones(n, dtype=bool) if wanting is None else np.asarray(wanting, dtype=bool)
    rng = np.random.default_rng(seed)
    cut = [_cut(*people, asks, seats, rng) for people in _blocked(n, m, blocks)]
    parts = [
        _Part(who, whom, scores.among(who, whom), seats[whom], asks[who])
        for pieces in cut
        for who, whom in pieces
    ]
    plan_one = partial(_plan_part, tolerance=tolerance, max_rounds=max_rounds, seed=seed)
    if processes > 1 and len(parts) > 1:
        # Fresh processes: a fork of a program with threads (a web server) may hang.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(plan_one, parts, chunksize=max(1, len(parts) // 64)))
    else:
        found = [plan_one(part) for part in parts]
    price = np.zeros(m, dtype=np.int64)
    gap, variance, at = 0.0, 0.0, 0
    for pieces in cut:
        mine = slice(at, at + len(pieces))
        at += len(pieces)
        if len(pieces) == 1:
            price[parts[mine.start].coaches] = found[mine.start].price
            gap += found[mine.start].gap
        elif pieces:
            market = _Market(scores, parts[mine], found[mine])
            price[market.coaches] = market.bids(rng)
            more, error = market.gap(price[market.coaches], sample, rng)
            gap, variance = gap + more, variance + error**2
    return SparseAnswer(
        plan=_together(found, asks, price),
        gap=gap,
        gap_error=float(np.sqrt(variance)),
        rounds=max((one.rounds for one in found), default=0),
        parts=len(parts),
        candidates=sum(one.candidates for one in found),
    )


def _blocked(
    n: int, m: int, blocks: tuple[npt.ArrayLike, npt.ArrayLike] | None
) -> list[tuple[Ints, Ints]]:
    """Return the people of each code, learners who have no coach of their code left out."""
    if blocks is None:
        return [(np.arange(n), np.arange(m))]
    learner_code, coach_code = (np.asarray(codes) for codes in blocks)
    if learner_code.shape != (n,) or coach_code.shape != (m,):
        raise ValueError("Give one code for each learner and one for each coach.")
    learners, coaches = (np.argsort(codes, kind="stable") for codes in (learner_code, coach_code))
    both = np.intersect1d(learner_code, coach_code)
    cut = [
        np.searchsorted(codes[order], both, side=side)
        for codes, order in ((learner_code, learners), (coach_code, coaches))
        for side in ("left", "right")
    ]
    return [
        (learners[a:b], coaches[c:d]) for a, b, c, d in zip(*(x.tolist() for x in cut), strict=True)
    ]


def _cut(
    who: Ints, whom: Ints, asks: Bools, seats: Ints, rng: np.random.Generator
) -> list[tuple[Ints, Ints]]:
    """Cut people apart by lot, so that no part has more than EXACT pairs."""
    if who.size * whom.size <= EXACT:
        return [(who, whom)]
    learners, coaches = rng.permutation(who[asks[who]]), rng.permutation(whom[seats[whom] > 0])
    count = int(np.ceil(np.sqrt(learners.size * coaches.size / EXACT)))
    count = min(count, learners.size, coaches.size)
    if count == 0:
        return []
    ends = np.arange(count + 1) * coaches.size // count
    # In proportion to seats, so that none is left idle in one part and missing in another.
    taken = np.concatenate([[0], np.cumsum(seats[coaches])])
    shares = taken[ends] * learners.size // taken[-1]
    pieces = [
        (np.sort(learners[a:b]), np.sort(coaches[c:d]))
        for a, b, c, d in zip(shares[:-1], shares[1:], ends[:-1], ends[1:], strict=True)
    ]
    return [piece for piece in pieces if piece[0].size]


def _plan_part(part: _Part, *, tolerance: float, max_rounds: int, seed: int) -> _Found:
    answer = solve_dense(
        part.scores,
        capacity=part.capacity,
        wanting=part.wanting,
        tolerance=tolerance / AHEAD,
        max_rounds=max_rounds,
        fair=False,
        seed=seed,
    )
    plan = answer.plan
    return _Found(
        part.learners[plan.learner],
        part.coaches[plan.coach],
        plan.score,
        plan.price,
        plan.seat_value,
        answer.gap,
        answer.rounds,
        answer.candidates,
    )


class _Market:
    """
    People who were cut apart, seen as one again; seats are left out of all values.

    has : (learners,), score less price of what each has in their part, 0 for nothing
    """

    def __init__(self, scores: Scores, parts: list[_Part], found: list[_Found]) -> None:
        self.scores = scores
        self.learners = np.concatenate([part.learners for part in parts])
        self.coaches = np.concatenate([part.coaches for part in parts])
        self.seats = np.concatenate([part.capacity for part in parts])
        self.scarce = int(self.seats.sum()) < self.learners.size
        self.total = sum(int(one.score.sum()) for one in found)
        has = np.zeros(scores.shape[0], dtype=np.int64)
        price = np.zeros(scores.shape[1], dtype=np.int64)
        for part, one in zip(parts, found, strict=True):
            # What a seat as such is worth: a learner more than seats would give all for one.
            short = int(part.capacity.sum()) < part.learners.size
            price[part.coaches] = one.price - (one.seat_value if short else one.price.min())
            has[one.learner] = one.score - price[one.coach]
        self.has = has[self.learners]

    def bids(self, rng: np.random.Generator) -> Ints:
        """Return seat prices (coaches,): the highest that a sample of learners would pay."""
        price = np.zeros(self.coaches.size, dtype=np.int64)
        for _, has, scores in self._looks(BIDDERS, rng):
            np.maximum(price, (scores - has[:, None]).max(axis=0), out=price)
        return price

    def gap(self, price: Ints, sample: int, rng: np.random.Generator) -> tuple[float, float]:
        """
        Return an unbiased estimate of how much the prices leave to gain, and its standard error.
        """
        gains = [
            np.maximum((scores - price).max(axis=1), 0 if self.scarce else -np.inf) - has
            for _, has, scores in self._looks(sample, rng)
        ]
        gain = np.concatenate(gains)
        size, n = gain.size, self.learners.size
        bound = int(self.has.sum()) + int((self.seats * price).sum()) + float(gain.mean()) * n
        # Without replacement: when everybody is looked at nothing is left to err about.
        spread = float(gain.std(ddof=1)) if size > 1 else 0.0
        return bound - self.total, spread / np.sqrt(size) * np.sqrt(1 - size / n) * n

    def _looks(
        self, sample: int, rng: np.random.Generator
    ) -> Iterator[tuple[Ints, Ints, npt.NDArray[np.integer]]]:
        """Yield some learners with what they have and their scores with all coaches."""
        n = self.learners.size
        some = np.sort(rng.choice(n, min(sample, n), replace=False))
        step = max(1, BLOCK_BYTES // (8 * self.coaches.size))
        for at in range(0, some.size, step):
            few = some[at : at + step]
            rows = self.scores.among(self.learners[few], self.coaches)
            yield few, self.has[few], rows.block(0, few.size).astype(np.int64)


def _together(found: list[_Found], asks: Bools, price: Ints) -> Plan:
    def column(which: str) -> Ints:
        columns = [getattr(one, which) for one in found]
        return np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)

    learner, coach, score = column("learner"), column("coach"), column("score")
    order = np.argsort(learner, kind="stable")
    return Plan(
        learner=learner[order],
        coach=coach[order],
        score=score[order],
        pinned=np.zeros(learner.size, dtype=bool),
        load=np.bincount(coach, minlength=price.size),
        unfilled=asks - np.bincount(learner, minlength=asks.size),
        price=price,
        seat_value=max((one.seat_value for one in found), default=1),
    )
