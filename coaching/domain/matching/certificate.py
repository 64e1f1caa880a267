"""A proof that a plan is optimal, or how far it may be from it, that trusts no solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coaching.domain.matching.flow import coach_prices, thresholds
from coaching.domain.matching.problem import Bools, Ints, Plan, Problem


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """
    What a plan reaches, and what no plan whatever can exceed.

    seats, total : recounted from the plan's pairs
    seats_bound : no plan fills more seats
    total_bound : no plan with as many seats as this one has a higher total
    """

    seats: int
    total: int
    seats_bound: int
    total_bound: int

    @property
    def gap(self) -> int:
        """Score that might still be gained; 0 for a proven plan."""
        return self.total_bound - self.total

    @property
    def optimal(self) -> bool:
        return self.seats == self.seats_bound and self.gap == 0


def certify(problem: Problem, plan: Plan) -> Certificate:
    """
    Prove the first two objectives of a plan from its pairs alone.

    The pairs are checked against every rule. Then prices are derived from them, and any
    non-negative prices p bound every plan (weak duality of the transportation problem): its value
    is at most the sum of the best surpluses value - p, as many as each learner wants, plus
    capacity x p. Seats and score are one number here (``Network.seat_value`` for a filled seat),
    so unmatched learners, who bid for a seat before anybody bids with score, need no exception.

    :raises ValueError: if the plan breaks a rule of the problem
    """
    net = problem.network
    m = problem.coaches
    key = problem.learner * m + problem.coach
    order = np.argsort(key, kind="stable")  # mostly in order already, which this sort notices
    in_order = key[order]
    plan_key = np.sort(plan.learner * m + plan.coach)
    if np.unique(plan_key).size != plan_key.size:
        raise ValueError("The plan forms a pair twice.")
    if not _found(plan_key, in_order).all():
        raise ValueError("The plan forms a pair that is not a candidate.")
    if np.isin(plan_key, problem.forbidden[:, 0] * m + problem.forbidden[:, 1]).any():
        raise ValueError("The plan forms a forbidden pair.")
    if not _found(problem.pinned[:, 0] * m + problem.pinned[:, 1], plan_key).all():
        raise ValueError("The plan leaves out a pinned pair.")
    if (np.bincount(plan_key // max(m, 1), minlength=problem.learners) > problem.demand).any():
        raise ValueError("The plan gives a learner more coaches than wanted.")
    if (np.bincount(plan_key % max(m, 1), minlength=m) > problem.capacity).any():
        raise ValueError("The plan gives a coach more learners than seats.")
    edge = order[np.searchsorted(in_order, plan_key)]
    total = int(problem.score[edge].sum())

    formed = np.zeros(key.size, dtype=bool)
    formed[edge] = True
    held = formed[net.edge]
    price = coach_prices(
        net.learner, net.coach, net.value, held=held, demand=net.demand, capacity=net.capacity
    )
    _, surplus = thresholds(net.learner, net.value - price[net.coach], net.demand)
    pins = net.pinned_edge.size
    bound = surplus + int((net.capacity * price).sum())
    pinned_total = int(problem.score[net.pinned_edge].sum())
    open_seats = int(edge.size) - pins
    return Certificate(
        seats=int(edge.size),
        total=total,
        seats_bound=pins + bound // net.seat_value,
        total_bound=pinned_total + bound - open_seats * net.seat_value,
    )


def _found(keys: Ints, in_order: Ints) -> Bools:
    """Return which keys are in a rising list; faster than ``np.isin`` for a long list."""
    if not in_order.size:
        return np.zeros(keys.size, dtype=bool)
    at = np.minimum(np.searchsorted(in_order, keys), in_order.size - 1)
    return in_order[at] == keys
