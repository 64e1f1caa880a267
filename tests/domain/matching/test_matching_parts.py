import numpy as np
import pytest
from second_opinion import objectives, random_problem

from coaching.domain.matching import Exchanges, Problem, certify, solve, solve_parts, strata


def side_by_side(rng, *, sites=4, highest=None):
    """Several random problems as one, people and pairs shuffled, every person with an id."""
    pieces = [random_problem(rng, highest=highest) for _ in range(sites)]
    learners, coaches = (sum(getattr(p, side) for p in pieces) for side in ("learners", "coaches"))
    who, whom = rng.permutation(learners), rng.permutation(coaches)
    columns = {name: [] for name in ("learner", "coach", "score", "pinned", "forbidden")}
    demand, capacity = np.zeros(learners, int), np.zeros(coaches, int)
    n = m = 0
    for piece in pieces:
        mine, theirs = who[n : n + piece.learners], whom[m : m + piece.coaches]
        demand[mine], capacity[theirs] = piece.demand, piece.capacity
        columns["learner"].append(mine[piece.learner])
        columns["coach"].append(theirs[piece.coach])
        columns["score"].append(piece.score)
        for rule in ("pinned", "forbidden"):
            pairs = getattr(piece, rule)
            columns[rule].append(np.stack([mine[pairs[:, 0]], theirs[pairs[:, 1]]], axis=1))
        n, m = n + piece.learners, m + piece.coaches
    return Problem(
        learners=learners,
        coaches=coaches,
        capacity=capacity,
        demand=demand,
        learner_ids=rng.permutation(1000)[:learners],
        coach_ids=rng.permutation(1000)[:coaches],
        **{name: np.concatenate(found) for name, found in columns.items()},
    )


@pytest.mark.parametrize("seed", range(150))
def test_the_parts_together_are_the_plan_of_the_whole(seed):
    """Person by person, with rules, scarce seats, ties and people who want two."""
    rng = np.random.default_rng(seed)
    problem = side_by_side(rng, highest=int(rng.choice([1, 2, 10, 1000])))
    whole, parts = solve(problem), solve_parts(problem)
    assert objectives(parts) == objectives(whole)
    assert parts.pairs == whole.pairs
    assert parts.pinned.tolist() == whole.pinned.tolist()
    assert parts.unfilled.tolist() == whole.unfilled.tolist()
    assert certify(problem, parts).optimal
    Exchanges(problem, parts)  # refuses prices that do not fit


def test_parts_are_solved_by_several_processes_too():
    problem = side_by_side(np.random.default_rng(3))
    assert solve_parts(problem, processes=2).pairs == solve(problem).pairs


@pytest.mark.parametrize("seed", range(50))
def test_every_learner_is_in_one_part_and_no_pair_leads_out(seed):
    problem = side_by_side(np.random.default_rng(seed))
    parts = strata(problem)
    learners = np.concatenate([who for who, _ in parts])
    assert sorted(learners) == list(range(problem.learners))
    sizes = [len(who) + len(whom) for who, whom in parts]
    assert sizes == sorted(sizes, reverse=True)
    part_of_learner, part_of_coach = {}, {}
    for number, (who, whom) in enumerate(parts):
        part_of_learner |= dict.fromkeys(who.tolist(), number)
        assert not part_of_coach.keys() & set(whom.tolist())
        part_of_coach |= dict.fromkeys(whom.tolist(), number)
    barred = set(map(tuple, problem.forbidden.tolist()))
    for i, j in zip(problem.learner.tolist(), problem.coach.tolist(), strict=True):
        if (i, j) not in barred and problem.demand[i]:
            assert part_of_learner[i] == part_of_coach[j]


def test_a_forbidden_pair_joins_nothing():
    pairs = {"learner": [0, 1, 1], "coach": [0, 1, 0], "score": [1, 1, 1]}
    both = {"learners": 2, "coaches": 2, "capacity": [1, 1], **pairs}
    assert len(strata(Problem(**both))) == 1
    assert len(strata(Problem(**both, forbidden=[(1, 0)]))) == 2


def test_a_learner_nobody_can_coach_is_a_part_without_coaches():
    problem = Problem(learners=1, coaches=1, capacity=[1], learner=[], coach=[], score=[])
    ((who, whom),) = strata(problem)
    assert (who.tolist(), whom.tolist()) == ([0], [])
    assert solve_parts(problem).unfilled.tolist() == [1]


def test_nobody_is_no_part():
    problem = Problem(learners=0, coaches=2, capacity=[1, 1], learner=[], coach=[], score=[])
    assert strata(problem) == []
    assert solve_parts(problem).pairs == []


def test_a_part_is_no_fairer_than_the_whole_can_be():
    """
    At the second site the same total comes as (5, 5, 9), with two learners at one coach, or as
    (2, 8, 9), with one at each. Alone it is the first; beside a pair of 1 the even load wins.
    """
    second = {
        "learner": [0, 0, 1, 1, 2],
        "coach": [0, 2, 0, 1, 1],
        "score": [5, 2, 8, 5, 9],
    }
    alone = Problem(learners=3, coaches=3, capacity=[1, 2, 1], **second)
    assert solve_parts(alone).pairs == [(0, 0), (1, 1), (2, 1)]
    beside = {"learner": 3, "coach": 3, "score": 1}
    both = {column: [*second[column], beside[column]] for column in second}
    both = Problem(learners=4, coaches=4, capacity=[1, 2, 1, 1], **both)
    assert solve_parts(both).pairs == solve(both).pairs == [(0, 2), (1, 0), (2, 1), (3, 3)]
