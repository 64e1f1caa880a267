"""The four objectives in strict order: seats filled, total score, worst score, even load."""

from __future__ import annotations

import numpy as np

from coaching.domain.matching.flow import best_pairs, cheapest_flow, coach_prices, thresholds
from coaching.domain.matching.problem import Bools, Ints, Plan, Problem, Refused

TIE_BITS = 20
COARSER = 5  # bits fewer where ties and loads together are too large for exact arithmetic


def solve(problem: Problem, *, enough: int | None = None) -> Plan:
    """
    Return the plan that fills most learner seats; among those the one with the highest total
    score; then with the highest worst score; then with the smallest sum of squared coach loads.

    Remaining ties are broken by a hash of the two stable ids, so that the same people get the
    same plan whatever order they are listed in.

    enough : a worst score beyond which fairness is not pursued; an even load comes first then

    >>> plan = solve(Problem(learners=2, coaches=2, capacity=[1, 1],
    ...                      learner=[0, 1, 1], coach=[1, 0, 1], score=[1, 1, 5]))
    >>> plan.pairs, plan.total
    ([(0, 1), (1, 0)], 2)
    """
    net = problem.network
    held = best_pairs(net.learner, net.coach, net.score, demand=net.demand, capacity=net.capacity)
    price = coach_prices(
        net.learner, net.coach, net.value, held=held, demand=net.demand, capacity=net.capacity
    )
    surplus = net.value - price[net.coach]
    marginal, _ = thresholds(net.learner, surplus, net.demand)
    certain = surplus > marginal[net.learner]
    optional = surplus == marginal[net.learner]
    chosen = certain.copy()
    chosen[optional] = settle_ties(
        net.learner[optional],
        net.coach[optional],
        net.score[optional],
        demand=net.demand - np.bincount(net.learner[certain], minlength=net.demand.size),
        capacity=net.capacity - np.bincount(net.coach[certain], minlength=net.capacity.size),
        must_learn=marginal > 0,
        must_coach=price > 0,
        base=net.base + np.bincount(net.coach[certain], minlength=net.capacity.size),
        held=held[optional],
        ceiling=lowest(net.pinned_worst, net.score[certain], enough),
        tie=tie_hash(
            problem.learner_ids[net.learner_at[net.learner[optional]]],
            problem.coach_ids[net.coach_at[net.coach[optional]]],
        ),
    )
    return planned(problem, np.concatenate([net.edge[chosen], net.pinned_edge]), price)


def settle_ties(
    learner: Ints,
    coach: Ints,
    score: Ints,
    *,
    demand: Ints,
    capacity: Ints,
    must_learn: Bools,
    must_coach: Bools,
    base: Ints,
    held: Bools,
    ceiling: int | None,
    tie: Ints,
) -> Bools:
    """
    Choose, among the plans that are equally good by seats and total, the fairest and most even.

    By complementary slackness those plans are exactly the ones that use tight edges only (the
    arguments), give every learner with a positive surplus all they want (``must_learn``) and fill
    every coach with a positive price (``must_coach``).

    base : (coaches,), learners each coach holds already
    held : (edges,), one such plan
    ceiling : lowest score among what is decided already; a floor above it buys nothing
    tie : (edges,), below 2**TIE_BITS; the choice with the smallest sum wins what is left of ties

    Return which edges are chosen.
    """
    if held.all():
        return held.copy()  # no tight edge is unused, so there is nothing to choose
    # Most learners need all their tight edges. Without them the network is small, which is not
    # only faster: the fewer people, the larger the costs that stay exact.
    n, m = demand.size, capacity.size
    chosen = (must_learn & (np.bincount(learner, minlength=n) == demand))[learner]
    seated = np.bincount(coach[chosen], minlength=m)
    open_ = np.flatnonzero(~chosen)
    who, learner_at = np.unique(learner[open_], return_inverse=True)
    whom, coach_at = np.unique(coach[open_], return_inverse=True)
    ties = _Ties(
        learner_at,
        coach_at,
        demand[who],
        (capacity - seated)[whom],
        must_learn[who],
        must_coach[whom],
        int(held[open_].sum()),
    )
    floor = ties.floor(score[open_], held[open_], lowest(ceiling, score[chosen]))
    allowed = open_[score[open_] >= floor]
    fair = ties.restricted(score[open_] >= floor)
    chosen[allowed] = fair.evenly((base + seated)[whom], tie[allowed])
    return chosen


class _Ties:
    """
    The balanced network of the tight edges, in which every must is a supply that has to be met.

    Learners who may go without send what is left to a node ``nobody``; coaches who need not fill
    pass what they hold on to a node ``somewhere``, which takes exactly the remaining pairs.
    """

    def __init__(
        self,
        learner: Ints,
        coach: Ints,
        demand: Ints,
        capacity: Ints,
        must_learn: Bools,
        must_coach: Bools,
        pairs: int,
    ) -> None:
        self.learner, self.coach = learner, coach
        self.demand, self.capacity = demand, capacity
        self.must_learn, self.must_coach = must_learn, must_coach
        self.pairs = pairs
        n, m = demand.size, capacity.size
        self.nobody, self.somewhere = n + m, n + m + 1
        self.free_learners = np.flatnonzero(~must_learn & (demand > 0))
        # A seat no tight edge can reach only lengthens the list of arcs.
        reachable = np.bincount(coach, minlength=m)
        self.free_seats = np.where(must_coach, 0, np.minimum(capacity, reachable))
        filled = capacity[must_coach].sum()
        self.supply = np.concatenate(
            [demand, np.where(must_coach, -capacity, 0), [pairs - demand.sum(), filled - pairs]]
        )

    def restricted(self, allowed: Bools) -> _Ties:
        return _Ties(
            self.learner[allowed],
            self.coach[allowed],
            self.demand,
            self.capacity,
            self.must_learn,
            self.must_coach,
            self.pairs,
        )

    def floor(self, score: Ints, held: Bools, ceiling: int | None) -> int:
        """Return the highest score that every pair can reach, by binary search."""
        reached = int(score[held].min(initial=np.iinfo(np.int64).max))
        best = np.full(self.demand.size, -1)
        np.maximum.at(best, self.learner, score)
        highest = int(best[self.must_learn & (self.demand > 0)].min(initial=score.max()))
        if ceiling is not None:
            if reached >= ceiling:
                return ceiling
            highest = min(highest, ceiling)
        levels = np.unique(score[(score > reached) & (score <= highest)])
        if ceiling is not None and reached < ceiling <= highest:
            levels = np.union1d(levels, [ceiling])
        low, high = 0, levels.size  # levels[:low] can be reached, levels[high:] cannot
        while low < high:
            middle = (low + high) // 2
            if self.restricted(score >= levels[middle]).feasible():
                low = middle + 1
            else:
                high = middle
        return int(levels[low - 1]) if low else reached

    def feasible(self) -> bool:
        coaches = np.flatnonzero(self.free_seats)
        nothing = np.zeros(self.learner.size, dtype=np.int64)
        return self._solve(nothing, coaches, self.free_seats[coaches], 0 * coaches) is not None

    def evenly(self, base: Ints, tie: Ints) -> Bools:
        """Choose with the smallest sum of squared loads, then the smallest sum of ties."""
        seat_coach = np.repeat(np.arange(self.free_seats.size), self.free_seats)
        begins = np.repeat(np.cumsum(self.free_seats) - self.free_seats, self.free_seats)
        load_after = base[seat_coach] + np.arange(seat_coach.size) - begins + 1
        # The s-th learner of a coach adds s**2 - (s-1)**2 = 2s - 1 to the sum of squares.
        load_cost = 2 * load_after - 1
        nodes = self.supply.size + 4
        spare = 2**62 // (nodes * (int(load_cost.max(initial=1)) + 1) * (self.pairs + 1))
        seat_room = np.ones(seat_coach.size, dtype=np.int64)
        most_bits = min(TIE_BITS, max(spare.bit_length() - 1, 0))
        for bits in range(most_bits, -1, -COARSER):
            weight = (self.pairs + 1) << bits
            ticket = tie >> (TIE_BITS - bits)
            try:
                chosen = self._solve(ticket, seat_coach, seat_room, load_cost * weight)
            except Refused:
                # Costs add up along a path, which nobody can bound beforehand.
                if bits < COARSER:
                    raise
            else:
                break
        if chosen is None:
            raise RuntimeError("The tight pairs carry no plan; the prices are wrong.")
        return chosen

    def _solve(
        self, edge_cost: Ints, seat_coach: Ints, seat_room: Ints, seat_cost: Ints
    ) -> Bools | None:
        """Return the chosen edges, or None when some must cannot be met."""
        n, free = self.demand.size, self.free_learners
        to_nobody = np.full(free.size, self.nobody)
        to_somewhere = np.full(seat_coach.size, self.somewhere)
        flow = cheapest_flow(
            np.concatenate([self.learner, free, n + seat_coach]),
            np.concatenate([n + self.coach, to_nobody, to_somewhere]),
            room=np.concatenate([np.ones_like(self.learner), self.demand[free], seat_room]),
            cost=np.concatenate([edge_cost, 0 * free, seat_cost]),
            supply=self.supply,
        )
        # Every unit leaves its learner on exactly one arc, so these arcs count what was sent.
        sent = flow[: self.learner.size + free.size].sum()
        return flow[: self.learner.size] > 0 if sent == self.demand.sum() else None


def lowest(*known: Ints | int | None) -> int | None:
    """Return the lowest of some numbers and arrays; None and empty arrays do not count."""
    found = [int(np.min(one)) for one in known if one is not None and np.size(one)]
    return min(found, default=None)


def tie_hash(learner_id: Ints, coach_id: Ints) -> Ints:
    """Return a TIE_BITS-bit mix of two ids (the finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        mixed = learner_id.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        for step in (coach_id.astype(np.uint64), np.uint64(0)):
            mixed = mixed + step * np.uint64(0xD1B54A32D192ED03)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(64 - TIE_BITS)).astype(np.int64)


def planned(problem: Problem, edge: Ints, price: Ints) -> Plan:
    """
    Return the plan that forms these pairs.

    edge : (pairs,), positions in the problem's own list, pins among them
    price : (coaches,), in the order of the network
    """
    order = np.lexsort((problem.coach[edge], problem.learner[edge]))
    edge = edge[order]
    learner, coach = problem.learner[edge], problem.coach[edge]
    taken = np.bincount(learner, minlength=problem.learners)
    return Plan(
        learner=learner,
        coach=coach,
        score=problem.score[edge],
        pinned=np.isin(edge, problem.network.pinned_edge),
        load=np.bincount(coach, minlength=problem.coaches),
        unfilled=problem.demand - taken,
        price=price[problem.network.coach_rank],
        seat_value=problem.network.seat_value,
    )
