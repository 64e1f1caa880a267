from dataclasses import replace

import numpy as np
import pytest
from second_opinion import random_problem

from coaching.domain.matching import Problem, certify, solve


@pytest.fixture
def scarce():
    """Three learners for two seats."""
    return Problem(
        learners=3,
        coaches=2,
        capacity=[1, 1],
        learner=[0, 0, 1, 1, 2],
        coach=[0, 1, 0, 1, 0],
        score=[9, 2, 4, 4, 6],
    )


def with_pairs(plan, pairs):
    learner, coach = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return replace(plan, learner=learner, coach=coach)


def test_it_proves_a_plan_that_leaves_somebody_out(scarce):
    proof = certify(scarce, solve(scarce))
    assert (proof.seats, proof.total) == (2, 13)
    assert (proof.seats_bound, proof.total_bound) == (2, 13)
    assert proof.optimal


def test_it_bounds_a_plan_that_could_be_better(scarce):
    proof = certify(scarce, with_pairs(solve(scarce), [(0, 1), (1, 0)]))
    assert not proof.optimal
    assert proof.total == 6
    assert proof.gap >= 13 - 6


def test_it_sees_that_a_seat_could_still_be_filled(scarce):
    proof = certify(scarce, with_pairs(solve(scarce), [(0, 0)]))
    assert proof.seats == 1
    assert proof.seats_bound >= 2


@pytest.mark.parametrize("seed", range(100))
def test_only_optimal_plans_are_proven(seed):
    problem = random_problem(np.random.default_rng(seed), learners=(2, 7), coaches=(1, 5))
    plan = solve(problem)
    removable = np.flatnonzero(~plan.pinned)
    if removable.size:
        fewer = np.delete(np.array(plan.pairs), removable[0], axis=0)
        assert not certify(problem, with_pairs(plan, fewer)).optimal


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([(0, 0), (0, 0)], "twice"),
        ([(2, 1)], "not a candidate"),
        ([(0, 0), (1, 0)], "more learners than seats"),
        ([(0, 0), (0, 1)], "more coaches than wanted"),
    ],
)
def test_it_refuses_a_plan_that_breaks_a_rule(scarce, pairs, why):
    with pytest.raises(ValueError, match=why):
        certify(scarce, with_pairs(solve(scarce), pairs))


def test_it_refuses_a_plan_without_its_pins_or_with_forbidden_pairs(scarce):
    edges = {key: getattr(scarce, key) for key in ("learner", "coach", "score", "capacity")}
    ruled = Problem(learners=3, coaches=2, **edges, pinned=[(0, 1)], forbidden=[(2, 0)])
    plan = solve(ruled)
    with pytest.raises(ValueError, match="pinned"):
        certify(ruled, with_pairs(plan, [(1, 0)]))
    with pytest.raises(ValueError, match="forbidden"):
        certify(ruled, with_pairs(plan, [(0, 1), (2, 0)]))
