"""What a learner lacks, what a coach may teach, and the problem that follows."""

import numpy as np
import pytest

from coaching.domain import matching
from coaching.domain.pairing import NOTHING, codes, pairing, parts_of


def pair_up(need, skill, **more):
    possible = np.ones((len(need), len(skill)), dtype=bool)
    return pairing(**{"need": need, "skill": skill, "weights": [1, 1], "possible": possible} | more)


def test_a_pair_works_on_what_the_one_lacks_and_the_other_is_strong_in():
    found = pair_up([[0.9, 0.6]], [[0.2, 0.9], [0.9, 0.55], [0.4, 0.4]])
    assert found.focus.tolist() == [[1, 0, NOTHING]]
    assert [side.tolist() for side in found.candidates] == [[0, 0], [0, 1]]


def test_somebody_without_one_clear_weakness_works_on_the_largest():
    assert pair_up([[0.3, 0.45]], [[0.9, 0.9]]).focus.tolist() == [[1]]


def test_nobody_works_on_nothing():
    assert pair_up([[0, 0], [np.nan, np.nan]], [[0.9, 0.9]]).focus.tolist() == [[-1], [-1]]


def test_a_raised_hand_asks_for_one_skill_only():
    found = pair_up([[0.9, 0.0]], [[0.9, 0.8], [0.9, 0.1]], asks=[1])
    assert found.focus.tolist() == [[1, NOTHING]]
    assert found.scores.block(0, 1).tolist() == [[800, 100]]


def test_what_somebody_has_a_coach_for_already_is_not_worked_on_twice():
    found = pair_up([[0.9, 0.7]], [[0.9, 0.9]], taken=[[True, False]])
    assert found.focus.tolist() == [[1]]


def test_the_numbers_given_stay_as_they_were():
    need = np.array([[0.9, 0.1]])
    pair_up(need, [[0.9, 0.9]], asks=[1])
    assert need.tolist() == [[0.9, 0.1]]


def test_nobody_on_either_side_is_no_error():
    found = pairing(
        need=np.zeros((0, 2)), skill=np.zeros((3, 2)), weights=[1, 1], possible=np.zeros((0, 3))
    )
    plan = matching.solve(found.problem(seats=[2, 2, 2]))
    assert plan.matched == 0


def test_a_floor_closes_poor_pairs_but_no_pinned_one():
    found = pair_up([[0.9, 0.0], [0.9, 0.0]], [[0.6, 0.0], [0.9, 0.0]])
    free = found.problem(seats=[2, 2], floor=800)
    assert free.coach.tolist() == [1, 1]
    pinned = found.problem(seats=[2, 2], floor=800, pinned=[(0, 0)])
    assert matching.solve(pinned).pairs == [(0, 0), (1, 1)]


def test_nobody_coaches_themselves_where_both_sides_are_one_list():
    found = pair_up([[0.9, 0.0]], [[0.9, 0.0]])
    with pytest.raises(matching.Refused):
        found.problem(seats=[1], learner_ids=[7], coach_ids=[7])


def test_the_parts_add_up_to_the_score():
    mine, theirs = codes(["north"], ["north", "south", ""])
    found = pair_up([[0.9, 0.6]], [[0.9, 0.8]] * 3, same=[(mine, theirs, 100)])
    parts = parts_of(found, 0, 0, metrics=["CSAT", "Handle time"], shared={"Same site": 100})
    assert sum(points for _, points in parts) == found.scores.pairs([0], [0])[0]
    assert [name for name, _ in parts] == ["CSAT", "Handle time", "Same site"]
    assert found.scores.preference([0, 0, 0], [0, 1, 2]).tolist() == [100, 0, 0]
