import numpy as np
import pytest

from coaching.domain.matching import Refused, build_scores, people, solve_dense, solve_people


def market(n=700, m=320):
    rng = np.random.default_rng(0)
    return build_scores(np.round(rng.random((n, 4)), 2), np.round(rng.random((m, 4)), 2), [1] * 4)


@pytest.fixture
def cut_apart(monkeypatch):
    """People are planned in two parts."""
    monkeypatch.setattr(people, "EXACT", 700 * 320 // 4)


SUPPLY = pytest.mark.parametrize(
    ("coaches", "seats"),
    [(300, 1), (350, 2), (320, 3)],
    ids=["scarce", "tight", "slack"],
)


@SUPPLY
@pytest.mark.usefixtures("cut_apart")
def test_in_parts_by_lot_nearly_as_good_as_together(coaches, seats):
    n = 700
    scores, capacity = market(n, coaches), np.full(coaches, seats)
    best = solve_dense(scores, capacity=capacity).plan
    found = solve_people(scores, capacity=capacity, tolerance=0.0)
    assert found.parts > 1
    assert found.plan.matched == best.matched
    assert 0.98 * best.total <= found.plan.total <= best.total
    assert (found.plan.load <= capacity).all()
    assert found.plan.unfilled.sum() == n - best.matched
    assert found.plan.score.tolist() == scores.pairs(found.plan.learner, found.plan.coach).tolist()


@SUPPLY
@pytest.mark.usefixtures("cut_apart")
def test_with_everybody_in_the_sample_the_gap_is_proven(coaches, seats):
    scores, capacity = market(700, coaches), np.full(coaches, seats)
    best = solve_dense(scores, capacity=capacity).plan
    found = solve_people(scores, capacity=capacity, sample=700)
    assert found.gap_error == 0
    assert best.total <= found.plan.total + found.gap <= 1.05 * found.plan.total


@pytest.mark.usefixtures("cut_apart")
def test_the_estimate_of_the_gap_is_fair(monkeypatch):
    """Over many samples it lies around what looking at everybody says."""
    kept = []
    monkeypatch.setattr(
        people._Market, "gap", lambda self, price, *_: kept.append((self, price)) or (0, 0)
    )
    solve_people(market(), capacity=np.full(320, 3))
    [(seen, price)] = kept
    monkeypatch.undo()
    exact, error = seen.gap(price, 700, np.random.default_rng(0))
    assert error == 0
    guesses = [seen.gap(price, 60, np.random.default_rng(seed)) for seed in range(200)]
    gaps, errors = np.array(guesses).T
    assert abs(gaps.mean() - exact) < 4 * gaps.std() / np.sqrt(200)
    # Squared errors are what is estimated without bias; few learners have much to gain.
    assert np.sqrt((errors**2).mean()) == pytest.approx(gaps.std(), rel=0.2)


@pytest.mark.usefixtures("cut_apart")
def test_who_asks_for_nothing_and_who_has_no_seat_are_in_no_part():
    wanting = np.arange(700) % 7 > 0
    capacity = np.where(np.arange(320) % 5 > 0, 3, 0)
    found = solve_people(market(), capacity=capacity, wanting=wanting)
    assert found.plan.matched == wanting.sum()
    assert wanting[found.plan.learner].all()
    nobody = solve_people(market(), capacity=np.zeros(320, dtype=int))
    assert (nobody.plan.matched, nobody.gap, nobody.parts) == (0, 0, 0)


def test_a_small_table_is_planned_exactly():
    scores, capacity = market(), np.full(320, 3)
    found = solve_people(scores, capacity=capacity, tolerance=0.0)
    assert (found.gap, found.gap_error) == (0, 0)
    assert found.plan.total == solve_dense(scores, capacity=capacity).plan.total


@pytest.mark.parametrize("processes", [1, 2])
def test_blocks_are_planned_on_their_own(processes):
    rng = np.random.default_rng(1)
    sites = rng.integers(0, 3, 200), rng.integers(1, 4, 90)
    scores, capacity = market(200, 90), rng.integers(0, 4, 90)
    found = solve_people(
        scores, capacity=capacity, blocks=sites, tolerance=0.0, processes=processes
    )
    foreign = sites[0][:, None] != sites[1]
    best = solve_dense(scores, capacity=capacity, forbidden=np.argwhere(foreign)).plan
    assert found.parts == 2
    assert (found.plan.matched, found.plan.total) == (best.matched, best.total)
    assert not foreign[found.plan.learner, found.plan.coach].any()
    assert found.plan.unfilled[sites[0] == 0].all()


def test_who_wants_no_coach_gets_none():
    wanting = np.arange(700) % 7 > 0
    found = solve_people(market(), capacity=np.full(320, 3), wanting=wanting)
    assert found.plan.matched == wanting.sum()
    assert wanting[found.plan.learner].all()
    assert not found.plan.unfilled.any()


@pytest.mark.usefixtures("cut_apart")
def test_the_same_people_get_the_same_plan_again():
    plans = [solve_people(market(), capacity=np.full(320, 2)).plan.pairs for _ in range(2)]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("capacity", [[1, -1], [1], [0.5, 1]])
def test_seats_that_make_no_sense_are_refused(capacity):
    with pytest.raises(Refused, match="seats"):
        solve_people(market(3, 2), capacity=capacity)


def test_what_is_not_for_so_many_people_is_refused():
    scores = build_scores([[1]], [[1]], [1], points=np.array([[1]]))
    with pytest.raises(ValueError, match="codes"):
        solve_people(scores, capacity=[1])
    with pytest.raises(ValueError, match="one code for each"):
        solve_people(market(3, 2), capacity=[1, 1], blocks=([1], [1, 2]))
