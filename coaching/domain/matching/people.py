"""Plans for so many people that not even a glance at every pair is affordable."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coaching.domain.matching.dense import Reached, solve_dense, warm_prices
from coaching.domain.matching.problem import Ints, Plan, Refused
from coaching.domain.matching.scores import Scores
from coaching.domain.matching.skill_table import NearbyTable
from coaching.domain.matching.table import Pairs

EXACT = 3 * 10**8  # pairs up to which all are looked at
LOOK = 4096  # coaches whom a learner sees in a larger table
AHEAD = 10  # an exact part may use up this share of the tolerance


@dataclass(frozen=True, kw_only=True)
class SparseAnswer:
    """
    A plan, and how much score might still be gained.

    gap, gap_error : an unbiased estimate and its standard error; with an error of 0 the gap is a
        proven bound, because every pair was looked at
    rounds : how often candidates were added, in the part that took most
    parts : independent parts that were planned
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
    wanting: Ints


class _Found(NamedTuple):
    learner: Ints
    coach: Ints
    score: Ints
    price: Ints
    seat_value: int
    gap: float
    gap_error: float
    rounds: int
    candidates: int


def solve_people(
    scores: Scores,
    *,
    capacity: npt.ArrayLike,
    wanting: npt.ArrayLike | None = None,
    blocks: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    tolerance: float = 0.005,
    max_rounds: int = 6,
    look: int = LOOK,
    sample: int = 1000,
    processes: int = 1,
    seed: int = 0,
) -> SparseAnswer:
    """
    Plan one coach for each learner, without looking at every pair.

    capacity : (coaches,); wanting : (learners,), False for those who need no coach
    blocks : codes (learners,) and (coaches,), site and shift say; a learner may only have a coach
        of the same code, and so each code is planned on its own, in ``processes`` side by side
    tolerance : stop when the estimated gap is at most this share of the total
    look : coaches whom a learner sees, of a part too large to be looked at as a whole
    sample : learners who are looked at with every coach, to estimate the gap

    1. A small market, a sample of both sides, is planned; its bids price every coach.
    2. Learners who lack alike look together at the coaches who are best for them at these prices,
       and at some by chance; the best are candidates, and one flow plans them.
    3. Its prices lead to better candidates (the rounds of ``solve_dense``).
    4. Sampled learners are looked at with all coaches: what they could gain elsewhere at the
       prices, scaled up, estimates the distance to the best plan without bias.

    The same input gives the same plan; in another order of people it may be another plan.

    :raises Refused: on seats that are no whole numbers, 0 or more
    """
    n, m = scores.shape
    seats = np.asarray(capacity)
    if seats.shape != (m,) or seats.dtype.kind not in "iu" or (seats < 0).any():
        raise Refused(["Give every coach a whole number of seats, 0 or more."])
    if scores.points is not None:
        raise ValueError("Points pair by pair are not for so many people; use codes.")
    asks = np.ones(n, dtype=bool) if wanting is None else np.asarray(wanting, dtype=bool)
    parts = [
        _Part(who, whom, scores.among(who, whom), seats[whom].astype(np.int64), asks[who])
        for who, whom in _blocked(n, m, blocks)
    ]
    plan_one = partial(
        _plan_part,
        tolerance=tolerance,
        max_rounds=max_rounds,
        look=look,
        sample=sample,
        seed=seed,
    )
    if processes > 1 and len(parts) > 1:
        # Fresh processes: a fork of a program with threads (a web server) may hang.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(plan_one, parts, chunksize=max(1, len(parts) // 64)))
    else:
        found = [plan_one(part) for part in parts]
    return _together(parts, found, asks, m)


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


def _plan_part(
    part: _Part, *, tolerance: float, max_rounds: int, look: int, sample: int, seed: int
) -> _Found:
    n, m = part.scores.shape
    if n * m <= EXACT:
        exact = solve_dense(
            part.scores,
            capacity=part.capacity,
            wanting=part.wanting,
            tolerance=tolerance / AHEAD,
            max_rounds=2 * max_rounds,
            fair=False,
            seed=seed,
        )
        plan = exact.plan
        return _Found(
            part.learners[plan.learner],
            part.coaches[plan.coach],
            plan.score,
            plan.price,
            plan.seat_value,
            exact.gap,
            0.0,
            exact.rounds,
            exact.candidates,
        )
    rng = np.random.default_rng(seed)
    table = NearbyTable(
        part.scores, look=look, rng=rng, capacity=part.capacity, wanting=part.wanting
    )
    table.hint = warm_prices(part.scores, table, seed=seed)
    pairs = Pairs(m, *table.first_candidates(8, 2, rng))
    reached = Reached(table, pairs)
    for rounds in range(1, max_rounds + 1):
        better = reached.price(6)
        gap, error = table.sampled_gap(reached.prices, reached.marginal, sample, rng)
        if gap <= tolerance * reached.total or rounds == max_rounds:
            break
        reached.join(better, prune=True)
    held = reached.held
    return _Found(
        part.learners[pairs.learner[held]],
        part.coaches[pairs.coach[held]],
        pairs.score[held],
        reached.prices,
        table.worth,
        gap,
        error,
        rounds,
        pairs.learner.size,
    )


def _together(
    parts: list[_Part], found: list[_Found], asks: npt.NDArray[np.bool_], coaches: int
) -> SparseAnswer:
    def column(which: str) -> Ints:
        columns = [getattr(one, which) for one in found]
        return np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)

    learner, coach, score = column("learner"), column("coach"), column("score")
    order = np.argsort(learner, kind="stable")
    price = np.zeros(coaches, dtype=np.int64)
    for part, one in zip(parts, found, strict=True):
        price[part.coaches] = one.price
    plan = Plan(
        learner=learner[order],
        coach=coach[order],
        score=score[order],
        pinned=np.zeros(learner.size, dtype=bool),
        load=np.bincount(coach, minlength=coaches),
        unfilled=asks - np.bincount(learner, minlength=asks.size),
        price=price,
        seat_value=max((one.seat_value for one in found), default=1),
    )
    return SparseAnswer(
        plan=plan,
        gap=float(sum(one.gap for one in found)),
        gap_error=float(np.sqrt(sum(one.gap_error**2 for one in found))),
        rounds=max((one.rounds for one in found), default=0),
        parts=len(parts),
        candidates=sum(one.candidates for one in found),
    )
