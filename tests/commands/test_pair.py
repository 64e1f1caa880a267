"""`manage.py pair`: from one file to one plan in a workbook, without a database."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import python_calamine
from django.core.management import CommandError, call_command
from openpyxl import Workbook, load_workbook

from coaching.management import workbook

SHEETS = ["Summary", "Pairs", "Unpaired", "People", "Problems"]
HEADER = ["Agent", "Site", "Week", "CSAT n", "CSAT mean", "CSAT sd", "FCR n", "FCR sum"]
# How far from everybody's mean the agents of a centre are.
LEVELS = [-0.9, -0.8, -0.7, *[-0.12] * 4, *[0.0] * 6, *[0.12] * 4, 0.7, 0.8, 0.9]


def agent(number, level, *, site="north"):
    """Four weeks of one agent, counted already."""
    rows = []
    for week in range(4):
        wobble = ((number * 7 + week * 3) % 5 - 2) / 50
        csat = round(3.8 + level + wobble, 2)
        fcr = round(40 * min(max(0.6 + 0.3 * level + wobble, 0.05), 0.97))
        day = f"2026-10-{5 + 7 * week:02}"
        rows.append([f"agent {number:02}", site, day, 40, csat, 0.8, 40, fcr])
    return rows


@pytest.fixture
def centre():
    """Rows of twenty agents: three far below the others, three far above."""
    return [row for number, level in enumerate(LEVELS) for row in agent(number, level)]


@pytest.fixture
def export(tmp_path):
    """Write a workbook with the readings and further sheets; returns its path."""

    def write(rows, *, header=HEADER, name="export.xlsx", sheet="Readings", **sheets):
        book = Workbook()
        page = book.active
        page.title = sheet
        for row in [header, *rows]:
            page.append(row)
        for title, lines in sheets.items():
            other = book.create_sheet(title)
            for line in lines:
                other.append(line)
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def pair(tmp_path):
    """Run the command; returns the sheets of the workbook it wrote, as lists of rows."""

    def run(file, *options, out=None):
        out = out or tmp_path / "plan.xlsx"
        call_command("pair", str(file), "--out", str(out), *options)
        return opened(out)

    return run


@pytest.fixture
def told(capsys):
    """Run the command with --json; returns what it printed and its exit code."""

    def run(file, *options):
        code = 0
        try:
            call_command("pair", str(file), "--json", *options)
        except SystemExit as stop:
            code = stop.code
        return json.loads(capsys.readouterr().out), code

    return run


def opened(path):
    book = python_calamine.load_workbook(path)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def records(rows):
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def said(summary, what):
    """The figures and sentences of a line of the summary."""
    return [(row[1], row[2]) for row in summary if row[0] == what]


def refusal(file, *options, out="never.xlsx"):
    with pytest.raises(CommandError) as refused:
        call_command("pair", str(file), "--out", str(Path(file).parent / out), *options)
    assert refused.value.returncode == 2
    assert not (Path(file).parent / "never.xlsx").exists()
    return str(refused.value)


# -- a plan ------------------------------------------------------------------------------


def test_it_writes_the_whole_plan_into_one_workbook(export, pair, centre):
    sheets = pair(export(centre))
    assert list(sheets) == SHEETS
    pairs = records(sheets["Pairs"])
    assert [row["Learner"] for row in pairs] == ["agent 00", "agent 01", "agent 02"]
    assert {row["Coach"] for row in pairs} <= {"agent 17", "agent 18", "agent 19"}
    first = pairs[0]
    assert first["Score"] == sum(int(part.rsplit(" ", 1)[1]) for part in first["Parts"].split(", "))
    assert first["Skill"] in ("CSAT", "FCR")
    assert first["Coach"] in first["Why"]
    assert first["Learner"] in first["Why"]
    assert first["Next best coach"] not in ("", first["Coach"])
    assert first["Possible coaches"] == 3
    assert said(sheets["Summary"], "Learners with a coach") == [(3, "Of 3 learners.")]
    assert said(sheets["Summary"], "Seats")[0][0] == 6
    assert len(records(sheets["People"])) == 20 * 3
    assert sheets["Unpaired"][1][0] == "Every learner has a coach."
    assert sheets["Problems"][1][5] == "No problems: every row was used."


def test_the_summary_says_how_sure_it_is(export, pair, centre):
    summary = pair(export(centre), "--policy", "leaning")["Summary"]
    chosen = said(summary, "Learners chosen by the ranking")[0][0]
    (wrong, _), _ = said(summary, "of them wrongly")
    assert 0 <= wrong < chosen / 2
    assert "50 %" in said(summary, "Policy")[0][1]
    assert said(summary, "Policy leaning")[0][1].startswith("This plan. ")
    assert said(summary, "Policy evidence")[0][1].startswith("Three learners, about 0.0 of them")
    assert "pass it on" in said(summary, "Confidential")[0][1]


def test_people_are_told_with_their_uncertainty(export, pair, centre):
    people = records(pair(export(centre))["People"])
    overall, csat, fcr = people[:3]
    assert [one["Skill"] for one in (overall, csat, fcr)] == ["Overall", "CSAT", "FCR"]
    assert (overall["Band"], overall["In the plan"]) == ("weak", "learner")
    assert csat["n"] == 160
    assert csat["Raw"] < csat["Estimate"] < 3.8
    assert csat["Low"] < csat["Estimate"] < csat["High"]
    assert 0 <= fcr["Low"] < fcr["High"] <= 1
    assert people[-3]["In the plan"] == "coach"
    assert people[-3]["Seats"] == 2


def test_no_database_is_touched(export, centre, tmp_path):
    out = tmp_path / "plan.xlsx"
    nowhere = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "LANEMATE_VAR": str(tmp_path / "var"),
    }
    run = subprocess.run(
        [sys.executable, "manage.py", "pair", str(export(centre)), "--out", str(out)],
        env={**os.environ, **nowhere},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "3 of 3 learners have a coach" in run.stdout
    assert list(opened(out)) == SHEETS


def test_the_order_of_the_rows_changes_nothing(export, pair, centre, tmp_path):
    # Single calls, whose sums of floating-point numbers depend on their order.
    calls = [
        [who, site, day, round(mean + step / 7, 3)]
        for who, site, day, _, mean, *_ in centre
        for step in range(-5, 6)
    ]
    header = ["Agent", "Site", "Date", "CSAT rating"]
    one = pair(export(calls, header=header))
    for seed in (1, 2):
        random.Random(seed).shuffle(calls)
        other = pair(
            export(calls, header=header, name="other.xlsx"), out=tmp_path / f"plan{seed}.xlsx"
        )
        assert other == one


def test_csv_says_the_same_as_excel(export, pair, centre, tmp_path):
    text = "\n".join(",".join(map(str, row)) for row in [HEADER, *centre])
    (tmp_path / "export.csv").write_text(text)
    one = pair(tmp_path / "export.csv")
    other = pair(export(centre), out=tmp_path / "other.xlsx")
    for name in SHEETS[1:]:
        assert one[name] == other[name]


def test_machines_read_the_same_plan(export, told, pair, centre):
    file = export(centre)
    answer, code = told(file)
    assert (code, answer["status"], answer["matched"]) == (0, "ok", 3)
    pairs = records(pair(file)["Pairs"])
    assert [(one["learner"], one["coach"], one["score"]) for one in answer["pairs"]] == [
        (row["Learner"], row["Coach"], row["Score"]) for row in pairs
    ]
    assert answer["out"] is None
    assert answer["policy"]["learners"] == 3


# -- who is chosen -----------------------------------------------------------------------


def test_where_chance_explains_everything_nobody_is_labelled_and_it_helps_on(export, pair):
    alike = [row for number in range(8) for row in agent(number, 0.0)]
    sheets = pair(export(alike))
    assert sheets["Pairs"][1][0].startswith("No pairs; the sheet Summary says why")
    summary = sheets["Summary"]
    assert "Nobody is labelled under “evidence”" in said(summary, "No pairs")[0][1]
    advice = " ".join(sentence for _, sentence in said(summary, "What would help"))
    for word in ("chance", "More weeks", "leaning", "quota", "hand"):
        assert word in advice


def test_a_quota_takes_so_many_from_each_end_and_says_what_it_costs(export, told, centre):
    answer, _ = told(export(centre), "--quota", "5")
    assert answer["policy"]["name"] == "quota"
    assert (answer["policy"]["learners"], answer["policy"]["coaches"]) == (5, 5)
    assert answer["policy"]["learners_wrong"] > 0.5


def test_real_calls_of_eight_agents_label_nobody(shared_data, pair):
    summary = pair(shared_data / "call_centre_calls.xlsx")["Summary"]
    assert "Nobody is labelled" in said(summary, "No pairs")[0][1]
    assert said(summary, "Rows used") == [(5000, "")]


def test_lecturers_are_paired_within_their_department(shared_data, told):
    answer, _ = told(shared_data / "lecturer_ratings.csv", "--person", "d", "--group", "dept")
    groups = {one["person"]: one["group"] for one in answer["people"]}
    assert answer["matched"] == len(answer["learners"]) > 100
    assert all(groups[one["learner"]] == groups[one["coach"]] for one in answer["pairs"])


# -- hands, seats and rules --------------------------------------------------------------


def test_a_raised_hand_is_added_whatever_the_ranking_says(export, pair, centre):
    file = export(centre, Hands=[["Who raised a hand"], ["person", "skill"], ["Agent 08", "fcr"]])
    sheets = pair(file)
    rows = {row["Learner"]: row for row in records(sheets["Pairs"])}
    assert len(rows) == 4
    assert (rows["agent 08"]["Skill"], rows["agent 08"]["Learner by"]) == ("FCR", "raised hand")
    assert "asked to work on it" in rows["agent 08"]["Why"]
    assert said(sheets["Summary"], "Raised hands added")[0][0] == 1


def test_a_strong_one_who_raises_a_hand_learns_and_does_not_coach(export, told, centre):
    rows = [[*row, "CSAT" if row[0] == "agent 19" else ""] for row in centre]
    answer, _ = told(export(rows, header=[*HEADER, "Hand"]))
    assert "agent 19" in answer["learners"]
    assert "agent 19" not in answer["coaches"]
    assert any("agent 19" in told for told in answer["warnings"])


@pytest.mark.parametrize(
    ("skill", "why"),
    [
        ("Patience", "“Patience” is not a skill of this plan. Write one of: CSAT, FCR."),
        ("yes", "“yes” is not a skill"),
    ],
)
def test_a_hand_for_no_skill_is_a_problem(export, told, centre, skill, why):
    answer, code = told(export(centre, Hands=[["person", "skill"], ["agent 08", skill]]))
    assert code == 2
    (problem,) = answer["problems"]
    assert (problem["sheet"], problem["row"], problem["value"]) == ("Hands", 2, skill)
    assert why in f"{problem['message']} {problem['hint']}"


def test_seats_are_a_column_about_people_and_no_metric(export, told, centre):
    rows = [[*row, 1 if row[0] == "agent 19" else 0] for row in centre]
    answer, _ = told(export(rows, header=[*HEADER, "Seats"]))
    assert [one["name"] for one in answer["metrics"]] == ["CSAT", "FCR"]
    assert [one["coach"] for one in answer["pairs"]] == ["agent 19"]
    assert len(answer["unpaired"]) == 2


def test_without_any_seat_everybody_hears_what_would_help(export, pair, centre):
    sheets = pair(export(centre), "--seats", "0")
    assert len(sheets["Pairs"]) == 2
    rows = records(sheets["Unpaired"])
    assert len(rows) == 3
    assert "no seat left" in rows[0]["Reason"]
    assert rows[0]["Smallest cure"].startswith("Give one more seat to agent 17")


def test_scarce_seats_name_who_competes(export, pair, centre):
    rows = [[*row, 1 if row[0] == "agent 19" else 0] for row in centre]
    (one, other) = records(pair(export(rows, header=[*HEADER, "Seats"]))["Unpaired"])
    assert "Two learners compete for the one seat of" in one["Reason"]
    assert one["Smallest cure"] == "Give one more seat to agent 17, agent 18 or agent 19."
    assert one["Reason"] == other["Reason"]


def test_who_is_kept_apart_is_not_paired(export, told, centre):
    free, _ = told(export(centre))
    apart = [["forbid", one["learner"], one["coach"]] for one in free["pairs"]]
    answer, _ = told(export(centre, Rules=[["kind", "learner", "coach"], *apart]))
    pairs = {(one["learner"], one["coach"]) for one in answer["pairs"]}
    assert len(pairs) == 3
    assert not pairs & {(one, other) for _, one, other in apart}


def test_a_pin_is_kept(export, told, centre):
    free, _ = told(export(centre))
    taken = {one["learner"]: one["coach"] for one in free["pairs"]}
    other = next(coach for coach in free["coaches"] if coach != taken["agent 00"])
    answer, _ = told(
        export(centre, Rules=[["Kind", "Learner", "Coach"], ["Pin", "agent 00", other]])
    )
    pinned = next(one for one in answer["pairs"] if one["learner"] == "agent 00")
    assert (pinned["coach"], pinned["pinned"], pinned["next_best"]) == (other, True, None)


PIN = ["pin", "agent 00", "agent 19"]


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([PIN, ["forbid", *PIN[1:]]], "rows 2 and 3: agent 00 and agent 19 are both pinned and"),
        ([PIN, ["pin", "agent 01", "agent 19"]], "Agent 19 has one seat but two pins"),
        ([PIN, ["pin", "agent 00", "agent 18"]], "Agent 00 wants one coach but two pins"),
        ([["pin", "agent 19", "agent 00"]], "agent 19 is no learner in this plan, but a coach"),
        ([["pin", "agent 08", "agent 19"]], "row 2: agent 08 is no learner in this plan."),
    ],
)
def test_rules_that_cannot_hold_are_refused_in_words(export, centre, rules, why):
    file = export(centre, Rules=[["kind", "learner", "coach"], *rules])
    assert why in refusal(file, "--seats", "1")


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [
        (["pin", "agent 00", "agent 91"], "agent 91", "Did you mean “agent 19”?"),
        (["join", "agent 00", "agent 19"], "join", "Write pin or forbid."),
        (["pin", "agent 19", "agent 19"], "agent 19", "cannot coach themselves"),
        (["pin", "", "agent 19"], "", "Nobody is named here."),
    ],
)
def test_a_rule_that_cannot_be_read_is_a_problem_of_its_row(export, told, centre, rule, value, why):
    answer, code = told(export(centre, Rules=[["kind", "learner", "coach"], rule]))
    assert code == 2
    (problem,) = answer["problems"]
    assert (problem["sheet"], problem["row"], problem["value"]) == ("Rules", 2, value)
    assert why in f"{problem['message']} {problem['hint']}"


def test_a_sheet_of_rules_without_its_columns_is_refused(export, centre):
    file = export(centre, Rules=[["who", "with whom"], ["agent 00", "agent 19"]])
    assert "Give it the columns “kind”, “learner” and “coach”" in refusal(file)


def test_a_forbidden_stranger_is_told_and_harms_nobody(export, told, centre):
    rules = [["kind", "learner", "coach"], ["forbid", "agent 08", "agent 19"]]
    answer, code = told(export(centre, Rules=rules))
    assert (code, answer["matched"]) == (0, 3)
    assert any("agent 08 is no learner" in told for told in answer["warnings"])


def test_nobody_is_coached_by_their_own_manager(export, told, centre):
    mail = [[*row, f"{row[0].replace(' ', '')}@x.org", "agent19@x.org"] for row in centre]
    answer, _ = told(export(mail, header=[*HEADER, "Email", "Manager email"]), "--seats", "9")
    assert answer["matched"] == 3
    assert all(one["coach"] != "agent 19" for one in answer["pairs"])


# -- what cannot be read -----------------------------------------------------------------


def test_a_bad_row_is_told_and_the_good_ones_go_on_when_asked(export, pair, told, centre):
    centre[4][4] = "great"
    file = export(centre)
    answer, code = told(file)
    assert code == 2
    assert answer["reasons"] == [
        "One row has a problem. Correct it in the file, or go on without it: --good-rows."
    ]
    assert {key: answer["problems"][0][key] for key in ("row", "column", "value")} == {
        "row": 6, "column": "CSAT mean", "value": "great",
    }  # fmt: skip
    sheets = pair(file, "--good-rows")
    (problem,) = records(sheets["Problems"])
    assert (problem["Row"], problem["Letter"], problem["Value"]) == (6, "E", "great")
    assert said(sheets["Summary"], "Rows used")[0][0] == 79


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.xlsx", b"PK\x03\x04 no workbook", "damaged"),
        ("a.pdf", b"%PDF-1.7 something", "PDF"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"Agent,CSAT rating\n", "row"),
        ("a.csv", b"Agent,Team\nLea,North\nIvo,South\n", "no column with a metric"),
        ("a.csv", b"Remark,CSAT rating\nfine,4\nbad,2\n", "--person COLUMN"),
        ("a.csv", b"Segment,CSAT rating\nGold,4\nBasic,2\n", "only people are paired"),
        ("a.csv", b"Agent,Date,CSAT rating\nLea,03/04/2026,4\nIvo,05/06/2026,2\n", "--day-first"),
    ],
)
def test_what_is_no_table_of_people_is_refused(tmp_path, name, content, why):
    (tmp_path / name).write_bytes(content)
    assert why in refusal(tmp_path / name)


def test_a_month_a_sheet_is_not_taken_for_one(export, centre):
    file = export(centre, sheet="January", February=[HEADER, *centre[:40]])
    assert "The sheets “February” and “January” have the same columns" in refusal(file)


def test_one_of_the_months_can_be_chosen(export, told, centre):
    file = export(centre, sheet="January", February=[HEADER, *centre])
    answer, _ = told(file, "--sheet", "february")
    assert answer["read"]["sheet"] == "February"
    assert "Not read: “January”." in answer["warnings"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--person", "Agents"], "no column “Agents”. Did you mean “Agent”?"),
        (["--sheet", "Reading"], "Did you mean “Readings”?"),
        (["--metric", "NPS"], "--metric: there is no column “NPS”"),
        (["--kind", "NPS=mean"], "there is no metric “NPS” in this plan"),
        (["--kind", "CSAT=stars"], "give one of mean, proportion, rate, duration"),
        (["--direction", "CSAT=up"], "give higher or lower"),
        (["--weights", "CSAT=0", "FCR=0"], "Every metric has weight 0"),
        (["--weights", "CSAT=lots"], "a number belongs there"),
        (["--weights", "CSAT"], "write it as COLUMN=VALUE"),
        (["--weights", "CSAT=-1"], "a weight is from 0 to 1000"),
        (["--weights", "CSAT=nan"], "a weight is from 0 to 1000"),
        (["--q", "0.7"], "--q is from 0.05 to 0.5"),
        (["--quota", "0"], "1 or more"),
        (["--quota", "5", "--policy", "leaning"], "--quota belongs to --policy quota"),
        (["--seats", "-1"], "--seats is from 0 to 100"),
        (["--points", "mood=5"], "give site, shift or team"),
        (["--points", "site=inf"], "a whole number belongs there"),
        (["--group", "Site", "--one-group"], "contradict each other"),
        (["--mapping", "nowhere.json"], "cannot be read: No such file"),
    ],
)
def test_options_that_cannot_be_are_refused_in_words(export, centre, options, why):
    assert why in refusal(export(centre), *options)


def test_a_person_of_two_groups_is_a_problem_where_no_date_tells_the_later(export, told, centre):
    centre[1][1] = "south"
    undated = [[row[0], row[1], row[4]] for row in centre]
    file = export(undated, header=["Agent", "Site", "CSAT rating"])
    answer, code = told(file, "--group", "Site")
    assert code == 2
    (problem,) = answer["problems"]
    assert problem["row"] == 3
    assert "agent 00 has more than one peer group, in rows 2 and 3" in problem["message"]


def test_small_groups_are_named_and_nobody_in_them_is_labelled(export, pair, centre):
    for row in centre[:12]:
        row[1] = "south"
    sheets = pair(export(centre), "--group", "Site")
    small = "Peer groups under 8 people are not labelled: south."
    assert small in [row[2] for row in sheets["Summary"]]
    south = [one for one in records(sheets["People"]) if one["Peer group"] == "south"]
    assert {one["Band"] for one in south} == {"group too small"}
    assert {one["In the plan"] for one in south} == {""}


def test_groups_that_are_all_too_small_are_said_to_be(export, pair, centre):
    for at, row in enumerate(centre):
        row[1] = f"site {at // 16}"
    summary = pair(export(centre), "--group", "Site")["Summary"]
    advice = " ".join(sentence for _, sentence in said(summary, "What would help"))
    assert "never labelled: site 0, site 1, site 2, site 3 and site 4." in advice
    assert "--one-group" in advice


# -- metrics as one wishes them ----------------------------------------------------------


def test_metrics_are_chosen_weighed_and_turned(export, told, centre):
    answer, _ = told(export(centre), "--metric", "CSAT", "--direction", "CSAT=lower")
    assert [(one["name"], one["direction"]) for one in answer["metrics"]] == [("CSAT", "lower")]
    assert answer["coaches"] == ["agent 00", "agent 01", "agent 02"]


def test_a_column_nobody_knows_must_be_said_to_be_a_metric(export, told, tmp_path):
    rows = [[f"p{i:02}", 3 * i + j % 4] for i in range(12) for j in range(20)]
    file = export(rows, header=["Agent", "Zorx"])
    assert "say what it is and what is better" in refusal(file, "--metric", "Zorx")
    options = ["--metric", "Zorx", "--kind", "Zorx=mean", "--direction", "Zorx=lower"]
    answer, _ = told(file, *options)
    assert answer["learners"][-1] == "p11"


def test_the_mapping_can_be_taken_along_and_given_back(export, told, centre, tmp_path, capsys):
    file = export(centre)
    call_command("pair", str(file), "--show-mapping")
    mapping = json.loads(capsys.readouterr().out)
    mapping["metrics"] = mapping["metrics"][1:]
    (tmp_path / "mapping.json").write_text(json.dumps(mapping))
    answer, _ = told(file, "--mapping", str(tmp_path / "mapping.json"))
    assert [one["name"] for one in answer["metrics"]] == ["FCR"]


# -- the workbook ------------------------------------------------------------------------


def test_no_name_becomes_a_formula(export, pair, centre):
    evil = '=HYPERLINK("http://x.org","agent")'
    for row in centre:
        row[0] = evil if row[0] == "agent 00" else row[0]
    file = export(centre)
    book = load_workbook(file)
    for cell in book["Readings"]["A"]:
        if cell.data_type == "f":
            cell.data_type = "s"
    book.save(file)
    pair(file)
    book = load_workbook(file.parent / "plan.xlsx")
    texts = [cell for page in book for row in page.iter_rows() for cell in row]
    assert not [cell for cell in texts if cell.data_type == "f"]
    assert any(cell.value == f"'{evil}" for cell in texts)
    starts = ("=", "+", "-", "@")
    assert not [c for c in texts if isinstance(c.value, str) and c.value.startswith(starts)]


def test_a_workbook_reads_well_in_a_spreadsheet(export, pair, centre):
    file = export(centre)
    pair(file)
    book = load_workbook(file.parent / "plan.xlsx")
    people = book["People"]
    assert people.freeze_panes == "B2"
    assert people.column_dimensions["A"].width > 8
    assert people.auto_filter.ref.startswith("A1:")
    estimate = people.cell(row=3, column=[c.value for c in people[1]].index("Estimate") + 1)
    assert isinstance(estimate.value, float)
    assert estimate.number_format == "0.00"
    assert not [cell for page in book for row in page.iter_rows() for cell in row
                if isinstance(cell.value, str) and cell.value.startswith("'")]  # fmt: skip


def test_only_its_owner_can_open_it(export, pair, centre):
    file = export(centre)
    pair(file)
    assert (file.parent / "plan.xlsx").stat().st_mode & 0o777 == 0o600


def test_a_plan_that_is_there_is_not_overwritten_unasked(export, pair, centre, tmp_path):
    out = tmp_path / "plan.xlsx"
    out.write_text("precious")
    file = export(centre)
    assert "plan.xlsx is there already" in refusal(file, out="plan.xlsx")
    assert out.read_text() == "precious"
    assert list(pair(file, "--force")) == SHEETS


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("export.xlsx", "is the file itself"),
        ("plan.csv", "end its name in .xlsx"),
        ("nowhere/plan.xlsx", "there is no folder"),
    ],
)
def test_a_place_where_no_plan_can_go_is_refused_before_the_work(export, centre, out, why):
    assert why in refusal(export(centre), "--force", out=out)


def test_without_a_place_there_is_nothing_to_do(export, centre):
    with pytest.raises(CommandError, match=r"--out plan\.xlsx, or --json"):
        call_command("pair", str(export(centre)))


def test_nothing_half_written_is_left(export, centre, tmp_path, monkeypatch):
    def breaks(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workbook.os, "fsync", breaks)
    file = export(centre)
    assert "No space left on device" in refusal(file)
    assert [path.name for path in tmp_path.iterdir()] == ["export.xlsx"]


def test_a_plan_that_came_into_being_meanwhile_is_kept(export, centre, tmp_path, monkeypatch):
    file, out = export(centre), tmp_path / "plan.xlsx"
    real = workbook.os.fsync

    def somebody_else(handle):
        out.write_text("theirs")
        real(handle)

    monkeypatch.setattr(workbook.os, "fsync", somebody_else)
    assert "is there already" in refusal(file, out="plan.xlsx")
    assert out.read_text() == "theirs"
