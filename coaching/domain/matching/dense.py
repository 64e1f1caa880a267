"""Complete score tables, too large for a solver or even to store: a few candidates, priced."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from coaching.domain.matching.flow import best_pairs, middle_prices, thresholds
from coaching.domain.matching.problem import Ints, Plan
from coaching.domain.matching.scores import Scores
from coaching.domain.matching.skill_table import SkillTable
from coaching.domain.matching.solver import settle_ties, tie_hash
from coaching.domain.matching.table import NEAR, Pairs, ScoreBlocks, Table

# Candidates per learner: the best at first, some at random, and more after each round.
FEW, MANY = (8, 2, 8), (12, 4, 12)
LARGE = 10_000  # coaches of whom a learner should see many
PRUNED_ROUNDS = 6  # afterwards candidates only grow, so that the rounds must end
FAR = 20  # highest score / FAR below the best is out of the question
REMEMBERED = 100  # the same for candidates that a later change may start from
ASTRAY = 2.0  # the gap of a learner x this is how far candidates may be from the best


@dataclass(frozen=True, kw_only=True)
class DenseAnswer:
    """
    A plan with its proof over all pairs.

    gap : score that might still be gained over all pairs; 0 for a proven optimum
    seats_bound : no plan fills more seats
    rounds : how often all pairs were priced
    candidates : pairs the flow solver saw in the end
    tie_break_complete : whether worst score and load were settled over all pairs
    gaps : the gap after each round, seats counted by ``plan.seat_value``
    pairs : the candidates worth remembering, for planning again after a change
    """

    plan: Plan
    gap: int
    seats_bound: int
    rounds: int
    candidates: int
    tie_break_complete: bool
    gaps: tuple[int, ...]
    pairs: Pairs = field(repr=False)

    @property
    def optimal(self) -> bool:
        return self.gap == 0 and self.seats_bound == self.plan.matched


def solve_dense(
    scores: Scores | ScoreBlocks | npt.NDArray[np.integer],
    *,
    capacity: npt.ArrayLike,
    learners: int | None = None,
    wanting: npt.ArrayLike | None = None,
    forbidden: npt.ArrayLike = (),
    pinned: npt.ArrayLike = (),
    learner_ids: npt.ArrayLike | None = None,
    coach_ids: npt.ArrayLike | None = None,
    best: int | None = None,
    random: int | None = None,
    add: int | None = None,
    max_rounds: int = 30,
    tolerance: float = 0.0,
    seed: int = 0,
    start: DenseAnswer | None = None,
    fair: bool = True,
) -> DenseAnswer:
    """
    Plan one coach for each learner where nearly every pair is possible.

    scores : what ``build_scores`` returns, which is fastest; or (learners, coaches) whole
        numbers; or a function of (start, stop) that returns the rows of learners start … stop - 1
        against all coaches; then ``learners`` says how many.
        A negative score is a pair that must not be formed.
    capacity : (coaches,)
    wanting : (learners,), False for those who need no coach
    forbidden, pinned : (k, 2)
    learner_ids, coach_ids : stable ids for breaking ties; positions unless given
    best, random, add : candidates per learner at the start, and more after each round; more in
        larger tables unless given
    tolerance : stop when the gap is at most this share of the total
    start : an answer for the same people before some rule or seat changed; its candidates are
        the first, so that a change costs a round or two, and the proof is as good
    fair : whether to settle worst score, load and ties; without, any of the best plans will do

    1. A flow over few candidates per learner (best scores, and some at random, because everybody
       lists the same stars).
    2. Seat prices of that plan; all pairs are priced in blocks. The best surpluses plus the price
       of all seats bound every plan (weak duality); if the plan reaches the bound it is optimal
       among all pairs (column generation, Gilmore & Gomory 1961).
    3. Else learners who saw something better get their best-priced coaches as candidates too.
    4. All tight pairs of the whole table settle worst score, load and ties, as in ``solve``.

    :raises Refused: on contradictory rules or scores too large
    """
    quick = isinstance(scores, Scores) and scores.points is None
    if isinstance(scores, Scores) and not quick:
        scores, learners = scores.block, scores.shape[0]
    table = (SkillTable if quick else Table)(
        scores,
        learners=learners,
        capacity=capacity,
        wanting=wanting,
        forbidden=forbidden,
        pinned=pinned,
    )
    n, m = table.demand.size, table.capacity.size
    best, random, add = (
        usual if given is None else given
        for given, usual in zip((best, random, add), MANY if m > LARGE else FEW, strict=True)
    )
    if start is not None:
        table.prepare()
        table.center = None  # what the last plan's candidates say about prices is better
        pairs = start.pairs.without(table.barred)
    else:
        pairs = Pairs(m, *table.first_candidates(best, random, np.random.default_rng(seed)))
    reached = Reached(table, pairs)
    gaps: list[int] = []
    while True:
        found = reached.price(add)
        gaps.append(reached.gap)
        if gaps[-1] <= tolerance * reached.total or len(gaps) >= max_rounds:
            break
        reached.join(found, prune=len(gaps) < PRUNED_ROUNDS)

    tight = table.tight(reached.prices, reached.top) if gaps[-1] == 0 else None
    if tight is None:
        at = np.flatnonzero(reached.surplus == reached.marginal[pairs.learner])
        learner, coach, score = pairs.learner[at], pairs.coach[at], pairs.score[at]
    else:
        learner, coach, score = tight
    held = np.isin(learner * m + coach, (pairs.learner * m + pairs.coach)[reached.held])
    if fair:
        chosen = settle_ties(
            learner,
            coach,
            score,
            demand=table.demand,
            capacity=table.capacity,
            must_learn=(reached.top if tight is not None else reached.marginal) > 0,
            must_coach=reached.prices > 0,
            base=table.base,
            held=held,
            ceiling=int(table.pin_score.min()) if table.pin_score.size else None,
            tie=tie_hash(_ids(learner_ids, n)[learner], _ids(coach_ids, m)[coach]),
        )
    else:
        chosen = held
    near = reached.surplus >= reached.marginal[pairs.learner] - table.highest // REMEMBERED
    return DenseAnswer(
        plan=table.plan(learner[chosen], coach[chosen], score[chosen], reached.prices),
        gap=gaps[-1],
        seats_bound=reached.bound // table.worth + table.pin_score.size,
        rounds=len(gaps),
        candidates=pairs.learner.size,
        tie_break_complete=fair and tight is not None,
        gaps=tuple(gaps),
        pairs=pairs.only(near),
    )


class Reached:
    """
    A plan over candidate pairs, its prices, and how far it may be from the best over all pairs.

    held, surplus : (candidates,); prices : (coaches,); marginal, top : (learners,), the surplus
        that learners have, and the best they could have
    """

    def __init__(self, table: Table, pairs: Pairs) -> None:
        self.table, self.pairs = table, pairs
        self.center = table.center
        self.gap = 0

    def plan(self) -> None:
        """Plan over the candidates, and derive prices."""
        table, pairs = self.table, self.pairs
        people = {"demand": table.demand, "capacity": table.capacity}
        self.held = best_pairs(pairs.learner, pairs.coach, pairs.score, **people)
        value = pairs.score + table.worth
        price = middle_prices(pairs.learner, pairs.coach, value, held=self.held, **people)
        # Nobody sits there, so any price is true; this one no learner anywhere would pay.
        price[table.capacity == 0] = table.worth + table.highest
        self.prices = price
        self.surplus = value - price[pairs.coach]
        self.marginal, _ = thresholds(pairs.learner, self.surplus, table.demand)
        self.total = int(pairs.score[self.held].sum())
        self.reached = self.total + table.worth * int(self.held.sum())

    def price(self, add: int) -> tuple[Ints, Ints, Ints]:
        """
        Plan, look at all pairs, and return those worth adding, ``add`` a learner.

        The first look is half-way between the plan's prices and those that were guessed (Wentges
        1997): where too few candidates name a coach, the plan knows too little about the price.
        Any prices bound every plan.
        """
        self.plan()
        if self.center is not None:
            found = self._look(self._half_way(), np.zeros_like(self.marginal), add)
            self.center = None
            if self.gap > 0:
                return found
        return self._look(self.prices, self.marginal, add)

    def _look(self, price: Ints, marginal: Ints, add: int) -> tuple[Ints, Ints, Ints]:
        # Far from the end learners who are alike must not all name the same few coaches.
        astray = ASTRAY * self.gap / max(self.table.demand.size, 1)
        astray = min(astray, self.table.highest / NEAR)
        self.top, found = self.table.priced(price, marginal, add, astray)
        self.bound = int(self.top.sum()) + int((self.table.capacity * price).sum())
        self.gap = self.bound - self.reached
        return found

    def _half_way(self) -> Ints:
        used = self.table.capacity > 0
        if not used.any():
            return self.prices
        # Only differences between known prices are known; when seats are scarce all are higher.
        higher = int(self.prices[used].min()) - int(self.center[used].min())
        return np.where(used, (self.prices + self.center + higher) // 2, self.prices)

    def join(self, found: tuple[Ints, Ints, Ints], *, prune: bool) -> None:
        if prune:
            out = self.marginal[self.pairs.learner] - self.table.highest // FAR
            self.pairs.keep(self.surplus >= out)
        self.pairs.join(*found)


def _ids(given: npt.ArrayLike | None, count: int) -> Ints:
    return np.arange(count) if given is None else np.asarray(given, dtype=np.int64)
