import numpy as np
import pytest

from coaching.domain.matching import Problem, Refused

TWO_BY_TWO = {
    "learners": 2,
    "coaches": 2,
    "capacity": [1, 1],
    "learner": [0, 0, 1],
    "coach": [0, 1, 0],
    "score": [5, 4, 3],
}


def reasons(**changes):
    with pytest.raises(Refused) as refused:
        Problem(**TWO_BY_TWO | changes)
    return refused.value.reasons


def test_a_sound_problem_is_accepted_and_cannot_be_changed():
    problem = Problem(**TWO_BY_TWO)
    assert problem.demand.tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        problem.score[0] = 9


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"score": [5, -4, 3]},
            "The score of learner 0 and coach 1 is -4; a score is a whole number, 0 or more.",
        ),
        (
            {"score": [5, 4.5, 3]},
            "The score of learner 0 and coach 1 is 4.5; a score is a whole number, 0 or more.",
        ),
        (
            {"score": np.array([5, np.nan, 3])},
            "The score of learner 0 and coach 1 is nan; a score is a whole number, 0 or more.",
        ),
        (
            {"score": [5, True, 3]},
            "The score of learner 0 and coach 1 is True; a score is a whole number, 0 or more.",
        ),
        (
            {"score": [5, "4", 3]},
            "The score of learner 0 and coach 1 is '4'; a score is a whole number, 0 or more.",
        ),
        (
            {"score": [5, None, 3]},
            "The score of learner 0 and coach 1 is None; a score is a whole number, 0 or more.",
        ),
        (
            {"learner": [0, 0, 2]},
            "Edge 2 names an unknown learner, 2; learners are numbered 0 to 1.",
        ),
        ({"coach": [0, 1, -1]}, "Edge 2 names an unknown coach, -1; coaches are numbered 0 to 1."),
        (
            {"coach": [0, 0, 0]},
            "Learner 0 and coach 0 are listed twice (edges 0 and 1, scores 5 and 4); keep one.",
        ),
        (
            {"capacity": [1, -1]},
            "The capacity of coach 1 is -1; it must be a whole number, 0 or more.",
        ),
        (
            {"capacity": [1]},
            "Capacity is 1 long; give one whole number for each of the 2 coaches.",
        ),
        (
            {"demand": [1, 0.5]},
            "The demand of learner 1 is 0.5; it must be a whole number, 0 or more.",
        ),
        (
            {"demand": 3},
            "Demand is not a list; give one whole number for each of the 2 learners.",
        ),
        (
            {"pinned": [(0, 0), (1, 0)]},
            "Coach 0 has one seat but two pins: learner 0 and learner 1. Lift a pin or add a seat.",
        ),
        (
            {"pinned": [(0, 0), (0, 1)]},
            "Learner 0 wants one coach but two pins: coach 0 and coach 1. "
            "Lift a pin or ask for more.",
        ),
        (
            {"pinned": [(0, 0)], "forbidden": [(0, 0)]},
            "Learner 0 and coach 0 are both pinned and forbidden; lift one of the two rules.",
        ),
        (
            {"pinned": [(1, 1)]},
            "Learner 1 and coach 1 are pinned but are not a candidate pair; "
            "give them a score or lift the pin.",
        ),
        ({"pinned": [(0, 1), (0, 1)]}, "Learner 0 and coach 1 are pinned twice; pin once."),
        (
            {"forbidden": [(0, 7)]},
            "Row 0 of the forbidden pairs names an unknown coach, 7; coaches are numbered 0 to 1.",
        ),
        (
            {"pinned": [(True, 0)]},
            "Row 0 of the pinned pairs names an unknown learner, True; "
            "learners are numbered 0 to 1.",
        ),
        ({"forbidden": [3]}, "Row 0 of the forbidden pairs is 3; give [learner, coach]."),
        ({"forbidden": 3}, "The forbidden pairs are not a list of [learner, coach]."),
        (
            {"learners": -1},
            "The number of learners is -1; give a whole number from 0 to 10000000.",
        ),
        (
            {"coaches": True},
            "The number of coaches is True; give a whole number from 0 to 10000000.",
        ),
        ({"score": [5, 4]}, "Learner, coach and score of the edges must be lists of one length."),
        (
            {"learner_ids": [7, 7]},
            "Learner 0 and learner 1 have the same id 7; ids must differ.",
        ),
        (
            {"learner_ids": [7, 8], "coach_ids": [9, 7], "one_directory": True},
            "Learner 0 and coach 1 are the same person; nobody can be their own coach.",
        ),
    ],
)
def test_it_says_what_is_wrong_and_where(changes, reason):
    assert reasons(**changes) == [reason]


def test_all_reasons_are_given_at_once():
    found = reasons(score=[-1, 0.5, 3], pinned=[(1, 1)], forbidden=[(9, 9)])
    assert len(found) == 5


def test_a_score_too_large_for_exact_arithmetic_is_refused():
    (reason,) = reasons(score=[5, 10**15, 3])
    assert "only scores up to" in reason
    (reason,) = reasons(score=[5, 10**30, 3])
    assert "score of learner 0 and coach 1" in reason


def test_people_are_called_by_their_names():
    who = {"learner": ["Lea", "Otto"], "coach": ["Ivo", "Jo"]}
    found = reasons(pinned=[(0, 0), (1, 0)], name=lambda role, index: who[role][index])
    assert found == ["Ivo has one seat but two pins: Lea and Otto. Lift a pin or add a seat."]


def test_a_person_may_be_forbidden_as_their_own_coach():
    ids = {"learner_ids": [7, 8], "coach_ids": [9, 7], "one_directory": True}
    assert Problem(**TWO_BY_TWO | ids, forbidden=[(0, 1)]).forbidden.tolist() == [[0, 1]]


def test_whole_numbers_may_be_written_with_a_point():
    assert Problem(**TWO_BY_TWO | {"score": [5.0, 4, 3]}).score.tolist() == [5, 4, 3]
