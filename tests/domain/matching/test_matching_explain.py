import numpy as np
import pytest
from second_opinion import random_problem

from coaching.domain.matching import (
    NOBODY,
    Exchanges,
    Move,
    Problem,
    Refused,
    regret,
    runner_up,
    runner_up_learner,
    solve,
    why_unmatched,
)


def changed(problem, **changes):
    kept = {
        key: getattr(problem, key)
        for key in (
            "learners",
            "coaches",
            "capacity",
            "learner",
            "coach",
            "score",
            "demand",
            "pinned",
            "forbidden",
            "learner_ids",
            "coach_ids",
        )
    }
    return Problem(**kept | changes)


def best_with(problem, pair):
    """Solve again with the pair pinned; None where no plan can contain it."""
    try:
        return solve(changed(problem, pinned=[*problem.pinned.tolist(), pair]))
    except Refused:
        return None


@pytest.mark.parametrize("seed", range(120))
def test_the_price_of_insisting_is_what_solving_again_would_cost(seed):
    problem = random_problem(np.random.default_rng(seed), ids=seed % 2 == 0)
    plan = solve(problem)
    for learner, coach in np.ndindex(problem.learners, problem.coaches):
        price = regret(problem, plan, learner)
        pair = (learner, coach)
        other = plan if pair in plan.pairs else best_with(problem, pair)
        assert price.possible[coach] == (other is not None)
        if other is not None:
            assert price.lost_seats[coach] == plan.matched - other.matched
            assert price.lost_score[coach] == plan.total - other.total
            assert_moves_make_the_plan(problem, plan, price, coach, other)


def assert_moves_make_the_plan(problem, plan, price, coach, other):
    score = {
        pair: worth
        for *pair, worth in zip(problem.learner, problem.coach, problem.score, strict=True)
        for pair in [tuple(map(int, pair))]
    }
    pairs = set(plan.pairs)
    for move in price.moves(coach):
        if move.leaves != NOBODY:
            pairs.remove((move.learner, move.leaves))
        if move.takes != NOBODY:
            assert (move.learner, move.takes) not in pairs
            pairs.add((move.learner, move.takes))
    assert (price.learner, coach) in pairs
    assert len(pairs) == other.matched
    assert sum(score[pair] for pair in pairs) == other.total
    load = np.bincount([k for _, k in pairs], minlength=problem.coaches)
    assert (load <= problem.capacity).all()


@pytest.fixture
def lea_and_otto():
    """Both would learn most from coach 0, who has one seat; Lea gains more there."""
    return Problem(
        learners=2,
        coaches=3,
        capacity=[1, 1, 1],
        learner=[0, 0, 0, 1, 1, 1],
        coach=[0, 1, 2, 0, 1, 2],
        score=[90, 50, 10, 80, 70, 5],
    )


def test_it_says_who_would_move_where(lea_and_otto):
    plan = solve(lea_and_otto)
    assert plan.pairs == [(0, 0), (1, 1)]
    price = regret(lea_and_otto, plan, 1)
    assert price.lost_score.tolist() == [30, 0, 65]
    assert price.moves(0) == [Move(1, 1, 0), Move(0, 0, 1)]
    assert price.moves(1) == []


def test_insisting_may_cost_a_seat_before_it_costs_score():
    """Otto has no other coach, so Lea's wish for his would leave him without."""
    problem = Problem(
        learners=2, coaches=2, capacity=[1, 1], learner=[0, 0, 1], coach=[0, 1, 1], score=[5, 9, 3]
    )
    plan = solve(problem)
    price = regret(problem, plan, 0)
    assert (price.lost_seats[1], price.lost_score[1]) == (1, 8 - 9)
    assert price.moves(1) == [Move(0, 0, 1), Move(1, 1, NOBODY)]


def test_a_pair_that_is_no_candidate_has_no_price(lea_and_otto):
    problem = changed(lea_and_otto, forbidden=[(0, 2)])
    price = regret(problem, solve(problem), 0)
    assert not price.possible[2]
    with pytest.raises(ValueError, match="No plan"):
        price.moves(2)


@pytest.mark.parametrize("seed", range(60))
def test_the_runner_up_is_whoever_would_cost_least(seed):
    problem = random_problem(np.random.default_rng(seed), ids=True)
    plan = solve(problem)
    exchanges = Exchanges(problem, plan)
    prices = [exchanges.regret(learner) for learner in range(problem.learners)]
    price = {
        (i, j): (prices[i].lost_seats[j], prices[i].lost_score[j])
        for i, j in np.ndindex(problem.learners, problem.coaches)
        if prices[i].possible[j] and (i, j) not in plan.pairs
    }
    for i in range(problem.learners):
        others = [((*price[a, j], problem.coach_ids[j]), j) for a, j in price if a == i]
        assert runner_up(problem, plan, i) == min(others, default=(0, NOBODY))[1]
    for j in range(problem.coaches):
        others = [((*price[i, b], problem.learner_ids[i]), i) for i, b in price if b == j]
        assert runner_up_learner(problem, plan, j) == min(others, default=(0, NOBODY))[1]


def test_without_another_candidate_there_is_no_runner_up():
    problem = Problem(learners=1, coaches=1, capacity=[1], learner=[0], coach=[0], score=[5])
    plan = solve(problem)
    assert runner_up(problem, plan, 0) == NOBODY
    assert runner_up_learner(problem, plan, 0) == NOBODY


@pytest.fixture
def crowded():
    """Five learners for the four seats of coaches 0 and 2; coach 1 is barred to learner 4."""
    learner = np.repeat(np.arange(5), 2)
    return Problem(
        learners=5,
        coaches=3,
        capacity=[2, 1, 2],
        learner=[*learner, 4],
        coach=[0, 2] * 5 + [1],
        score=[*range(10, 20), 3],
        forbidden=[(4, 1)],
    )


def test_it_names_the_competition_and_the_smallest_cures(crowded):
    plan = solve(crowded)
    (left_out,) = np.flatnonzero(plan.unfilled).tolist()
    why = why_unmatched(crowded, plan, left_out)
    assert why.competing_learners == [0, 1, 2, 3, 4]
    assert why.contested_coaches == [0, 2]
    assert why.seats == 4
    assert why.lift_one_of == [(4, 1)]
    assert why.reason == (
        "Five learners compete for the four seats of coaches 0 and 2; one more seat at either or "
        f"lifting the rule that forbids learner 4 with coach 1 would place learner {left_out}."
    )


def test_it_speaks_of_people_by_name(crowded):
    names = {"learner": ["Ada", "Ben", "Cleo", "Dan", "Eve"], "coach": ["Ivo", "Jo", "Kim"]}
    problem = changed(crowded, forbidden=[], capacity=[2, 0, 2])
    plan = solve(problem)
    (left_out,) = np.flatnonzero(plan.unfilled).tolist()
    why = why_unmatched(problem, plan, left_out, name=lambda role, at: names[role][at])
    assert "the four seats of Ivo, Jo and Kim; one more seat at any of them" in why.reason


def test_a_matched_learner_has_nothing_to_explain(crowded):
    plan = solve(crowded)
    with pytest.raises(ValueError, match="has every coach"):
        why_unmatched(crowded, plan, int(plan.learner[0]))


@pytest.mark.parametrize(
    ("capacity", "edges", "forbidden", "reason"),
    [
        ([1], [], [], "No coach is open to learner 0."),
        (
            [1],
            [(0, 0)],
            [(0, 0)],
            "No coach is open to learner 0: every candidate is forbidden; lifting the rule that "
            "forbids learner 0 with coach 0 would place learner 0.",
        ),
        (
            [0],
            [(0, 0)],
            [],
            "Coach 0, the only choice of learner 0, has no seat left; "
            "one more seat there would place learner 0.",
        ),
    ],
)
def test_a_learner_alone_is_told_why(capacity, edges, forbidden, reason):
    learner, coach = np.array(edges, dtype=int).reshape(-1, 2).T
    problem = Problem(
        learners=1,
        coaches=1,
        capacity=capacity,
        learner=learner,
        coach=coach,
        score=[1] * len(edges),
        forbidden=forbidden,
    )
    assert why_unmatched(problem, solve(problem), 0).reason == reason


@pytest.mark.parametrize("seed", range(120))
def test_every_cure_works_and_nothing_else_would(seed):
    problem = random_problem(np.random.default_rng(seed))
    plan = solve(problem)
    for learner in np.flatnonzero(plan.unfilled > 0).tolist():
        why = why_unmatched(problem, plan, learner)
        assert learner in why.competing_learners
        for coach in why.one_more_seat_at:
            seats = problem.capacity + (np.arange(problem.coaches) == coach)
            assert solve(changed(problem, capacity=seats)).matched == plan.matched + 1
        for pair in why.lift_one_of:
            rest = [rule for rule in problem.forbidden.tolist() if rule != list(pair)]
            assert solve(changed(problem, forbidden=rest)).matched == plan.matched + 1
