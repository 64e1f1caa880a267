"""Why this pair, what another would cost, and why somebody is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, dijkstra

from coaching.domain.matching.flow import thresholds
from coaching.domain.matching.problem import (
    Bools,
    Ints,
    Naming,
    Network,
    Plan,
    Problem,
    by_number,
    in_words,
    plural,
    upper,
)

NOBODY = -1


@dataclass(frozen=True)
class Move:
    """One learner's change of coach; NOBODY (-1) where they had, or get, none in exchange."""

    learner: int
    leaves: int
    takes: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Regret:
    """
    What insisting on a coach for one learner would cost, for every coach.

    possible : (coaches,), False where no plan can contain the pair
    lost_seats, lost_score : (coaches,), how much worse the best plan with the pair is. Losing a
        seat comes first; the score lost with it may then be negative.
    """

    learner: int
    possible: Bools
    lost_seats: Ints
    lost_score: Ints
    _moves: Callable[[int], list[Move]] = field(repr=False)

    def moves(self, coach: int) -> list[Move]:
        """
        Return who would move where if the pair were insisted on, the learner first.

        :raises ValueError: if no plan can contain the pair
        """
        if not self.possible[coach]:
            raise ValueError("No plan can contain this pair.")
        return self._moves(coach)


def regret(problem: Problem, plan: Plan, learner: int) -> Regret:
    """
    Price every coach for one learner, exactly (seats and score; pins stay).

    A pair that is not in the plan closes a cycle of exchanges; the cheapest one is a shortest path
    in the residual network of the flow, found for all coaches at once by Dijkstra on costs that
    the plan's prices make non-negative (Ahuja, Magnanti & Orlin 1993, ch. 9).

    Nodes: learners, coaches, and one for "nowhere", which idle seats and unmatched learners share.
    """
    net = problem.network
    n, m = problem.learners, problem.coaches
    held = _held(problem, net, plan)
    price = plan.price[net.coach_at]
    surplus = net.value - price[net.coach]
    marginal, _ = thresholds(net.learner, surplus, net.demand)
    me = int(net.learner_rank[learner])
    nowhere = n + m
    load = np.bincount(net.coach[held], minlength=m)
    given = np.bincount(net.learner[held], minlength=n)
    spare = surplus - marginal[net.learner]

    coaches, learners = np.arange(m), np.arange(n)
    idle, holding = load < net.capacity, load > 0
    matched, wanting = given > 0, given < net.demand
    # My own open wishes lead nowhere else: the path ends when it reaches me.
    offer = ~held & (net.learner != me)
    leave = matched.copy()
    leave[me] = False
    tail, head, length = (
        np.concatenate(column)
        for column in zip(
            (n + net.coach[held], net.learner[held], spare[held]),
            (net.learner[offer], n + net.coach[offer], -spare[offer]),
            (learners[leave], np.full(leave.sum(), nowhere), marginal[leave]),
            (np.full(wanting.sum(), nowhere), learners[wanting], -marginal[wanting]),
            (n + coaches[idle], np.full(idle.sum(), nowhere), -price[idle]),
            (np.full(holding.sum(), nowhere), n + coaches[holding], price[holding]),
            strict=True,
        )
    )
    if length.min(initial=0) < 0:
        raise ValueError("The plan's prices do not fit its pairs; solve it again.")
    # Searched backwards from me, so that one run serves every coach.
    backwards = csr_array((length.astype(np.float64), (head, tail)), shape=(n + m + 1,) * 2)
    distance, following = dijkstra(backwards, indices=me, return_predecessors=True)

    mine = slice(net.first[me], net.first[me + 1])
    cost = np.full(m, np.inf)
    cost[net.coach[mine]] = distance[n + net.coach[mine]] - spare[mine]
    cost[net.coach[mine][held[mine]]] = 0
    kept = problem.pinned[problem.pinned[:, 0] == learner, 1]
    cost[net.coach_rank[kept]] = 0
    possible, seats, score = _split(cost[net.coach_rank], net.seat_value)
    already = set(plan.coach[plan.learner == learner].tolist())

    def moves(coach: int) -> list[Move]:
        if coach in already:
            return []
        path = [n + int(net.coach_rank[coach])]
        while path[-1] != me:
            path.append(int(following[path[-1]]))
        stops = [me, *path]
        found = []
        for at in range(len(stops) - 1):
            if stops[at] < n:
                before = stops[at - 1] if at else stops[-2]
                found.append(
                    Move(
                        int(net.learner_at[stops[at]]),
                        _coach_at(net, before - n),
                        _coach_at(net, stops[at + 1] - n),
                    )
                )
        return found

    return Regret(
        learner=learner, possible=possible, lost_seats=seats, lost_score=score, _moves=moves
    )


def regret_dense(
    score_blocks: Callable[[int, int], npt.NDArray[np.integer]],
    plan: Plan,
    learner: int,
    *,
    capacity: npt.ArrayLike,
    rows: int = 512,
) -> Regret:
    """
    Price every coach for one learner of a dense plan, reading the whole score table once.

    For plans of one coach per learner. Coaches are the nodes; the arc k -> k' is the cheapest
    exchange by a learner now at k, found for all pairs of coaches in blocks of ``rows`` learners.
    """
    capacity = np.asarray(capacity, dtype=np.int64)
    m, price = capacity.size, plan.price
    movable = ~plan.pinned & (plan.learner != learner)
    at_coach = np.full(plan.unfilled.size, NOBODY)
    at_coach[plan.learner[movable]] = plan.coach[movable]
    waiting = (plan.unfilled > 0) & (np.arange(plan.unfilled.size) != learner)
    pins = np.bincount(plan.coach[plan.pinned], minlength=m)
    load = plan.load - pins
    idle, holding = plan.load < capacity, load > 0
    nowhere = m
    far = np.iinfo(np.int64).max // 4
    length = np.full((m + 1, m + 1), far)
    who = np.full((m + 1, m + 1), NOBODY, dtype=np.int32)
    own = score_blocks(learner, learner + 1)[0].astype(np.int64)
    for start in range(0, plan.unfilled.size, rows):
        stop = min(start + rows, plan.unfilled.size)
        block = score_blocks(start, stop)
        for row in np.flatnonzero((at_coach[start:stop] >= 0) | waiting[start:stop]).tolist():
            surplus = block[row] + (plan.seat_value - price)
            k = int(at_coach[start + row])
            source, kept = (k, surplus[k]) if k >= 0 else (nowhere, 0)
            step = kept - surplus
            better = (step < length[source, :m]) & (block[row] >= 0)
            length[source, :m][better] = step[better]
            who[source, :m][better] = start + row
            if k >= 0 and kept < length[k, nowhere]:
                length[k, nowhere], who[k, nowhere] = kept, start + row
    length[:m, nowhere][idle], who[:m, nowhere][idle] = 0, NOBODY
    cheaper = holding & (price < length[nowhere, :m])
    length[nowhere, :m][cheaper], who[nowhere, :m][cheaper] = price[cheaper], NOBODY
    np.fill_diagonal(length, far)
    if length.min() < 0:
        raise ValueError("The plan's prices do not fit its pairs; solve it again.")

    pinned_here = bool(plan.pinned[plan.learner == learner].any())
    mine = plan.coach[plan.learner == learner].tolist()
    target = mine[0] if mine else nowhere
    distance, following = _shortest_to(length, target, far)
    stay = own[target] + plan.seat_value - price[target] if mine else 0
    cost = np.where(
        (own >= 0) & (capacity > pins) & (distance[:m] < far) & (not pinned_here),
        stay + distance[:m] - (own + plan.seat_value - price),
        np.inf,
    )
    wanted = bool(mine) or plan.unfilled[learner] > 0
    if not wanted:
        cost[:] = np.inf
    cost[mine] = 0
    possible, seats, score = _split(cost, plan.seat_value)

    def moves(coach: int) -> list[Move]:
        if coach in mine:
            return []
        found = [Move(learner, mine[0] if mine else NOBODY, coach)]
        k = coach
        while k != target:
            to = int(following[k])
            if who[k, to] != NOBODY:
                found.append(
                    Move(
                        int(who[k, to]),
                        k if k != nowhere else NOBODY,
                        to if to != nowhere else NOBODY,
                    )
                )
            k = to
        return found

    return Regret(
        learner=learner, possible=possible, lost_seats=seats, lost_score=score, _moves=moves
    )


def runner_up(problem: Problem, plan: Plan, learner: int) -> int:
    """
    Return the next best coach for a learner at today's seat prices; NOBODY if there is none.

    Equal offers favour the smaller coach id.
    """
    net = problem.network
    me = net.learner_rank[learner]
    mine = slice(net.first[me], net.first[me + 1])
    other = ~_held(problem, net, plan)[mine]
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
    other = np.flatnonzero((net.coach == net.coach_rank[coach]) & ~_held(problem, net, plan))
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


def _held(problem: Problem, net: Network, plan: Plan) -> Bools:
    m = problem.coaches
    key = problem.learner[net.edge] * m + problem.coach[net.edge]
    return np.isin(key, plan.learner * m + plan.coach)


def _coach_at(net: Network, rank: int) -> int:
    return int(net.coach_at[rank]) if 0 <= rank < net.coach_at.size else NOBODY


def _split(cost: npt.NDArray[np.float64], seat_value: int) -> tuple[Bools, Ints, Ints]:
    """Read a loss in value back as seats and score; each alone is below half a seat's value."""
    possible = np.isfinite(cost)
    loss = np.where(possible, cost, 0).astype(np.int64)
    seats = (loss + seat_value // 2) // seat_value
    return possible, seats, loss - seats * seat_value


def _shortest_to(length: Ints, target: int, far: int) -> tuple[Ints, Ints]:
    """Return each node's distance to ``target`` and the next node on the way (Dijkstra 1959)."""
    size = length.shape[0]
    into = np.ascontiguousarray(length.T)
    distance, following = np.full(size, far), np.full(size, NOBODY)
    open_distance = np.full(size, far)
    distance[target] = open_distance[target] = 0
    while True:
        node = int(open_distance.argmin())
        reached = open_distance[node]
        if reached >= far:
            return distance, following
        distance[node] = reached
        open_distance[node] = np.iinfo(np.int64).max
        through = into[node] + reached
        closer = (through < open_distance) & (open_distance <= far) & (through < far)
        closer &= open_distance != np.iinfo(np.int64).max
        open_distance[closer] = through[closer]
        following[closer] = node
