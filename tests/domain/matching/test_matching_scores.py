from fractions import Fraction

import numpy as np
import pytest

from coaching.domain.matching import build_scores, focus_metric


@pytest.fixture
def scores():
    rng = np.random.default_rng(5)
    need = np.round(rng.random((40, 5)), 2)
    need[7] = 0
    return build_scores(need, np.round(rng.random((30, 5)), 2), [3, 2, 1, 1, 0.5])


def test_a_score_is_the_floor_of_the_weighted_mean_skill_in_what_is_needed():
    rng = np.random.default_rng(1)
    need, skill = rng.integers(0, 101, (6, 3)), rng.integers(0, 101, (5, 3))
    weights = [3, 2, 1]
    block = build_scores(need / 100, skill / 100, weights).block(0, 6)
    for i, j in np.ndindex(6, 5):
        lacking = [int(n) * w for n, w in zip(need[i], weights, strict=True)]
        gain = sum(n * Fraction(int(s), 100) for n, s in zip(lacking, skill[j], strict=True))
        assert block[i, j] == 1000 * gain // sum(lacking)


def test_round_numbers_do_not_fall_off_the_edge():
    """0.7 has no exact binary value; its score is 700 all the same."""
    need = [[0.1, 0.7, 0.2]]
    for percent in range(101):
        skill = [[percent / 100] * 3]
        assert build_scores(need, skill, [1 / 3, 0.1, 7]).block(0, 1)[0, 0] == percent * 10


def test_a_score_does_not_depend_on_its_block(scores):
    whole = scores.block(0, 40)
    rows = [scores.block(i, i + 1)[0] for i in range(40)]
    assert (whole == rows).all()
    learner, coach = np.indices(whole.shape).reshape(2, -1)
    assert scores.pairs(learner, coach).tolist() == whole.ravel().tolist()


def test_parts_add_up_to_the_score_and_none_is_off_by_one(scores):
    learner, coach = np.indices(scores.shape).reshape(2, -1)
    parts = scores.parts(learner, coach)
    assert (parts >= 0).all()
    assert parts.sum(axis=1).tolist() == scores.block(0, 40).ravel().tolist()
    exact = scores.share[learner] * scores.skill[coach]
    exact /= np.maximum(scores.share.sum(axis=1)[learner, None] * 1000, 1)
    assert (np.abs(parts - exact) < 1).all()


def test_a_learner_who_lacks_nothing_scores_nought(scores):
    assert not scores.block(7, 8).any()


def test_preference_points_are_added_on_top():
    points = np.array([[7, 0]])
    same = (([1], [1, 2], 50), ([-1], [-1, -1], 90))
    scores = build_scores([[1]], [[0.5], [0.25]], [1], points=points, same=same)
    assert scores.block(0, 1).tolist() == [[557, 250]]
    assert scores.preference([0, 0], [0, 1]).tolist() == [57, 0]
    assert scores.parts([0], [0]).tolist() == [[500]]


def test_large_points_need_a_wider_type():
    scores = build_scores([[1]], [[1]], [1], same=(([1], [1], 100_000),))
    assert scores.block(0, 1).tolist() == [[101_000]]


def test_very_large_weights_stay_exact():
    assert build_scores([[1, 1]], [[1, 0.5]], [1e9, 1e9]).block(0, 1).tolist() == [[750]]


def test_the_focus_is_the_largest_part_the_coach_may_teach():
    parts = np.array([[10, 30, 30], [10, 30, 30], [10, 30, 30]])
    may = np.array([[True, True, True], [True, False, False], [False, False, False]])
    assert focus_metric(parts, may).tolist() == [1, 0, -1]


@pytest.mark.parametrize(
    ("need", "skill", "weights", "more", "why"),
    [
        ([[1, 1]], [[1]], [1], {}, "same metrics"),
        ([[-1]], [[1]], [1], {}, "need"),
        ([[1]], [[1.5]], [1], {}, "skill"),
        ([[1]], [[np.nan]], [1], {}, "skill"),
        ([[1]], [[1]], [-1], {}, "weight"),
        ([[1]], [[1]], [1], {"points": np.array([[-1]])}, "0 or more"),
        ([[1]], [[1]], [1], {"points": np.array([[0.5]])}, "whole"),
        ([[1]], [[1]], [1], {"same": (([1], [1], -5),)}, "0 or more"),
        ([[1]], [[1]], [1], {"same": (([1, 2], [1], 5),)}, "one code"),
    ],
)
def test_what_makes_no_sense_is_refused(need, skill, weights, more, why):
    with pytest.raises(ValueError, match=why):
        build_scores(need, skill, weights, **more)
