"""The one library solver, and integer prices that prove what it found."""

from __future__ import annotations

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from coaching.domain.matching.problem import Bools, Ints, Refused


def cheapest_flow(tail: Ints, head: Ints, *, room: Ints, cost: Ints, supply: Ints) -> Ints:
    """
    Send as much as can be sent, as cheaply as that can be, and return the flow on each arc.

    tail, head, room, cost : (arcs,); supply : (nodes,), positive gives, negative takes

    :raises Refused: if the costs are too large for exact whole-number arithmetic
    """
    if tail.size == 0:
        return np.zeros(0, dtype=np.int64)
    # The library scales costs by the number of nodes (and adds two of its own) in 64 bits.
    if int(np.abs(cost).max()) * (supply.size + 3) >= 2**62:
        raise Refused(["The scores are too large to be planned exactly; use a smaller scale."])
    flow = SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        tail.astype(np.int32), head.astype(np.int32), room, cost
    )
    flow.set_nodes_supplies(np.arange(supply.size, dtype=np.int32), supply)
    status = flow.solve_max_flow_with_min_cost()
    if status == flow.BAD_COST_RANGE:
        raise Refused(["The scores are too large to be planned exactly; use a smaller scale."])
    if status != flow.OPTIMAL:
        raise RuntimeError(f"The flow solver stopped with {status}.")
    return flow.flows(arcs)


def best_pairs(learner: Ints, coach: Ints, score: Ints, *, demand: Ints, capacity: Ints) -> Bools:
    """Choose edges that fill most seats and, among those choices, score highest in total."""
    flow = cheapest_flow(
        learner,
        coach + demand.size,
        room=np.ones(learner.size, dtype=np.int64),
        cost=-score,
        supply=np.concatenate([demand, -capacity]),
    )
    return flow > 0


def coach_prices(
    learner: Ints, coach: Ints, value: Ints, *, held: Bools, demand: Ints, capacity: Ints
) -> Ints:
    """
    Return the highest seat prices (coaches,) under which every held pair is a best choice.

    A seat that stays empty costs nothing; a coach's price may not exceed what any learner there
    gains over the next best coach, nor the whole value of the pair (Bellman-Ford on the coaches,
    only what changed is looked at again). If the held pairs are not optimal no such prices exist;
    what is returned then is still non-negative, hence still gives a valid upper bound.

    value : (edges,), score plus seat_value, so that staying unmatched is worth 0
    """
    n, m = demand.size, capacity.size
    load = np.bincount(coach[held], minlength=m)
    price = np.where(load < capacity, 0, value.max(initial=0))
    second = np.zeros(n, dtype=np.int64)  # what each learner could have elsewhere, at these prices
    open_edge = np.flatnonzero(~held)
    open_edge = open_edge[np.argsort(coach[open_edge], kind="stable")]
    open_first = np.searchsorted(coach[open_edge], np.arange(m + 1))
    held_edge = np.flatnonzero(held)
    held_edge = held_edge[np.argsort(learner[held_edge], kind="stable")]
    held_first = np.searchsorted(learner[held_edge], np.arange(n + 1))

    # A shortest path visits a coach once; the pairs themselves bound prices before any round.
    np.minimum.at(price, coach[held_edge], value[held_edge])
    changed = np.arange(m)
    for _ in range(m + 1):
        at = open_edge[_runs(open_first, changed)]
        before = second.copy()
        np.maximum.at(second, learner[at], value[at] - price[coach[at]])
        eager = np.flatnonzero(second > before)
        at = held_edge[_runs(held_first, eager)]
        before = price.copy()
        np.minimum.at(price, coach[at], value[at] - second[learner[at]])
        np.maximum(price, 0, out=price)
        changed = np.flatnonzero(price < before)
        if changed.size == 0:
            break
    return price


def middle_prices(
    learner: Ints, coach: Ints, value: Ints, *, held: Bools, demand: Ints, capacity: Ints
) -> Ints:
    """
    Return seat prices (coaches,) half-way between the highest and the lowest that fit.

    They prove the same as ``coach_prices`` on these edges (whole-number prices that fit are closed
    under rounding half-way down: Murota 2003, L-natural convexity) and are truer for pairs that
    are not among the edges, so that fewer rounds of new candidates are needed.
    """
    highest = coach_prices(learner, coach, value, held=held, demand=demand, capacity=capacity)
    lowest = _lowest_prices(learner, coach, value, held=held, demand=demand, capacity=capacity)
    return np.where(capacity > 0, (highest + np.minimum(lowest, highest)) // 2, highest)


def _lowest_prices(
    learner: Ints, coach: Ints, value: Ints, *, held: Bools, demand: Ints, capacity: Ints
) -> Ints:
    """
    Return the lowest prices that keep everybody where they are: each coach costs at least so much
    that no learner elsewhere would rather come.
    """
    n, m = demand.size, capacity.size
    price = np.zeros(m, dtype=np.int64)
    open_edge = np.flatnonzero(~held & (capacity[coach] > 0) & (demand[learner] > 0))
    open_edge = open_edge[np.argsort(learner[open_edge], kind="stable")]
    open_first = np.searchsorted(learner[open_edge], np.arange(n + 1))
    held_edge = np.flatnonzero(held)
    held_edge = held_edge[np.argsort(coach[held_edge], kind="stable")]
    held_first = np.searchsorted(coach[held_edge], np.arange(m + 1))
    filled = np.bincount(learner[held], minlength=n) == demand
    # What a learner has at the least; who wants more coaches than they have, has nothing to lose.
    has = np.where(filled, value.max(initial=0), 0)
    np.minimum.at(has, learner[held_edge], value[held_edge])
    changed = np.arange(n)
    for _ in range(m + 1):
        at = open_edge[_runs(open_first, changed)]
        before = price.copy()
        np.maximum.at(price, coach[at], value[at] - has[learner[at]])
        dearer = np.flatnonzero(price > before)
        at = held_edge[_runs(held_first, dearer)]
        before = has.copy()
        np.minimum.at(has, learner[at], value[at] - price[coach[at]])
        changed = np.flatnonzero(has < before)
        if changed.size == 0:
            break
    return price


def thresholds(learner: Ints, surplus: Ints, demand: Ints) -> tuple[Ints, int]:
    """
    Return each learner's marginal surplus (learners,) and the sum of all surplus worth having.

    surplus : (edges,), value minus price, edges sorted by learner. A learner with demand d takes
    the d best positive surpluses; the threshold is the d-th, or 0 where fewer are positive.
    """
    n = demand.size
    order = np.lexsort((-surplus, learner)) if (demand > 1).any() else None
    first = np.searchsorted(learner, np.arange(n + 1))
    if order is None:
        marginal = np.zeros(n, dtype=np.int64)
        some = np.flatnonzero(np.diff(first) > 0)
        if some.size:
            # Learners without edges own empty runs, so the next start is always the right end.
            best = np.maximum.reduceat(surplus, first[some])
            marginal[some] = np.where(demand[some] > 0, np.maximum(best, 0), 0)
        return marginal, int(marginal.sum())
    ranked = np.maximum(surplus[order], 0)
    place = np.arange(learner.size) - first[learner]  # lexsort keeps each learner's run in place
    worth_having = int(ranked[place < demand[learner]].sum())
    marginal = np.zeros(n, dtype=np.int64)
    last = place == demand[learner] - 1
    marginal[learner[last]] = ranked[last]
    return marginal, worth_having


def _runs(first: Ints, which: Ints) -> Ints:
    """Return the positions first[k] … first[k + 1] - 1 for every k in ``which``, in one array."""
    if which.size == first.size - 1:
        return np.arange(first[-1])
    size = first[which + 1] - first[which]
    ends = np.cumsum(size)
    total = int(ends[-1]) if ends.size else 0
    return np.arange(total) + np.repeat(first[which] - ends + size, size)
