import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from scipy.stats import norm

from coaching.domain.ranking import RankingError
from coaching.management.commands.rank import Command, main


def lines(header, *rows):
    return [header, *(",".join(str(cell) for cell in row) for row in rows)]


@pytest.fixture
def ratings():
    """Ten agents with 40 surveys each and one on leave, as lines of a CSV file."""
    means = [3.0, 3.5, 3.7, 3.9, 4.0, 4.1, 4.2, 4.3, 4.5, 4.9]
    rows = [
        (f"agent {index}", 40, 40 * mean, 40 * mean**2 + 39 * 0.64)
        for index, mean in enumerate(means)
    ]
    return lines("person,n,sum,sumsq", *rows, ("on leave", 0, "", ""))


def test_it_tells_everything_about_everybody(ratings):
    result = main(ratings, kind="mean", direction="higher")
    assert list(result) == ["groups", "problems"]
    group = result["groups"]["all"]
    assert list(group) == ["mean", "tau2", "sigma2", "people"]
    assert list(group["people"]["agent 0"]) == [
        "n", "raw", "estimate", "se", "reliability", "z", "p_low", "p_high", "rank_low",
        "rank_high", "band",
    ]  # fmt: skip
    assert group["sigma2"] == pytest.approx(0.64)
    assert group["people"]["agent 0"]["raw"] == pytest.approx(3)
    assert group["people"]["agent 0"]["band"] == "weak"
    assert group["people"]["agent 4"]["band"] == "middle"
    assert group["people"]["agent 9"]["band"] == "strong"
    assert group["people"]["on leave"]["raw"] is None
    assert group["people"]["on leave"]["estimate"] == pytest.approx(group["mean"])
    assert group["people"]["on leave"]["band"] == "cannot tell"
    assert result["problems"] == []


def test_its_probabilities_follow_from_its_estimates(ratings):
    people = main(ratings, kind="mean", direction="higher")["groups"]["all"]["people"]
    ten = [one for one in people.values() if one["n"]]
    theta, se, p_low, p_high = (
        np.array([one[name] for one in ten]) for name in ("estimate", "se", "p_low", "p_high")
    )
    assert p_low.mean() == pytest.approx(0.25)
    cuts = theta[3:6] + se[3:6] * norm.ppf(p_low[3:6])
    np.testing.assert_allclose(cuts, cuts[0])
    np.testing.assert_allclose(p_low, norm.cdf((cuts[0] - theta) / se), atol=1e-9)
    tops = theta[3:6] - se[3:6] * norm.ppf(p_high[3:6])
    np.testing.assert_allclose(p_high, norm.sf((tops[0] - theta) / se), atol=1e-9)


def test_lower_is_better_turns_the_bands_but_not_the_values(ratings):
    up = main(ratings, kind="mean", direction="higher")["groups"]["all"]
    down = main(ratings, kind="mean", direction="lower")["groups"]["all"]
    first, turned = up["people"]["agent 0"], down["people"]["agent 0"]
    assert turned["band"] == "strong"
    assert turned["estimate"] == first["estimate"]
    assert turned["p_high"] == pytest.approx(first["p_low"])
    assert turned["z"] == -first["z"]


def test_peer_groups_are_kept_apart():
    rows = [(f"p{index}", 50, 10 + index % 5, f"site {index // 12}") for index in range(24)]
    result = main(
        lines("person,n,sum,Site", *rows), kind="proportion", direction="lower", group_column="site"
    )
    assert list(result["groups"]) == ["site 0", "site 1"]
    assert list(result["groups"]["site 1"]["people"]) == [f"p{index}" for index in range(12, 24)]


def test_the_same_name_in_two_groups_is_two_people():
    rows = [("Ann", 50, 10, "north"), ("Ann", 20, 10, "south"), ("Ann", 50, 20, "north")]
    result = main(
        lines("person,n,sum,site", *rows), kind="rate", direction="higher", group_column="site"
    )
    assert result["groups"]["north"]["people"]["Ann"]["n"] == 100
    assert result["groups"]["south"]["people"]["Ann"]["n"] == 20


def test_durations_are_told_on_the_log_scale():
    rows = [(f"p{index}", 30, 30 * 200, 30 * 200**2 * 1.2) for index in range(9)]
    result = main(lines("person,n,sum,sumsq", *rows), kind="duration", direction="lower")
    assert result["groups"]["all"]["people"]["p0"]["raw"] == pytest.approx(np.log(200))


def test_periods_can_stand_in_for_squares():
    rows = [(f"p{i}", 10, 40 + i + week, f"2026-W{week}") for i in range(9) for week in range(4)]
    result = main(lines("person,n,sum,period", *rows), kind="mean", direction="higher")
    assert result["groups"]["all"]["people"]["p8"]["n"] == 40
    # Each person's weeks are 4.0, 4.1, 4.2, 4.3 and so on, of 10 values each.
    assert result["groups"]["all"]["sigma2"] == pytest.approx(10 * 0.05 / 3)


def test_an_empty_square_is_no_reason_to_lose_the_person(ratings):
    name, n, total, _ = ratings[1].split(",")
    ratings[1] = f"{name},{n},{total},"
    people = main(ratings, kind="mean", direction="higher")["groups"]["all"]["people"]
    assert people["agent 0"]["band"] == "weak"


def test_it_lists_the_rows_it_left_out():
    good = [(f"p{index}", 50, 30) for index in range(9)]
    bad = [
        ("too many", 5, 7),
        ("words", "five", 3),
        ("not a number", 5, "nan"),
        ("endless", "1e999", 3),
        ("", 5, 3),
        ("comma", 5, 3, 5),
        ("negative", -5, 0),
    ]
    result = main(lines("person,n,sum", *good, *bad), kind="proportion", direction="higher")
    told = [(one["row"], one["column"], one["value"]) for one in result["problems"]]
    assert told == [
        (11, "sum", "7"),
        (12, "n", "five"),
        (13, "sum", "nan"),
        (14, "n", "1e999"),
        (15, "person", ""),
        (16, "", "5"),
        (17, "n", "-5"),
    ]
    assert result["problems"][0]["problem"] == "there are more successes than trials"
    assert set(result["groups"]["all"]["people"]) == {f"p{index}" for index in range(9)}


def test_blank_lines_count_as_a_spreadsheet_counts_them():
    rows = ["person,n,sum", "", "a,5,3", ",,", '"two\nlines",5,3', "b,x,3"]
    result = main([line + "\n" for line in rows], kind="proportion", direction="higher")
    assert [one["row"] for one in result["problems"]] == [6]


def test_nobody_known_is_told_as_null():
    result = main(["person,n,sum", "a,0,0", "b,,"], kind="proportion", direction="higher")
    group = result["groups"]["all"]
    assert group["mean"] is None
    assert group["people"]["b"]["p_low"] is None
    assert group["people"]["b"]["band"] == "cannot tell"


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ([], "no column 'person' and no column 'n' and no column 'sum'"),
        (["person,n,total", "a,1,1"], "no column 'sum'; its first row reads: person, n, total"),
        (["person,n,n,sum", "a,1,1,1"], "'n' stands in the first row more than once"),
        (["person,n,sum"], "no usable row"),
        (["person,n,sum", "a,x,1"], r"no usable row of readings\. Row 2, n: a number"),
        (["person,n,sum", "a,3,9", "b,3,12"], "sum of squares"),
        (["person,n,sum,sumsq", "a,3,9,", "b,3,12,"], "sum of squares"),
        (["person,n,sum", 'a,3,"9\0'], "Line 2 is not CSV|no usable row"),
    ],
)
def test_it_refuses_a_file_that_cannot_be_ranked(file, problem):
    with pytest.raises(RankingError, match=problem):
        main(file, kind="mean", direction="higher")


def test_it_refuses_a_group_column_that_is_not_there(ratings):
    with pytest.raises(RankingError, match="no column 'site'"):
        main(ratings, kind="mean", direction="higher", group_column="site")


def test_the_command_prints_json(ratings, tmp_path, capsys):
    path = tmp_path / "readings.csv"
    path.write_text("\n".join(ratings).replace("agent 0", "Zoë"), encoding="utf-8-sig")
    call_command("rank", str(path), kind="mean", direction="higher", q=0.2)
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["groups", "problems", "seconds"]
    assert told["groups"]["all"]["people"]["Zoë"]["band"] == "weak"


@pytest.mark.parametrize(
    ("content", "more", "problem"),
    [
        (b"person,n,sum\na,1,1\n", ["--q", "0.7"], "at most 0.5"),
        (b"person,n\na,1\n", [], "no column 'sum'"),
        (b"person,n,sum\n\xff\xfe,1,1\n", [], "UTF-8"),
        (None, [], "cannot be read"),
    ],
)
def test_a_refusal_says_why_and_exits_with_two(tmp_path, capsys, content, more, problem):
    path = tmp_path / "readings.csv"
    if content is not None:
        path.write_bytes(content)
    argv = ["manage.py", "rank", str(path), "--kind", "rate", "--direction", "higher", *more]
    with pytest.raises(SystemExit) as exit:
        Command().run_from_argv(argv)
    assert exit.value.code == 2
    captured = capsys.readouterr()
    assert problem in captured.err
    assert captured.out == ""


def test_from_code_a_refusal_is_a_command_error(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("rank", str(tmp_path / "none.csv"), kind="rate", direction="higher")
