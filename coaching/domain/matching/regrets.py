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


class Exchanges:
    """
    Every way in which people could change places in a plan, and what it costs.

    A pair that is not in the plan closes a cycle of exchanges; the cheapest one is a shortest path
    in the residual network of the flow, which Dijkstra finds on costs that the plan's prices make
    non-negative (Ahuja, Magnanti & Orlin 1993, ch. 9). Built once, it answers for everybody.

    Nodes: learners, coaches, and one for "nowhere", which idle seats and unmatched learners share.

    :raises ValueError: if the prices of the plan do not fit its pairs
    """

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan, self.net = problem, plan, problem.network
        net, n, m = self.net, problem.learners, problem.coaches
        held = held_edges(problem, net, plan)
        price = plan.price[net.coach_at]
        surplus = net.value - price[net.coach]
        marginal, _ = thresholds(net.learner, surplus, net.demand)
        # What a learner would lose by taking this coach for the one they can best do without.
        spare = marginal[net.learner] - surplus
        load = np.bincount(net.coach[held], minlength=m)
        given = np.bincount(net.learner[held], minlength=n)
        nowhere = np.full(n + m, n + m)
        matched, wanting = np.flatnonzero(given), np.flatnonzero(given < net.demand)
        holding, idle = np.flatnonzero(load), np.flatnonzero(load < net.capacity)
        tail, head, cost = (
            np.concatenate(column)
            for column in zip(
                (n + net.coach[held], net.learner[held], -spare[held]),
                (net.learner[~held], n + net.coach[~held], spare[~held]),
                (matched, nowhere[: matched.size], marginal[matched]),
                (nowhere[: wanting.size], wanting, -marginal[wanting]),
                (n + idle, nowhere[: idle.size], -price[idle]),
                (nowhere[: holding.size], n + holding, price[holding]),
                strict=True,
            )
        )
        if cost.min(initial=0) < 0:
            raise ValueError("The plan's prices do not fit its pairs; solve it again.")
        self.held, self.spare, self.marginal, self.nowhere = held, spare, marginal, n + m
        self.graph = csr_array((cost.astype(np.float64), (tail, head)), shape=(n + m + 1,) * 2)
        self.backwards = self.graph.T.tocsr()

    def regret(self, learner: int) -> Regret:
        """Price every coach for one learner, exactly (seats and score; pins stay)."""
        net, n, m = self.net, self.problem.learners, self.problem.coaches
        me = int(net.learner_rank[learner])
        # Searched backwards from the learner, so that one run serves every coach.
        distance, following = dijkstra(self.backwards, indices=me, return_predecessors=True)
        mine = slice(net.first[me], net.first[me + 1])
        cost = np.full(m, np.inf)
        cost[net.coach[mine]] = self.spare[mine] + distance[n + net.coach[mine]]
        cost = cost[net.coach_rank]
        already = self.plan.coach[self.plan.learner == learner]
        cost[already] = 0
        possible, seats, score = split_loss(cost, net.seat_value)
        return Regret(
            learner=learner,
            possible=possible,
            lost_seats=seats,
            lost_score=score,
            _moves=lambda coach: [] if coach in already else self._moves(me, coach, following),
        )

    def runner_up(self, learner: int) -> int:
        """Return the coach who would cost least instead; NOBODY if no other is possible."""
        found = self.regret(learner)
        other = found.possible.copy()
        other[self.plan.coach[self.plan.learner == learner]] = False
        coaches = np.flatnonzero(other)
        if coaches.size == 0:
            return NOBODY
        ids = self.problem.coach_ids[coaches]
        order = np.lexsort((ids, found.lost_score[coaches], found.lost_seats[coaches]))
        return int(coaches[order[0]])

    def runner_up_learner(self, coach: int) -> int:
        """Return the learner whom the coach could take at least cost; NOBODY if there is none."""
        net, n = self.net, self.problem.learners
        here = int(net.coach_rank[coach])
        edge = np.flatnonzero((net.coach == here) & ~self.held)
        if edge.size == 0:
            return NOBODY
        distance = dijkstra(self.graph, indices=n + here)
        cost = self.spare[edge] + distance[net.learner[edge]]
        best = int(cost.argmin())  # edges are sorted by learner id, so equal costs favour it
        return int(net.learner_at[net.learner[edge[best]]]) if np.isfinite(cost[best]) else NOBODY

    def _moves(self, me: int, coach: int, following: npt.NDArray[np.integer]) -> list[Move]:
        n, m = self.problem.learners, self.problem.coaches
        path = [n + int(self.net.coach_rank[coach])]
        while path[-1] != me:
            path.append(int(following[path[-1]]))
        # Round the cycle: a learner leaves the coach before them and takes the one after.
        stops = [path[-2] if len(path) > 1 else self.nowhere, me, *path]
        coach_at = [*self.net.coach_at.tolist(), NOBODY]
        found = []
        for before, at, after in zip(stops, stops[1:], stops[2:], strict=False):
            if at < n:
                found.append(
                    Move(
                        int(self.net.learner_at[at]),
                        coach_at[min(before - n, m)],
                        coach_at[min(after - n, m)],
                    )
                )
        return found


def regret(problem: Problem, plan: Plan, learner: int) -> Regret:
    """
    Price every coach for one learner, exactly: how much worse the best plan with the pair is.

    >>> from coaching.domain.matching import solve
    >>> both = Problem(learners=2, coaches=2, capacity=[1, 1],
    ...                learner=[0, 0, 1, 1], coach=[0, 1, 0, 1], score=[9, 5, 8, 7])
    >>> price = regret(both, solve(both), 0)
    >>> price.lost_score, price.moves(1)
    (array([0, 3]), [Move(learner=0, leaves=0, takes=1), Move(learner=1, leaves=1, takes=0)])
    """
    return Exchanges(problem, plan).regret(learner)


def runner_up(problem: Problem, plan: Plan, learner: int) -> int:
    """
    Return the coach who would cost the plan least instead; NOBODY (-1) if no other is possible.

    Equal costs favour the smaller coach id. ``Exchanges`` answers for many people at once.
    """
    return Exchanges(problem, plan).runner_up(learner)


def runner_up_learner(problem: Problem, plan: Plan, coach: int) -> int:
    """
    Return the learner whom a coach could take instead at least cost; NOBODY (-1) if there is none.

    Equal costs favour the smaller learner id.
    """
    return Exchanges(problem, plan).runner_up_learner(coach)


def regret_dense(
    score_blocks: Callable[[int, int], npt.NDArray[np.integer]],
    plan: Plan,
    learner: int,
    *,
    capacity: npt.ArrayLike,
    rows: int = 128,
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
        surplus = np.empty((who.size, m + 1), dtype=kind)
        surplus[:, m] = 0
        np.add(block, price_of, out=surplus[:, :m], casting="unsafe")
        lost = surplus[np.arange(who.size), here][:, None] - surplus
        if block.min(initial=0) < 0:
            lost[:, :m][block < 0] = far
        return start + who, lost

    for start in range(0, at.size, rows):
        who, lost = steps(start, min(start + rows, at.size))
        for one, cost in zip(at[who].tolist(), lost, strict=True):
            np.minimum(length[one], cost, out=length[one])
    idle, holding = plan.load < seats, plan.load > pins
    length[:m, nowhere][idle] = 0
    length[nowhere, :m][holding] = np.minimum(length[nowhere, :m], price)[holding]
    # Nobody can come to a coach without open seats, whatever the plan says a seat is worth there.
    length[:, :m][:, seats <= pins] = far
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
    possible, lost_seats, lost_score = split_loss(cost, worth)

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


def split_loss(cost: npt.NDArray[np.float64], seat_value: int) -> tuple[Bools, Ints, Ints]:
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
