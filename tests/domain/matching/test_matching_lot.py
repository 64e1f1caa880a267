from itertools import combinations

import numpy as np
import pytest
from second_opinion import random_problem

from coaching.domain.matching import Problem, draw


def can_be_seated(problem, who):
    """Whether these learners can all have a coach, beside every pin; tried out one by one."""
    barred = set(map(tuple, problem.forbidden.tolist()))
    seats = problem.capacity.copy()
    np.subtract.at(seats, problem.pinned[:, 1], 1)
    choices = {i: [] for i in who}
    for i, j in zip(problem.learner.tolist(), problem.coach.tolist(), strict=True):
        if i in choices and (i, j) not in barred:
            choices[i].append(j)

    def seat(left):
        if not left:
            return True
        for j in choices[left[0]]:
            if seats[j] > 0:
                seats[j] -= 1
                if seat(left[1:]):
                    return True
                seats[j] += 1
        return False

    return seat(who)


def drawn_by_trying(problem, order):
    pinned = set(problem.pinned[:, 0].tolist())
    hopeful = [i for i in range(problem.learners) if problem.demand[i] and i not in pinned]
    hopeful.sort(key=lambda i: order[i])
    # In this order the first set that fits is the first in the lot.
    for size in range(len(hopeful), -1, -1):
        for who in combinations(hopeful, size):
            if can_be_seated(problem, who):
                return pinned | set(who)


@pytest.mark.parametrize("seed", range(200))
def test_most_seats_are_filled_and_then_the_lot_decides(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, ids=seed % 2 == 0)
    order = rng.permutation(problem.learners)
    assert set(np.flatnonzero(draw(problem, order)).tolist()) == drawn_by_trying(problem, order)


def test_the_score_buys_no_place_in_the_lot():
    problem = Problem(
        learners=2, coaches=1, capacity=[1], learner=[0, 1], coach=[0, 0], score=[1000, 0]
    )
    assert draw(problem, [1, 0]).tolist() == [False, True]


def test_a_late_place_does_not_cost_a_seat_that_nobody_else_could_fill():
    """Lea, first in the lot, moves over, so that Otto has a coach too."""
    problem = Problem(
        learners=2, coaches=2, capacity=[1, 1], learner=[0, 0, 1], coach=[0, 1, 0], score=[9, 1, 5]
    )
    assert draw(problem, [0, 1]).tolist() == [True, True]


def test_equal_places_favour_the_smaller_id():
    problem = Problem(
        learners=2,
        coaches=1,
        capacity=[1],
        learner=[0, 1],
        coach=[0, 0],
        score=[1, 1],
        learner_ids=[8, 3],
    )
    assert draw(problem, [5, 5]).tolist() == [False, True]


def test_everybody_needs_a_place():
    problem = Problem(learners=2, coaches=0, capacity=[], learner=[], coach=[], score=[])
    with pytest.raises(ValueError, match="place in the lot"):
        draw(problem, [0])
