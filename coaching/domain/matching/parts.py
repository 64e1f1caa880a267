"""Problems that fall apart: parts that are planned on their own, one after the other or at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from coaching.domain.matching.flow import coach_prices
from coaching.domain.matching.problem import Ints, Plan, Problem, by_number
from coaching.domain.matching.solver import planned, solve

Part = tuple[Ints, Ints]


def strata(problem: Problem) -> list[Part]:
    """
    Return the independent parts of a problem as (learner positions, coach positions).

    No learner of one part may have a coach of another (the connected components of the pairs that
    are not forbidden). Every learner is in exactly one part, a learner whom nobody can coach in
    one without coaches; coaches whom nobody asks for are in none. The part with most people comes
    first, then the one with the smallest learner id.

    >>> two_sites = Problem(learners=3, coaches=2, capacity=[1, 2],
    ...                     learner=[0, 1, 2], coach=[0, 1, 1], score=[5, 5, 5])
    >>> [(a.tolist(), b.tolist()) for a, b in strata(two_sites)]
    [([1, 2], [1]), ([0], [0])]
    """
    n, m = problem.learners, problem.coaches
    barred = np.isin(
        problem.learner * m + problem.coach, problem.forbidden[:, 0] * m + problem.forbidden[:, 1]
    )
    usable = np.flatnonzero(~barred & (problem.demand[problem.learner] > 0))
    tail, head = problem.learner[usable], n + problem.coach[usable]
    ones = np.ones(usable.size, dtype=np.int8)
    count, label = connected_components(
        coo_array((ones, (tail, head)), shape=(n + m, n + m)), directed=False
    )
    size = np.bincount(label, minlength=count)
    smallest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(smallest, label[:n], problem.learner_ids)
    some = np.unique(label[:n])
    order = some[np.lexsort((smallest[some], -size[some]))]
    # Stable, so that the positions within a part come in order, learners before coaches.
    people = np.argsort(label, kind="stable")
    first = np.searchsorted(label[people], np.arange(count + 1))
    members = [people[first[part] : first[part + 1]] for part in order.tolist()]
    cut = [int(np.searchsorted(who, n)) for who in members]
    return [(who[:at], who[at:] - n) for who, at in zip(members, cut, strict=True)]


def part_of(problem: Problem, learners: Ints, coaches: Ints) -> Problem:
    """Return the problem of these people only, renumbered in this order; ids stay theirs."""
    at_learner = _places(learners, problem.learners)
    at_coach = _places(coaches, problem.coaches)

    def among(pairs: Ints) -> Ints:
        moved = np.stack([at_learner[pairs[:, 0]], at_coach[pairs[:, 1]]], axis=1)
        return moved[(moved >= 0).all(axis=1)]

    learner, coach = at_learner[problem.learner], at_coach[problem.coach]
    edge = np.flatnonzero((learner >= 0) & (coach >= 0))
    return Problem(
        learners=len(learners),
        coaches=len(coaches),
        capacity=problem.capacity[coaches],
        learner=learner[edge],
        coach=coach[edge],
        score=problem.score[edge],
        forbidden=among(problem.forbidden),
        pinned=among(problem.pinned),
        demand=problem.demand[learners],
        learner_ids=problem.learner_ids[learners],
        coach_ids=problem.coach_ids[coaches],
        one_directory=problem.one_directory,
        name=by_number,
    )


def solve_parts(problem: Problem, *, processes: int = 1) -> Plan:
    """
    Return the plan of ``solve``, part by part, side by side when there are more ``processes``.

    A part is planned as fairly as the whole, not more so: where another part holds the worst
    score down, raising one's own worst score gives way to an even load, as in ``solve``.
    """
    people = strata(problem)
    parts = [part_of(problem, *who) for who in people]
    if processes > 1 and len(parts) > 1:
        # Fresh processes: a fork of a program with threads (a web server) may hang.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            plans = _equally_fair(parts, pool.map)
    else:
        plans = _equally_fair(parts, map)
    return joined(problem, people, plans)


def _equally_fair(parts: list[Problem], each: type[map] | object) -> list[Plan]:
    plans = list(each(solve, parts))  # type: ignore[operator]
    enough = min((plan.worst for plan in plans if plan.worst is not None), default=0)
    unequal = [at for at, plan in enumerate(plans) if plan.worst not in (None, enough)]
    again = each(partial(solve, enough=enough), [parts[at] for at in unequal])  # type: ignore[operator]
    for at, plan in zip(unequal, again, strict=True):
        plans[at] = plan
    return plans


def joined(problem: Problem, parts: Sequence[Part], plans: Sequence[Plan]) -> Plan:
    """
    Return the plan of the whole from the plans of its parts.

    parts, plans : as given by ``strata``, and each part's plan, people numbered as in the part
    """
    net, m = problem.network, problem.coaches
    learner = _flat(
        [learners[plan.learner] for (learners, _), plan in zip(parts, plans, strict=True)]
    )
    coach = _flat([coaches[plan.coach] for (_, coaches), plan in zip(parts, plans, strict=True)])
    edge_key = problem.learner * m + problem.coach
    edge = np.flatnonzero(np.isin(edge_key, learner * m + coach))
    # A part's own prices would not do: a coach with more seats than the part has learners is
    # full there and not here.
    price = coach_prices(
        net.learner,
        net.coach,
        net.value,
        held=np.isin(net.edge, edge),
        demand=net.demand,
        capacity=net.capacity,
    )
    return planned(problem, edge, price)


def _places(which: Ints, count: int) -> Ints:
    place = np.full(count, -1, dtype=np.int64)
    place[which] = np.arange(len(which))
    return place


def _flat(columns: list[Ints]) -> Ints:
    return np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
