"""Who comes next, and why somebody is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from coaching.domain.matching.flow import thresholds
from coaching.domain.matching.problem import (
    Bools,
    Ints,
    Naming,
    Plan,
    Problem,
    by_number,
    in_words,
    plural,
    upper,
)
from coaching.domain.matching.regrets import NOBODY, held_edges


def runner_up(problem: Problem, plan: Plan, learner: int) -> int:
    """
    Return the next best coach for a learner at today's seat prices; NOBODY if there is none.

    Equal offers favour the smaller coach id.
    """
    net = problem.network
    me = net.learner_rank[learner]
    mine = slice(net.first[me], net.first[me + 1])
    other = ~held_edges(problem, net, plan)[mine]
    if not other.any():
        return NOBODY
    coach = net.coach[mine][other]
    surplus = net.score[mine][other] - plan.price[net.coach_at[coach]]
    return int(net.coach_at[coach[surplus.argmax()]])


def runner_up_learner(problem: Problem, plan: Plan, coach: int) -> int:
    """
    Return the best other learner for a coach: whose change would cost least at today's prices.

    NOBODY if there is none; equal costs favour the smaller learner id.
    """
    net = problem.network
    surplus = net.value - plan.price[net.coach_at[net.coach]]
    marginal, _ = thresholds(net.learner, surplus, net.demand)
    other = np.flatnonzero((net.coach == net.coach_rank[coach]) & ~held_edges(problem, net, plan))
    if other.size == 0:
        return NOBODY
    cost = marginal[net.learner[other]] - surplus[other]
    return int(net.learner_at[net.learner[other[cost.argmin()]]])


@dataclass(frozen=True, kw_only=True)
class Unmatched:
    """
    Why a learner has fewer coaches than wanted, and the smallest cures.

    competing_learners, contested_coaches : positions; these learners have no other way out
    seats : open seats (capacity without pins) of the contested coaches
    one_more_seat_at : coaches, any one of whose seats would place one more learner
    lift_one_of : forbidden (learner, coach) pairs, any one of which would do the same
    reason : the same as a sentence
    """

    learner: int
    competing_learners: list[int]
    contested_coaches: list[int]
    seats: int
    one_more_seat_at: list[int]
    lift_one_of: list[tuple[int, int]]
    reason: str


def why_unmatched(
    problem: Problem, plan: Plan, learner: int, *, name: Naming = by_number
) -> Unmatched:
    """
    Explain a learner with open wishes: from them along candidates to coaches, from full coaches
    to the learners they hold, and on; whoever is reached competes for whatever is reached
    (the deficient set of Hall's theorem).

    :raises ValueError: if the learner has all the coaches they want
    """
    if plan.unfilled[learner] <= 0:
        raise ValueError(f"{name('learner', learner)} has every coach they want.")
    n, m = problem.learners, problem.coaches
    key = problem.learner * m + problem.coach
    barred = np.isin(key, problem.forbidden[:, 0] * m + problem.forbidden[:, 1])
    pinned = np.isin(key, problem.pinned[:, 0] * m + problem.pinned[:, 1])
    held = np.isin(key, plan.learner * m + plan.coach)
    # Coaches without a seat count too: a seat there would help as much as anywhere.
    usable = ~barred & ~pinned
    tail = np.where(held, n + problem.coach, problem.learner)[usable]
    head = np.where(held, problem.learner, n + problem.coach)[usable]
    exchanges = csr_array((np.ones(tail.size), (tail, head)), shape=(n + m, n + m))
    reached = breadth_first_order(exchanges, learner, return_predecessors=False)
    rivals, contested = np.sort(reached[reached < n]), np.sort(reached[reached >= n] - n)
    pins = np.bincount(problem.pinned[:, 1], minlength=m)
    seats = int((problem.capacity - pins)[contested].sum())
    waiting = int(plan.unfilled[rivals].sum())
    leads_out = _leads_to(exchanges, n + np.flatnonzero(plan.load < problem.capacity))
    rival = np.isin(np.arange(n), rivals)
    lift = barred & rival[problem.learner] & leads_out[n + problem.coach]
    pairs = sorted(zip(problem.learner[lift].tolist(), problem.coach[lift].tolist(), strict=True))
    return Unmatched(
        learner=learner,
        competing_learners=rivals.tolist(),
        contested_coaches=contested.tolist(),
        seats=seats,
        one_more_seat_at=contested.tolist(),
        lift_one_of=pairs,
        reason=_sentence(
            name,
            learner,
            rivals.tolist(),
            contested.tolist(),
            seats=seats,
            waiting=waiting,
            lift=pairs,
            barred=bool((barred & (problem.learner == learner)).any()),
            other=" other" if (plan.learner == learner).any() else "",
        ),
    )


def _leads_to(exchanges: csr_array, goals: Ints) -> Bools:
    """Return from which nodes (nodes,) some goal can be reached."""
    size = exchanges.shape[0]
    # One more node behind every goal, so that one backward search finds all ways.
    back = exchanges.T.tocoo()
    tail = np.concatenate([back.coords[0], np.full(goals.size, size)])
    head = np.concatenate([back.coords[1], goals])
    search = csr_array((np.ones(tail.size), (tail, head)), shape=(size + 1, size + 1))
    leads = np.zeros(size + 1, dtype=bool)
    leads[breadth_first_order(search, size, return_predecessors=False)] = True
    return leads


def _sentence(
    name: Naming,
    learner: int,
    competing: list[int],
    coaches: list[int],
    *,
    seats: int,
    waiting: int,
    lift: list[tuple[int, int]],
    barred: bool,
    other: str,
) -> str:
    me = name("learner", learner)
    would = f"would place {me}" if waiting == 1 else "would place one more of them"
    names = in_words([name("coach", coach) for coach in coaches])
    if name is by_number and len(coaches) > 1:
        names = f"coaches {in_words([str(coach) for coach in coaches])}"
    if not coaches:
        text = f"No{other} coach is open to {me}" + (
            f": every{other} candidate is forbidden" if barred else ""
        )
    elif seats == 0:
        choice = "choice" if len(coaches) == 1 else "choices"
        has = "has" if len(coaches) == 1 else "have"
        text = f"{upper(names)}, the only{other} {choice} of {me}, {has} no seat left"
        would = f"would place {me}"
    else:
        text = (
            f"{upper(plural(len(competing), 'learner'))} compete for "
            f"the {plural(seats, 'seat')} of {names}"
        )
    cures = []
    if coaches:
        where = {1: "there", 2: "at either"}.get(len(coaches), "at any of them")
        cures.append(f"one more seat {where}")
    if lift:
        pair = f"{name('learner', lift[0][0])} with {name('coach', lift[0][1])}"
        cures.append(f"lifting the rule that forbids {pair}")
    return f"{text}; {' or '.join(cures)} {would}." if cures else f"{text}."
