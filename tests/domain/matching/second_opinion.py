"""Slow, obvious answers that the solver is compared with."""

from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from coaching.domain.matching import Plan, Problem


def random_problem(rng, *, learners=(0, 7), coaches=(0, 5), highest=None, rules=True, ids=False):
    """A random problem of a random shape: scarce or slack, sparse or full, tied or not."""
    n, m = int(rng.integers(*learners, endpoint=True)), int(rng.integers(*coaches, endpoint=True))
    highest = int(rng.choice([1, 3, 10, 1000])) if highest is None else highest
    demand = rng.choice([1, 1, 1, 2, 0], n) if rules and rng.random() < 0.5 else np.ones(n, int)
    capacity = rng.integers(0, 3, m, endpoint=True)
    learner, coach = np.nonzero(rng.random((n, m)) < rng.choice([0.3, 0.6, 1.0]))
    order = rng.permutation(learner.size)
    learner, coach = learner[order], coach[order]
    score = rng.integers(0, highest, learner.size, endpoint=True)
    pinned, forbidden = [], []
    if rules:
        wishes, seats = demand.copy(), capacity.copy()
        for i, j in zip(learner.tolist(), coach.tolist(), strict=True):
            luck = rng.random()
            if luck < 0.08 and wishes[i] and seats[j]:
                pinned.append((i, j))
                wishes[i] -= 1
                seats[j] -= 1
            elif luck > 0.88:
                forbidden.append((i, j))
    stable = (
        {
            "learner_ids": rng.permutation(1000)[:n],
            "coach_ids": rng.permutation(1000)[:m],
        }
        if ids
        else {}
    )
    return Problem(
        learners=n,
        coaches=m,
        capacity=capacity,
        learner=learner,
        coach=coach,
        score=score,
        demand=demand,
        pinned=pinned,
        forbidden=forbidden,
        **stable,
    )


def objectives(plan: Plan) -> tuple[int, int, int, int]:
    return plan.matched, plan.total, -1 if plan.worst is None else plan.worst, -plan.sum_sq_load


def every_plan_tried(problem: Problem) -> tuple[int, int, int, int]:
    """
    The best objectives over all plans, one learner after the other.

    Of the plans of the first learners that load the coaches alike only the best by total, then
    worst score, can be part of the best plan, so one of each kind is kept.
    """
    barred = set(map(tuple, problem.forbidden.tolist()))
    pins = set(map(tuple, problem.pinned.tolist()))
    choices = [[] for _ in range(problem.learners)]
    edges = (problem.learner.tolist(), problem.coach.tolist(), problem.score.tolist())
    for i, j, s in zip(*edges, strict=True):
        if (i, j) not in barred:
            choices[i].append((j, s))
    best = {(0,) * problem.coaches: (0, 10**9)}
    for i, options in enumerate(choices):
        must = {j for a, j in pins if a == i}
        following = {}
        for size in range(len(must), int(problem.demand[i]) + 1):
            for taken in combinations(options, size):
                if not must <= {j for j, _ in taken}:
                    continue
                for load, (total, worst) in best.items():
                    after = list(load)
                    for j, _ in taken:
                        after[j] += 1
                    if any(a > c for a, c in zip(after, problem.capacity.tolist(), strict=True)):
                        continue
                    gained = (
                        total + sum(s for _, s in taken),
                        min([worst, *(s for _, s in taken)]),
                    )
                    key = tuple(after)
                    following[key] = max(gained, following.get(key, gained))
        best = following
    return max(
        (sum(load), total, worst if sum(load) else -1, -sum(x * x for x in load))
        for load, (total, worst) in best.items()
    )


def assigned_by_scipy(problem: Problem) -> tuple[int, int]:
    """Seats and total by duplicating every coach once per seat; for problems without rules."""
    column = np.repeat(np.arange(problem.coaches), problem.capacity)
    value = np.zeros((problem.learners, problem.coaches), dtype=np.int64)
    seat = 1 + int(problem.score.sum())
    value[problem.learner, problem.coach] = problem.score + seat
    table = value[:, column]
    rows, columns = linear_sum_assignment(table, maximize=True)
    return divmod(int(table[rows, columns].sum()), seat)
