"""Everybody's runner-up at once: the exchanges of a plan, seen from the coaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, csgraph_from_dense, floyd_warshall

from coaching.domain.matching.problem import Ints, Plan, Problem
from coaching.domain.matching.regrets import NOBODY, Exchanges, split_loss


@dataclass(frozen=True, eq=False, kw_only=True)
class RunnersUp:
    """
    For each pair of a plan, in its order: arrays (pairs,).

    coach : who would cost the plan least instead; NOBODY (-1) where nobody could, or for a pin
    lost_seats, lost_score : what insisting on that coach would cost; see ``Regret``
    """

    coach: Ints
    lost_seats: Ints
    lost_score: Ints


def runners_up(problem: Problem, plan: Plan) -> RunnersUp:
    """
    Return what ``Exchanges.runner_up`` and ``regret`` say of every pair, for plans of one coach
    a learner.

    Who leaves a coach matters only by what it costs, so that shortest paths between coaches (and
    "nowhere") serve all learners.

    :raises ValueError: if somebody wants more than one coach, or the prices do not fit
    """
    if (problem.demand > 1).any():
        raise ValueError("Runners-up are told for learners of one coach.")
    found = Exchanges(problem, plan)
    net, held, spare = found.net, found.held, found.spare
    n, m = problem.learners, problem.coaches
    at, kept = np.full(n, m), found.marginal.copy()
    at[net.learner[held]], kept[net.learner[held]] = net.coach[held], spare[held]
    other = np.flatnonzero(~held)
    # What the learner of an edge would lose by it; who has no coach now is nowhere, place m.
    loss = spare[other] - kept[net.learner[other]]
    step = np.full((m + 1, m + 1), np.inf)
    np.minimum.at(step, (at[net.learner[other]], net.coach[other]), loss)
    seated = np.flatnonzero(at < m)
    np.minimum.at(step, (at[seated], m), (found.marginal - kept)[seated])
    load = np.bincount(net.coach[held], minlength=m)
    price = plan.price[net.coach_at]
    step[np.flatnonzero(load < net.capacity), m] = 0
    holding = np.flatnonzero(load)
    step[m, holding] = np.minimum(step[m, holding], price[holding])
    step = _shortest(step)

    mine = other[at[net.learner[other]] < m]
    cost = spare[mine] - kept[net.learner[mine]] + step[net.coach[mine], at[net.learner[mine]]]
    order = np.lexsort((net.coach[mine], cost, net.learner[mine]))
    learner, first = np.unique(net.learner[mine][order], return_index=True)
    best = order[first]
    coach, least = np.full(n, NOBODY), np.full(n, np.inf)
    open_ = np.isfinite(cost[best])
    coach[learner[open_]] = net.coach_at[net.coach[mine[best]]][open_]
    least[learner[open_]] = cost[best][open_]
    row = net.learner_rank[plan.learner]
    told = np.where(plan.pinned, np.inf, least[row])
    _, seats, score = split_loss(told, net.seat_value)
    return RunnersUp(
        coach=np.where(plan.pinned, NOBODY, coach[row]), lost_seats=seats, lost_score=score
    )


def _shortest(step: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """
    Return the shortest ways (nodes, nodes) between coaches who have some learner's choice in
    common, directly or by others; the last node is nowhere. Ways to other coaches are left out.
    """
    nowhere = step.shape[0] - 1
    count, label = connected_components(csr_array(np.isfinite(step[:-1, :-1])), directed=False)
    found = np.full(step.shape, np.inf)
    for part in range(count):
        some = np.append(np.flatnonzero(label == part), nowhere)
        among = np.ix_(some, some)
        # Told from a plain array, for there an arc of no cost would count as none.
        arcs = csgraph_from_dense(step[among], null_value=np.inf)
        found[among] = floyd_warshall(arcs)
    return found
