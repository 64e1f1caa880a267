import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import assigned_by_scipy, every_plan_tried, objectives, random_problem

from coaching.domain.matching import Problem, certify, solve
from coaching.domain.matching.flow import cheapest_flow
from coaching.domain.matching.problem import Refused, largest_score


def full(score, capacity, **rules):
    """A problem in which every pair is a candidate."""
    score = np.asarray(score)
    learner, coach = np.indices(score.shape).reshape(2, -1)
    return Problem(
        learners=score.shape[0],
        coaches=score.shape[1],
        capacity=capacity,
        learner=learner,
        coach=coach,
        score=score.ravel(),
        **rules,
    )


@pytest.mark.parametrize("seed", range(400))
def test_no_other_plan_is_better_by_any_of_the_four_objectives(seed):
    problem = random_problem(np.random.default_rng(seed), ids=seed % 2 == 0)
    plan = solve(problem)
    assert objectives(plan) == every_plan_tried(problem)
    assert certify(problem, plan).optimal


def test_ties_are_told_apart_more_coarsely_where_costs_would_be_too_large(monkeypatch):
    """The solver may refuse costs that it cannot add up; the objectives stay exact."""
    asked = []

    def refusing(*arcs, cost, **rest):
        asked.append(int(np.abs(cost).max(initial=0)))
        if asked[-1] > 2**15:
            raise Refused(["too large"])
        return cheapest_flow(*arcs, cost=cost, **rest)

    monkeypatch.setattr("coaching.domain.matching.solver.cheapest_flow", refusing)
    for seed in range(10):
        problem = random_problem(
            np.random.default_rng(seed), learners=(7, 7), coaches=(5, 5), highest=1
        )
        assert objectives(solve(problem)) == every_plan_tried(problem)
    assert max(asked) > 2**15


@pytest.mark.parametrize("highest", [1, 3])
@pytest.mark.parametrize("seed", range(15))
def test_fairness_and_load_are_settled_among_many_ties(seed, highest):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, learners=(7, 7), coaches=(5, 5), highest=highest)
    assert objectives(solve(problem)) == every_plan_tried(problem)


@pytest.mark.parametrize("seed", range(200))
def test_another_solver_finds_the_same_seats_and_total(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, learners=(1, 60), coaches=(1, 30), rules=False)
    plan = solve(problem)
    assert (plan.matched, plan.total) == assigned_by_scipy(problem)
    assert certify(problem, plan).optimal


def test_coverage_comes_before_score():
    """Lea may not learn from the first coach; the best single pair would leave her out."""
    lea, otto, first, second = 0, 1, 0, 1
    problem = full([[9, 1], [1, 5]], [1, 1], forbidden=[(lea, first)])
    plan = solve(problem)
    assert plan.pairs == [(lea, second), (otto, first)]
    assert plan.total == 2


def test_a_score_of_nought_is_a_legal_pair():
    plan = solve(full([[0, 0], [0, 0]], [1, 1]))
    assert plan.matched == 2
    assert plan.worst == 0


@pytest.mark.parametrize("size", [1, 2, 40])
def test_machol_and_wien_have_a_closed_form(size):
    table = np.multiply.outer(np.arange(1, size + 1), np.arange(1, size + 1))
    ones = [1] * size
    assert solve(full(table, ones)).total == size * (size + 1) * (2 * size + 1) // 6
    cheapest = size * (size + 1) * (size + 2) // 6
    costs = solve(full(table.max() - table, ones))
    assert size * table.max() - costs.total == cheapest


def test_equal_scores_spread_learners_evenly():
    plan = solve(full(np.full((9, 4), 5), [9, 9, 9, 9]))
    assert (plan.matched, plan.total, plan.worst) == (9, 45, 5)
    assert sorted(plan.load) == [2, 2, 2, 3]


def test_in_a_chain_everybody_moves_one_place():
    size = 300
    learner = np.repeat(np.arange(size), 2)[:-1]
    coach = (np.arange(learner.size) + 1) // 2
    score = np.where(learner == coach, 10, 9)
    free = {"learners": size, "coaches": size, "capacity": [1] * size}
    chain = {"learner": learner, "coach": coach, "score": score}
    assert solve(Problem(**free, **chain)).total == 10 * size
    shut = Problem(**free, **chain, forbidden=[(size - 1, size - 1)])
    plan = solve(shut)
    assert plan.matched == size - 1
    assert plan.total == 10 * (size - 1)
    assert certify(shut, plan).optimal


@pytest.mark.parametrize(("learners", "coaches"), [(0, 0), (3, 0), (0, 3), (3, 2)])
def test_nobody_to_pair_is_a_plan_too(learners, coaches):
    problem = full(np.ones((learners, coaches), int), [0] * coaches)
    plan = solve(problem)
    assert (plan.matched, plan.total, plan.worst, plan.sum_sq_load) == (0, 0, None, 0)
    assert plan.unfilled.tolist() == [1] * learners
    assert certify(problem, plan).optimal


def test_a_learner_who_asks_for_two_gets_two_different_coaches():
    plan = solve(full([[9, 1]], [2, 2], demand=[2]))
    assert plan.pairs == [(0, 0), (0, 1)]


def test_a_pin_is_kept_even_when_it_costs():
    problem = full([[9, 1], [8, 1]], [1, 1], pinned=[(0, 1)])
    plan = solve(problem)
    assert plan.pairs == [(0, 1), (1, 0)]
    assert plan.pinned.tolist() == [True, False]


def test_a_seat_shared_by_pins_counts_in_the_load():
    plan = solve(full(np.ones((3, 2), int), [3, 3], pinned=[(0, 0)]))
    assert plan.sum_sq_load == 5


def shuffled(problem, rng):
    """The same people and pairs, listed in another order; ids say who is who."""
    who, whom = rng.permutation(problem.learners), rng.permutation(problem.coaches)
    place, seat = np.argsort(who), np.argsort(whom)
    order = rng.permutation(problem.score.size)
    return Problem(
        learners=problem.learners,
        coaches=problem.coaches,
        capacity=problem.capacity[whom],
        demand=problem.demand[who],
        learner=place[problem.learner[order]],
        coach=seat[problem.coach[order]],
        score=problem.score[order],
        pinned=np.stack([place[problem.pinned[:, 0]], seat[problem.pinned[:, 1]]], axis=1),
        forbidden=np.stack([place[problem.forbidden[:, 0]], seat[problem.forbidden[:, 1]]], axis=1),
        learner_ids=problem.learner_ids[who],
        coach_ids=problem.coach_ids[whom],
    )


def by_id(problem, plan):
    pairs = zip(
        problem.learner_ids[plan.learner].tolist(),
        problem.coach_ids[plan.coach].tolist(),
        strict=True,
    )
    return sorted(pairs)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), order=st.integers(0, 2**32))
def test_the_same_people_get_the_same_plan_in_any_order(seed, order):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, learners=(0, 20), coaches=(0, 8), highest=2, ids=True)
    again = shuffled(problem, np.random.default_rng(order))
    assert by_id(problem, solve(problem)) == by_id(again, solve(again))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), raise_by=st.integers(1, 50))
def test_what_one_learner_adds_everywhere_only_moves_the_total(seed, raise_by):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 10**6, (8, 6))
    capacity = [2] * 6
    before = solve(full(score, capacity))
    score[3] += raise_by
    after = solve(full(score, capacity))
    assert after.pairs == before.pairs
    assert after.total == before.total + raise_by


def test_scores_at_the_limit_are_planned_exactly():
    limit = largest_score(learners=2, coaches=2, seats=2)
    problem = full([[limit, limit - 1], [limit, limit - 2]], [1, 1])
    plan = solve(problem)
    assert plan.pairs == [(0, 1), (1, 0)]
    assert certify(problem, plan).optimal


def test_costs_beyond_exact_arithmetic_are_refused_not_rounded():
    one = np.ones(1, dtype=np.int64)
    with pytest.raises(Refused, match="too large"):
        cheapest_flow(0 * one, one, room=one, cost=one << 61, supply=np.array([1, -1]))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("seats", [1, 2])
def test_the_nearest_in_a_plane_are_planned_as_another_solver_does(seed, seats):
    """Points in a plane: the score falls with the distance, and no two neighbours agree."""
    rng = np.random.default_rng(seed)
    here, there = rng.random((50, 2)), rng.random((40, 2))
    apart = np.linalg.norm(here[:, None] - there, axis=2)
    problem = full(np.rint(1000 * (2 - apart)).astype(int), [seats] * 40)
    plan = solve(problem)
    assert (plan.matched, plan.total) == assigned_by_scipy(problem)
    assert certify(problem, plan).optimal


@pytest.mark.parametrize("seed", range(5))
def test_whoever_wants_two_coaches_gets_what_two_learners_alike_would(seed):
    """Skills of low rank with many ties; twins who may not share a coach are one who wants two."""
    rng = np.random.default_rng(seed)
    score = np.rint(rng.integers(0, 4, (12, 2)) @ rng.integers(0, 4, (2, 15))).astype(int)
    # One seat a coach, so that two of the same learner can never meet at one.
    both = full(score, [1] * 15, demand=[2] * 5 + [1] * 7)
    twins = full(np.concatenate([score, score[:5]]), [1] * 15)
    plan = solve(both)
    assert (plan.matched, plan.total) == assigned_by_scipy(twins)
    assert certify(both, plan).optimal


def test_the_random_problems_hold_everything_that_may_go_wrong():
    seen = set()
    for seed in range(400):
        problem = random_problem(np.random.default_rng(seed), ids=seed % 2 == 0)
        seen |= {f"wants {d}" for d in problem.demand.tolist()}
        seen |= {"no seat"} if (problem.capacity == 0).any() else set()
        seen |= {"nought"} if (problem.score == 0).any() else set()
        seen |= {"ties"} if np.unique(problem.score).size < problem.score.size else set()
        seen |= {"pinned"} if problem.pinned.size else set()
        seen |= {"forbidden"} if problem.forbidden.size else set()
        seen |= {"nobody"} if problem.learners == 0 else set()
        seen |= {"scarce"} if problem.capacity.sum() < problem.demand.sum() else set()
    assert seen == {
        *("wants 0", "wants 1", "wants 2", "no seat", "nought", "ties"),
        *("pinned", "forbidden", "nobody", "scarce"),
    }
