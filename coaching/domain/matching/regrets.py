"""What insisting on another coach would cost, and who would move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from coaching.domain.matching.flow import thresholds
from coaching.domain.matching.problem import Bools, Ints, Network, Plan, Problem

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
    held = held_edges(problem, net, plan)
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

    score_blocks : (start, stop) -> the scores of those learners with every coach; negative where
        a pair must not be
    capacity : (coaches,)

    For plans of at most one coach per learner. The coaches and "nowhere" are the nodes; the arc
    k -> k' is the cheapest exchange by a learner now at k.
    """
    seats = np.asarray(capacity, dtype=np.int64)
    m, price, worth = seats.size, plan.price, plan.seat_value
    nowhere = m
    mine = plan.coach[plan.learner == learner].tolist()
    pinned_here = bool(plan.pinned[plan.learner == learner].any())
    pins = np.bincount(plan.coach[plan.pinned], minlength=m)
    at = np.full(plan.unfilled.size, NOBODY)
    at[plan.unfilled > 0] = nowhere
    at[plan.learner[~plan.pinned]] = plan.coach[~plan.pinned]
    at[learner] = NOBODY

    kind = np.int32 if 2 * worth < 2**29 else np.int64
    far = np.iinfo(kind).max // 2
    length = np.full((m + 1, m + 1), far, dtype=kind)
    price_of = (worth - price).astype(kind)

    def steps(start: int, stop: int) -> tuple[Ints, npt.NDArray[np.signedinteger]]:
        """What each movable learner of a block would lose by taking each coach, or none."""
        block = score_blocks(start, stop)
        who = np.flatnonzero(at[start:stop] >= 0)
        block = block[who]
        here = at[start + who]
        surplus = np.full((who.size, m + 1), 0, dtype=kind)
        np.add(block, price_of, out=surplus[:, :m], casting="unsafe")
        lost = surplus[np.arange(who.size), here][:, None] - surplus
        if block.min(initial=0) < 0:
            lost[:, :m][block < 0] = far
        return start + who, lost

    for start in range(0, at.size, rows):
        who, lost = steps(start, min(start + rows, at.size))
        # Learners of one coach take turns, so that no two rows write to one coach at once.
        order = np.argsort(at[who], kind="stable")
        coach = at[who[order]]
        turn = np.arange(coach.size) - np.searchsorted(coach, coach)
        for now in range(int(turn.max(initial=-1)) + 1):
            row = order[turn == now]
            length[at[who[row]]] = np.minimum(length[at[who[row]]], lost[row])
    idle, holding = plan.load < seats, plan.load > pins
    length[:m, nowhere][idle] = 0
    length[nowhere, :m][holding] = np.minimum(length[nowhere, :m], price)[holding]
    np.fill_diagonal(length, far)
    if length.min() < 0:
        raise ValueError("The plan's prices do not fit its pairs; solve it again.")

    own = score_blocks(learner, learner + 1)[0].astype(np.int64)
    target = mine[0] if mine else nowhere
    distance, following = _shortest_to(length, target, far)
    stay = own[target] + worth - price[target] if mine else 0
    open_to_me = (mine or plan.unfilled[learner] > 0) and not pinned_here
    cost = np.where(
        bool(open_to_me) & (own >= 0) & (seats > pins) & (distance[:m] < far),
        stay + distance[:m] - (own + worth - price),
        np.inf,
    )
    cost[mine] = 0
    possible, lost_seats, lost_score = _split(cost, worth)

    def mover(k: int, to: int) -> int:
        """The learner whose exchange is the arc k -> to; NOBODY where a seat falls idle or open."""
        if (to == nowhere and idle[k]) or (
            k == nowhere and holding[to] and length[k, to] == price[to]
        ):
            return NOBODY
        for one in np.flatnonzero(at == k).tolist():
            if steps(one, one + 1)[1][0, to] == length[k, to]:
                return one
        raise ValueError("The score blocks have changed since the plan was made.")

    def moves(coach: int) -> list[Move]:
        if coach in mine:
            return []
        found = [Move(learner, mine[0] if mine else NOBODY, coach)]
        k = coach
        while k != target:
            to = int(following[k])
            who = mover(k, to)
            if who != NOBODY:
                leaves, takes = (NOBODY if x == nowhere else x for x in (k, to))
                found.append(Move(who, leaves, takes))
            k = to
        return found

    return Regret(
        learner=learner,
        possible=possible,
        lost_seats=lost_seats,
        lost_score=lost_score,
        _moves=moves,
    )


def held_edges(problem: Problem, net: Network, plan: Plan) -> Bools:
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


def _shortest_to(length: npt.NDArray[np.signedinteger], target: int, far: int) -> tuple[Ints, Ints]:
    """Return each node's distance to ``target`` and the next node on the way (Dijkstra 1959)."""
    size = length.shape[0]
    into = np.ascontiguousarray(length.T)
    distance = np.full(size, far, dtype=length.dtype)
    waiting = distance.copy()
    following = np.full(size, NOBODY)
    distance[target] = waiting[target] = 0
    for _ in range(size):
        node = int(waiting.argmin())
        if waiting[node] >= far:
            break
        waiting[node] = far
        # Settled nodes are never closer again, for no arc is negative.
        through = into[node] + distance[node]
        closer = np.flatnonzero(through < distance)
        distance[closer] = waiting[closer] = through[closer]
        following[closer] = node
    return distance.astype(np.int64), following
