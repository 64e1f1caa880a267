"""Everybody's runner-up at once is what each one's own question gives."""

import numpy as np
import pytest

from coaching.domain import matching


def some_problem(seed: int, *, seats: int) -> matching.Problem:
    random = np.random.default_rng(seed)
    learners, coaches = int(random.integers(1, 12)), int(random.integers(1, 7))
    learner, coach = np.nonzero(random.random((learners, coaches)) < random.uniform(0.2, 1))
    capacity = random.integers(0, seats + 1, coaches)
    wants = random.integers(0, 2, learners)
    pinned = [
        (int(learner[at]), int(coach[at]))
        for at in random.permutation(learner.size)[:1]
        if capacity[coach[at]]
    ]
    return matching.Problem(
        learners=learners, coaches=coaches, capacity=capacity, learner=learner, coach=coach,
        score=random.integers(0, 8, learner.size), pinned=pinned,
        demand=wants | np.isin(np.arange(learners), [pin[0] for pin in pinned]),
        learner_ids=random.permutation(100)[:learners], coach_ids=random.permutation(100)[:coaches],
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_it_says_what_each_learners_own_question_says(seed):
    problem = some_problem(seed, seats=1 + seed % 3)
    plan = matching.solve(problem)
    found = matching.runners_up(problem, plan)
    single = matching.Exchanges(problem, plan)
    for row, (learner, pinned) in enumerate(zip(plan.learner, plan.pinned, strict=True)):
        other = matching.NOBODY if pinned else single.runner_up(learner)
        assert found.coach[row] == other
        if other != matching.NOBODY:
            price = single.regret(learner)
            assert found.lost_seats[row] == price.lost_seats[other]
            assert found.lost_score[row] == price.lost_score[other]


@pytest.mark.parametrize("seed", range(30))
def test_parts_that_share_nobody_are_told_apart(seed):
    """Three sites in one plan, ties among them: what each site alone would say."""
    random = np.random.default_rng(seed)
    n, m = 24, 12
    learner, coach = np.nonzero(
        (np.arange(n)[:, None] % 3 == np.arange(m) % 3) & (random.random((n, m)) < 0.8)
    )
    whole = matching.Problem(
        learners=n, coaches=m, capacity=random.integers(0, 4, m),
        learner=learner, coach=coach, score=random.integers(0, 3, learner.size),
    )  # fmt: skip
    plan = matching.solve(whole)
    found, single = matching.runners_up(whole, plan), matching.Exchanges(whole, plan)
    for row, one in enumerate(plan.learner):
        other = single.runner_up(one)
        assert found.coach[row] == other
        if other != matching.NOBODY:
            assert found.lost_score[row] == single.regret(one).lost_score[other]
            assert found.lost_seats[row] == single.regret(one).lost_seats[other]


def test_who_wants_two_coaches_has_no_single_runner_up():
    both = matching.Problem(
        learners=1, coaches=2, capacity=[1, 1], learner=[0, 0], coach=[0, 1], score=[1, 2],
        demand=[2],
    )  # fmt: skip
    with pytest.raises(ValueError, match="one coach"):
        matching.runners_up(both, matching.solve(both))
