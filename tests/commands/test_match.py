import json

import pytest
from django.core.management import call_command

from coaching.management.commands.match import answer_file

KEYS = {
    "status",
    "reasons",
    "pairs",
    "matched",
    "total",
    "worst",
    "sum_sq_load",
    "unmatched",
    "seconds",
}
PROBLEM = {
    "learners": 2,
    "coaches": 2,
    "capacity": [1, 1],
    "edges": [[0, 0, 9], [0, 1, 1], [1, 0, 1], [1, 1, 5]],
}


@pytest.fixture
def match(tmp_path, capsys):
    """Run the command on a problem, or on raw text, and return its answer and exit code."""

    def run(asked):
        path = tmp_path / "problem.json"
        text = asked if isinstance(asked, str) else json.dumps(asked)
        path.write_text(text, encoding="utf-8")
        return run_path(path)

    def run_path(path):
        code = 0
        try:
            call_command("match", str(path))
        except SystemExit as stop:
            code = stop.code
        answer = json.loads(capsys.readouterr().out)
        assert answer.keys() == KEYS
        return answer, code

    run.path = run_path
    return run


def test_it_prints_the_best_plan(match):
    answer, code = match(PROBLEM | {"forbidden": [[0, 0]]})
    assert code == 0
    assert answer.pop("seconds") >= 0
    assert answer == {
        "status": "ok",
        "reasons": [],
        "pairs": [[0, 1, 1], [1, 0, 1]],
        "matched": 2,
        "total": 2,
        "worst": 1,
        "sum_sq_load": 2,
        "unmatched": [],
    }


def test_it_explains_whom_it_leaves_out(match):
    edges = [[learner, coach, 1] for learner in range(5) for coach in (0, 2)]
    answer, code = match({"learners": 5, "coaches": 3, "capacity": [2, 1, 2], "edges": edges})
    assert code == 0
    (left_out,) = answer["unmatched"]
    assert list(left_out) == [
        "learner",
        "reason",
        "competing_learners",
        "contested_coaches",
        "seats",
    ]
    assert left_out["competing_learners"] == [0, 1, 2, 3, 4]
    assert left_out["contested_coaches"] == [0, 2]
    assert left_out["seats"] == 4
    assert left_out["reason"] == (
        "Five learners compete for the four seats of coaches 0 and 2; "
        f"one more seat at either would place learner {left_out['learner']}."
    )


def test_pins_and_demand_are_kept(match):
    answer, code = match(PROBLEM | {"pinned": [[0, 1]], "demand": [2, 0]})
    assert code == 0
    assert answer["pairs"] == [[0, 0, 9], [0, 1, 1]]


def test_a_note_in_the_file_does_no_harm(match):
    answer, code = match(PROBLEM | {"made_by": "Mara"})
    assert (code, answer["total"]) == (0, 14)


def test_nobody_is_a_problem_too(match):
    answer, code = match({"learners": 0, "coaches": 0, "capacity": [], "edges": []})
    assert (code, answer["worst"], answer["matched"]) == (0, None, 0)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("", "This is not JSON"),
        ("not json", "This is not JSON"),
        ("[" * 100_000, "This is not JSON"),
        ("[]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        ({"learners": 1}, 'The key "coaches" is missing.'),
        (PROBLEM | {"edges": 5}, "The edges are not a list"),
        (PROBLEM | {"edges": [[0, 0]]}, "Edge 0 is [0, 0]; give [learner, coach, score]."),
        (PROBLEM | {"edges": [[0, 0, [1]]]}, "The score of learner 0 and coach 0 is [1]"),
        (PROBLEM | {"edges": [[{}, 0, 1]]}, "Edge 0 names an unknown learner, {}"),
        (PROBLEM | {"capacity": "ab"}, "Capacity is not a list"),
        (PROBLEM | {"capacity": [1, None]}, "The capacity of coach 1 is None"),
        (PROBLEM | {"learners": "two"}, "The number of learners is 'two'"),
        (PROBLEM | {"learners": 10**30}, "The number of learners is"),
        (PROBLEM | {"demand": [1]}, "Demand is 1 long"),
        (PROBLEM | {"pinned": {"0": 1}}, "The pinned pairs are not a list"),
        (PROBLEM | {"forbiden": []}, 'The key "forbiden" is not known; did you mean "forbidden"?'),
        (PROBLEM | {"edges": [7, [0, 0, -1]]}, "Edge 0 is 7; give [learner, coach, score]."),
        (PROBLEM | {"edges": [7, [0, 0, -1]]}, "The score of learner 0 and coach 0 is -1"),
        (json.dumps(PROBLEM).replace("9", "NaN"), "is nan; a score is a whole number"),
        (json.dumps(PROBLEM).replace("9", "1e999"), "is inf; a score is a whole number"),
        (json.dumps(PROBLEM).replace("9", "true"), "is True; a score is a whole number"),
        (json.dumps(PROBLEM).replace("9", "9" * 5000), "not JSON"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(match, asked, reason):
    answer, code = match(asked)
    assert code == 2
    assert answer["status"] == "refused"
    assert any(reason in given for given in answer["reasons"])
    assert answer["pairs"] == []


def test_a_missing_file_is_refused(match, tmp_path):
    answer, code = match.path(tmp_path / "nowhere.json")
    assert code == 2
    assert "cannot be read: No such file" in answer["reasons"][0]


def test_a_folder_is_refused(tmp_path):
    assert "cannot be read" in answer_file(tmp_path)["reasons"][0]


def test_a_file_that_is_no_text_is_refused(match, tmp_path):
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00\x81")
    answer, code = match.path(tmp_path / "picture")
    assert (code, answer["reasons"][0].endswith("is not a text file in UTF-8.")) == (2, True)
