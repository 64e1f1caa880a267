import numpy as np
import pytest
from second_opinion import assigned_by_scipy, objectives

from coaching.domain.matching import (
    Problem,
    Refused,
    build_scores,
    regret,
    regret_dense,
    solve,
    solve_dense,
)
from coaching.domain.matching.glance import Glance
from coaching.domain.matching.skill_table import SkillTable


def sparse(score, capacity, **rules):
    learner, coach = np.nonzero(score >= 0)
    return Problem(
        learners=score.shape[0],
        coaches=score.shape[1],
        capacity=capacity,
        learner=learner,
        coach=coach,
        score=score[learner, coach],
        **rules,
    )


def random_table(rng):
    n, m = (int(rng.integers(0, most)) for most in rng.choice([(8, 6), (60, 40)]))
    score = rng.integers(rng.choice([-1, 0]), rng.choice([1, 3, 30, 1000]) + 1, (n, m))
    capacity = rng.integers(0, rng.choice([2, 4]), m)
    wanting, seats = rng.random(n) < 0.9, capacity.copy()
    asking = wanting.copy()
    pinned, forbidden = [], []
    for i, j in np.ndindex(n, m):
        luck = rng.random()
        if luck < 0.02 and score[i, j] >= 0 and asking[i] and seats[j]:
            pinned.append((i, j))
            asking[i] = False
            seats[j] -= 1
        elif luck > 0.95:
            forbidden.append((i, j))
    ids = {
        "learner_ids": rng.permutation(10_000)[:n],
        "coach_ids": rng.permutation(10_000)[:m],
    }
    return score, capacity, wanting, {"pinned": pinned, "forbidden": forbidden, **ids}


@pytest.mark.parametrize("seed", range(150))
def test_few_candidates_lead_to_the_plan_of_all_pairs(seed):
    """Scarce and slack tables with holes, pins, rules and idle learners: person by person."""
    score, capacity, wanting, rules = random_table(np.random.default_rng(seed))
    found = solve_dense(
        score, capacity=capacity, wanting=wanting, best=2, random=1, add=2, max_rounds=200, **rules
    )
    exact = solve(sparse(score, capacity, demand=wanting.astype(int), **rules))
    assert found.optimal
    assert found.tie_break_complete
    assert objectives(found.plan) == objectives(exact)
    assert found.plan.pairs == exact.pairs


@pytest.mark.parametrize("seats", [1, 2, 3], ids=["scarce", "tight", "slack"])
def test_skill_scores_are_planned_from_blocks(seats):
    rng = np.random.default_rng(seats)
    n, m = 600, 300
    scores = build_scores(rng.random((n, 4)), rng.random((m, 4)), [1, 2, 3, 1])
    asked = []

    def blocks(start, stop):
        asked.append(stop - start)
        return scores.block(start, stop)

    found = solve_dense(blocks, learners=n, capacity=np.full(m, seats))
    table = sparse(scores.block(0, n), np.full(m, seats))
    assert found.optimal
    assert (found.plan.matched, found.plan.total) == assigned_by_scipy(table)
    assert found.candidates < n * m / 3
    assert max(asked) < n + 300


def test_a_bounded_gap_is_reported_when_rounds_run_out():
    rng = np.random.default_rng(0)
    score = rng.integers(0, 10_000, (200, 100))
    found = solve_dense(score, capacity=np.full(100, 2), best=1, random=2, add=1, max_rounds=1)
    best = solve(sparse(score, np.full(100, 2)))
    assert found.rounds == 1
    assert found.gap > 0
    assert not found.optimal
    value = found.plan.total + found.plan.seat_value * found.plan.matched
    assert value + found.gap >= best.total + found.plan.seat_value * best.matched


def test_everybody_alike_is_no_trouble():
    found = solve_dense(np.full((300, 90), 7, dtype=np.int16), capacity=np.full(90, 4))
    assert found.optimal
    assert found.plan.total == 2100
    assert sorted(set(found.plan.load.tolist())) == [3, 4]


def test_without_any_seat_nothing_can_be_insisted_on():
    score = np.array([[4], [25]])
    plan = solve_dense(score, capacity=[0]).plan
    assert plan.matched == 0
    assert not regret_dense(lambda a, b: score[a:b], plan, 0, capacity=[0]).possible.any()


def test_the_table_of_the_caller_is_left_alone():
    score = np.ones((3, 3), dtype=np.uint8)
    found = solve_dense(score, capacity=[1, 1, 1], forbidden=[(0, 0)])
    assert score.tolist() == np.ones((3, 3)).tolist()
    assert (0, 0) not in found.plan.pairs


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"pinned": [(0, 0), (1, 0)]}, "Coach 0 has 1 seats but 2 pins"),
        ({"pinned": [(0, 0), (0, 1)]}, "Learner 0 has more pins"),
        ({"pinned": [(0, 0)], "forbidden": [(0, 0)]}, "may not be paired"),
        ({"pinned": [(0, 5)]}, "unknown"),
    ],
)
def test_contradictions_are_refused(rules, why):
    with pytest.raises(Refused, match=why):
        solve_dense(np.ones((2, 2), dtype=int), capacity=[1, 1], **rules)


def test_scores_that_are_not_whole_are_refused():
    with pytest.raises(Refused, match="whole"):
        solve_dense(np.ones((2, 2)), capacity=[1, 1])


@pytest.mark.parametrize("seed", range(30))
def test_the_price_of_insisting_is_the_same_as_on_all_pairs(seed):
    score, capacity, wanting, rules = random_table(np.random.default_rng(seed))
    problem = sparse(score, capacity, demand=wanting.astype(int), **rules)
    plan = solve(problem)
    allowed = score.copy()
    for pair in rules["forbidden"]:
        allowed[pair] = -1
    for learner in range(min(score.shape[0], 5)):
        exact = regret(problem, plan, learner)
        found = regret_dense(lambda a, b: allowed[a:b], plan, learner, capacity=capacity)
        assert found.possible.tolist() == exact.possible.tolist()
        assert (
            found.lost_seats[found.possible].tolist() == exact.lost_seats[exact.possible].tolist()
        )
        assert (
            found.lost_score[found.possible].tolist() == exact.lost_score[exact.possible].tolist()
        )
        for coach in np.flatnonzero(found.possible).tolist():
            pairs = set(plan.pairs)
            for move in found.moves(coach):
                pairs -= {(move.learner, move.leaves)}
                pairs |= {(move.learner, move.takes)} if move.takes >= 0 else set()
            total = sum(int(allowed[pair]) for pair in pairs)
            assert len(pairs) == plan.matched - found.lost_seats[coach]
            assert total == plan.total - found.lost_score[coach]


def skill_table(rng, *, decimals):
    """Skills that tie often, people with codes, rules and pins: scores and how to plan them."""
    n, m, metrics = (int(rng.integers(1, most)) for most in (90, 300, 5))
    need, skill = rng.random((n, metrics)), rng.random((m, metrics))
    need[rng.random(n) < 0.1] = 0
    sites = (rng.integers(-1, 3, n), rng.integers(-1, 3, m), int(rng.choice([0, 40])))
    scores = build_scores(
        np.round(need, decimals), np.round(skill, decimals), np.ones(metrics), same=(sites,)
    )
    capacity = rng.integers(0, rng.choice([2, 4]), m)
    pairs = np.stack([rng.integers(0, n, n // 2), rng.integers(0, m, n // 2)], axis=1)
    pairs = np.unique(pairs, axis=0)
    learner, coach = pairs[0] if len(pairs) else (0, 0)
    pinned = [(learner, coach)] if len(pairs) and capacity[coach] else []
    rules = {
        "wanting": (rng.random(n) < 0.9) | (np.arange(n) == learner),
        "forbidden": pairs[1:],
        "pinned": pinned,
        "learner_ids": rng.permutation(10_000)[:n],
        "coach_ids": rng.permutation(10_000)[:m],
    }
    return scores, capacity, rules


@pytest.mark.parametrize("seed", range(60))
def test_a_glance_at_skills_leads_to_the_plan_of_all_pairs(seed):
    """Single precision looks, whole numbers decide: person by person, with ties and rules."""
    scores, capacity, rules = skill_table(np.random.default_rng(seed), decimals=1 + seed % 2)
    found = solve_dense(scores, capacity=capacity, best=2, random=1, add=3, max_rounds=200, **rules)
    wanting = rules.pop("wanting")
    exact = solve(
        sparse(scores.block(0, wanting.size), capacity, demand=wanting.astype(int), **rules)
    )
    assert found.optimal
    assert found.tie_break_complete
    assert objectives(found.plan) == objectives(exact)
    assert found.plan.pairs == exact.pairs


@pytest.mark.parametrize("seed", range(20))
def test_a_glance_never_misses_the_best_surplus(seed):
    rng = np.random.default_rng(seed)
    scores, capacity, rules = skill_table(rng, decimals=1 + seed % 3)
    n, m = scores.shape
    barred = rules["forbidden"][np.argsort(rules["forbidden"][:, 0], kind="stable")]
    price = rng.integers(0, rng.choice([2, 900]), m)
    surplus = scores.block(0, n) - price.astype(np.int64)
    surplus[:, capacity == 0] = -(2**60)
    surplus[barred[:, 0], barred[:, 1]] = -(2**60)
    rows = np.flatnonzero(rng.random(n) < 0.8)
    seen = []
    for tile in Glance(scores, capacity > 0).sweep(price, rows, barred):
        assert tile.top(price).tolist() == surplus[tile.rows].max(axis=1).tolist()
        seen += tile.rows.tolist()
    assert sorted(seen) == rows.tolist()


@pytest.mark.parametrize("astray", [0.5, 300.0])
def test_a_look_led_astray_names_others_but_always_the_best(astray):
    rng = np.random.default_rng(3)
    scores, price = build_scores(rng.random((50, 3)), rng.random((500, 3)), [1] * 3), np.zeros(500)
    table = scores.block(0, 50)
    (tile,) = Glance(scores, np.ones(500, dtype=bool)).sweep(
        price.astype(int), np.arange(50), np.zeros((0, 2), dtype=int)
    )
    learner, coach = tile.candidates(np.arange(50), 3, astray)
    best = np.zeros(50)
    np.maximum.at(best, learner, table[learner, coach])
    assert (np.bincount(learner) == 3).all()
    assert best.tolist() == table.max(axis=1).tolist()
    plainly = set(zip(*(x.tolist() for x in tile.candidates(np.arange(50), 3)), strict=True))
    assert set(zip(learner.tolist(), coach.tolist(), strict=True)) != plainly


@pytest.mark.parametrize("seats", [1, 2, 3], ids=["scarce", "tight", "slack"])
def test_both_sides_name_whom_they_see(seats):
    """Every coach is somebody's candidate, and few pairs lead to the plan of all."""
    rng = np.random.default_rng(seats)
    n, m = 600, 300
    scores = build_scores(np.round(rng.random((n, 4)), 2), np.round(rng.random((m, 4)), 2), [1] * 4)
    table = SkillTable(scores, capacity=np.full(m, seats), wanting=None)
    learner, coach, score = table.first_candidates(4, 0, rng)
    assert np.unique(coach).size == m
    assert score.tolist() == scores.block(0, n)[learner, coach].tolist()
    found = solve_dense(scores, capacity=np.full(m, seats))
    exact = sparse(scores.block(0, n), np.full(m, seats))
    assert found.optimal
    assert (found.plan.matched, found.plan.total) == assigned_by_scipy(exact)
    assert found.candidates < n * m / 3


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "skills"])
@pytest.mark.parametrize("seed", range(8))
def test_a_change_starts_from_the_plan_before_it(seed, stored):
    """A pin and a ban later the plan is the same as if it had been planned anew."""
    rng = np.random.default_rng(seed)
    n, m = 300, 120
    table = build_scores(np.round(rng.random((n, 4)), 2), np.round(rng.random((m, 4)), 2), [1] * 4)
    table = table.block(0, n) if stored else table
    capacity = np.full(m, rng.choice([2, 3, 4]))
    before = solve_dense(table, capacity=capacity)
    pairs = before.plan.pairs
    rules = {"forbidden": [pairs[5], pairs[50]], "pinned": [(7, 3)]}
    after = solve_dense(table, capacity=capacity, start=before, **rules)
    anew = solve_dense(table, capacity=capacity, **rules)
    assert after.optimal
    assert after.plan.pairs == anew.plan.pairs
    assert after.plan.pairs != pairs
    again = solve_dense(table, capacity=capacity, start=after)
    assert again.plan.pairs == pairs


def by_id(plan, ids):
    learners, coaches = ids["learner_ids"], ids["coach_ids"]
    return sorted(zip(learners[plan.learner].tolist(), coaches[plan.coach].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_people_in_another_order_get_the_same_plan(seed):
    """With many ties, from skills and from a stored table."""
    rng = np.random.default_rng(seed)
    n, m = 120, 60
    need, skill = np.round(rng.random((n, 3)), 1), np.round(rng.random((m, 3)), 1)
    ids = {"learner_ids": rng.permutation(1000)[:n], "coach_ids": rng.permutation(1000)[:m]}
    capacity = rng.integers(0, 4, m)
    who, whom = rng.permutation(n), rng.permutation(m)
    moved = {"learner_ids": ids["learner_ids"][who], "coach_ids": ids["coach_ids"][whom]}
    plan = solve_dense(build_scores(need, skill, [1, 1, 1]), capacity=capacity, **ids).plan
    other = build_scores(need[who], skill[whom], [1, 1, 1])
    for table in (other, other.block(0, n)):
        again = solve_dense(table, capacity=capacity[whom], **moved).plan
        assert by_id(again, moved) == by_id(plan, ids)


@pytest.mark.parametrize("size", [30, 200])
def test_machol_and_wien_have_a_closed_form_in_a_dense_table_too(size):
    table = np.multiply.outer(np.arange(1, size + 1), np.arange(1, size + 1))
    found = solve_dense(table, capacity=np.ones(size, dtype=int), max_rounds=200)
    assert found.optimal
    assert found.plan.total == size * (size + 1) * (2 * size + 1) // 6
