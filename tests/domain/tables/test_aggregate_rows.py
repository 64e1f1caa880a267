import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest

from coaching.domain.tables import Mapping, MappingError, MetricColumns, aggregate, open_table

HEADER = ["Agent", "Date", "Rating"]
CSAT = MetricColumns(key="csat", name="CSAT", kind="mean", column="Rating", lower=1.0, upper=5.0)
MONDAY = dt.date(2021, 1, 4)


def readings(tallied):
    return [(r.person, r.metric, r.period, r.n, r.sum, r.sumsq) for r in tallied.readings]


def complaints(tallied):
    return [(p.row, p.letter, p.message) for p in tallied.problems]


def test_cases_add_up_by_person_and_week(rows):
    tallied = rows.tally(
        [
            HEADER,
            ["Lea", "2021-01-10", "2"],
            ["Ivo", "2021-01-04", "5"],
            ["Ivo", "2021-01-10 23:59", "3"],
            ["Ivo", "2021-01-11", "4"],
            ["Ivo", "2021-01-11", ""],
        ],
        rows.calls(CSAT),
    )
    assert readings(tallied) == [
        ("Ivo", "csat", MONDAY, 2, 8, 34),
        ("Ivo", "csat", dt.date(2021, 1, 11), 1, 4, 16),
        ("Lea", "csat", MONDAY, 1, 2, 4),
    ]
    assert tallied.clean
    assert (tallied.rows_read, tallied.rows_used) == (5, 5)
    assert tallied.readings.period.dtype == "datetime64[D]"


def test_one_person_may_be_spelled_with_other_spaces_and_letters(rows):
    tallied = rows.tally(
        [HEADER, ["Ivo  Brandt ", MONDAY, 4], ["IVO BRANDT", MONDAY, 2]], rows.calls(CSAT)
    )
    assert [(person.key, person.name) for person in tallied.people] == [("Ivo Brandt",) * 2]
    assert readings(tallied) == [("Ivo Brandt", "csat", MONDAY, 2, 6, 20)]
    assert tallied.clean


def test_without_dates_everything_counts_for_one_week(rows):
    table = [["Agent", "Rating"], ["Ivo", 4], ["Ivo", 5]]
    tallied = rows.tally(table, rows.calls(CSAT, date=None))
    assert readings(tallied)[0][2] == dt.date(2021, 6, 28)
    tallied = rows.tally(table, rows.calls(CSAT, date=None, period="2021-01-07"))
    assert readings(tallied) == [("Ivo", "csat", MONDAY, 2, 9, 41)]


@pytest.mark.parametrize(
    ("row", "letter", "message"),
    [
        (["Ivo", MONDAY, "good"], "C", "“good” is not a number."),
        (["Ivo", MONDAY, "nan"], "C", "“nan” is not a number."),
        (["Ivo", MONDAY, "inf"], "C", "“inf” is not a number."),
        (["Ivo", MONDAY, "1_000"], "C", "“1_000” is not a number."),
        (["Ivo", MONDAY, "1,234"], "C", "“1,234” can be 1.234 or 1234."),
        (["Ivo", MONDAY, "6"], "C", "6 is outside the bounds of CSAT, which go from 1 to 5."),
        (["Ivo", MONDAY, "0.5"], "C", "0.5 is outside the bounds of CSAT, which go from 1 to 5."),
        (["Ivo", "2021-07-01", "4"], "B", "This date lies after today, 2021-06-30."),
        (["Ivo", "soon", "4"], "B", "“soon” is not a date."),
        (["Ivo", "01/02/2021", "4"], "B",
         "“01/02/2021” can be 1 February 2021 or 2 January 2021."),
        (["Ivo", "", "4"], "B", "This row has no date."),
        (["", MONDAY, "4"], "A", "This row does not say who it is about."),
        (["x" * 201, MONDAY, "4"], "A", "This text has 201 characters; at most 200 are kept."),
        (["Ivo\x1b", MONDAY, "4"], "A", "“Ivo\ufffd” holds control characters."),
        (["Grand Total", MONDAY, "4"], "A",
         "“Grand Total” looks like a row of totals, not like a person."),
        (["Ivo", MONDAY, "4", "5"], "", "This row has more cells than the header."),
    ],
)  # fmt: skip
def test_a_row_with_a_problem_is_named_and_left_out(rows, row, letter, message):
    tallied = rows.tally([HEADER, ["Lea", MONDAY, 3], row, []], rows.calls(CSAT))
    assert complaints(tallied) == [(3, letter, message)]
    assert tallied.problems[0].hint
    assert not tallied.clean
    assert readings(tallied) == [("Lea", "csat", MONDAY, 1, 3, 9)]
    assert (tallied.rows_read, tallied.rows_used) == (2, 1)
    assert [person.key for person in tallied.people] == ["Lea"]


def test_a_problem_says_where_in_a_workbook(files, rows):
    content = files.xlsx([[], ["", *HEADER], ["", "Ivo", MONDAY, "good"]], names=["Q1"])
    table = open_table(content).best
    (problem,) = aggregate(table, rows.calls(CSAT), today=rows.today).problems
    where = (problem.sheet, problem.row, problem.column, problem.letter, problem.value)
    assert where == ("Q1", 3, "Rating", "D", "good")


def test_problems_beyond_the_most_are_counted(rows):
    table = [HEADER, *[["Ivo", MONDAY, "good"]] * 30, *[["", MONDAY, 4]] * 5]
    tallied = rows.tally(table, rows.calls(CSAT), max_problems=3)
    assert len(tallied.problems) == 3
    assert tallied.problem_counts == {"not a number": 30, "nobody named": 5}


def test_rows_that_say_nothing_are_no_rows(rows):
    table = [[*HEADER, "Note"], ["Ivo", MONDAY, 4, ""], ["", "", "", "the end"], [" ", "-", "", ""]]
    tallied = rows.tally(table, rows.calls(CSAT))
    assert tallied.clean
    assert tallied.rows_read == 1


def test_shares_durations_and_counts_of_single_cases(rows):
    metrics = (
        MetricColumns(key="fcr", name="FCR", kind="proportion", column="Resolved"),
        MetricColumns(key="aht", name="AHT", kind="duration", column="AHT (min)", factor=60.0),
        MetricColumns(key="errors", name="Errors", kind="rate", column="Errors"),
        MetricColumns(key="claims", name="Claims", kind="rate", column="Claims", exposure="Hours"),
    )
    table = [
        ["Agent", "Date", "Resolved", "AHT (min)", "Errors", "Claims", "Hours"],
        ["Ivo", MONDAY, "Y", "2.5", "0", "1", "7.5"],
        ["Ivo", MONDAY, "n", "0:01:30", "2", "0", "8"],
        ["Ivo", MONDAY, "", "", "Y", "", ""],
    ]
    tallied = rows.tally(table, rows.calls(*metrics))
    assert tallied.problems == []
    assert [r[1:2] + r[3:] for r in readings(tallied)] == [
        ("fcr", 2, 1, 1),
        ("aht", 2, 240, 150**2 + 90**2),
        ("errors", 3, 3, None),
        ("claims", 15.5, 1, None),
    ]


@pytest.mark.parametrize(
    ("kind", "cells", "message"),
    [
        ("duration", ["0", ""], "Load took no time at all."),
        ("duration", ["-5", ""], "Load cannot be negative."),
        ("duration", ["long", ""], "“long” is not a duration."),
        ("rate", ["-1", ""], "Load cannot be negative."),
        ("proportion", ["perhaps", ""], "“perhaps” is neither yes nor no."),
        ("rate with exposure", ["2", "0"], "There is a value, but “Hours” is empty or zero."),
        ("rate with exposure", ["2", ""], "There is a value, but “Hours” is empty or zero."),
        ("rate with exposure", ["2", "-3"], "Load cannot be negative."),
    ],
)
def test_single_cases_keep_the_rules_of_their_kind(rows, kind, cells, message):
    exposure = "Hours" if "exposure" in kind else None
    metric = MetricColumns(
        key="load", name="Load", kind=kind.split()[0], column="Load", exposure=exposure
    )
    tallied = rows.tally(
        [["Agent", "Date", "Load", "Hours"], ["Ivo", MONDAY, *cells]], rows.calls(metric)
    )
    assert message in [problem.message for problem in tallied.problems]
    assert len(tallied.readings) == 0


# -- totals ----------------------------------------------------------------------------

TOTALS = ["Agent", "Date", "n", "Mean", "Sum", "SD", "Sumsq"]


def totals(**changes):
    metric = MetricColumns(**{"key": "csat", "name": "CSAT", "kind": "mean", "n": "n", **changes})
    return Mapping(shape="aggregated", person="Agent", date="Date", metrics=(metric,))


@pytest.mark.parametrize(
    ("changes", "cells", "n", "total", "sumsq"),
    [
        ({"mean": "Mean"}, [10, "4.2", "", "", ""], 10, 42, None),
        ({"mean": "Mean"}, [1, "4", "", "", ""], 1, 4, 16),
        ({"mean": "Mean", "sd": "SD"}, [10, "4.2", "", "0.5", ""], 10, 42, 9 * 0.25 + 176.4),
        ({"sum": "Sum", "sumsq": "Sumsq"}, [10, "", 42, "", 180], 10, 42, 180),
        ({"mean": "Mean", "kind": "proportion"}, [30, "33.3%", "", "", ""], 30, 10, 10),
        ({"mean": "Mean", "kind": "proportion", "factor": 0.01}, [30, "33.3", "", "", ""],
         30, 10, 10),
        ({"sum": "Sum", "kind": "proportion"}, [30, "", 12, "", ""], 30, 12, 12),
        ({"sum": "Sum", "kind": "rate"}, ["7.5", "", 3, "", ""], 7.5, 3, None),
        ({"mean": "Mean", "kind": "rate"}, [20, "0.15", "", "", ""], 20, 3, None),
        ({"mean": "Mean", "sd": "SD", "kind": "duration"}, [2, "02:00", "", "00:30", ""],
         2, 240, 900 + 28800),
        ({"sum": "Sum", "sumsq": "Sumsq", "kind": "duration", "factor": 60.0},
         [2, "", 4, "", 10], 2, 240, 36000),
    ],
)  # fmt: skip
def test_totals(rows, changes, cells, n, total, sumsq):
    tallied = rows.tally([TOTALS, ["Ivo", MONDAY, *cells]], totals(**changes))
    assert tallied.problems == []
    (found,) = tallied.readings
    assert (found.n, found.sum) == (pytest.approx(n), pytest.approx(total))
    assert found.sumsq == (None if sumsq is None else pytest.approx(sumsq))
    assert math.isnan(tallied.readings.sumsq[0]) is (sumsq is None)


@pytest.mark.parametrize(
    ("changes", "cells", "message"),
    [
        ({"mean": "Mean"}, ["-3", "4", "", "", ""], "n cannot be negative."),
        ({"mean": "Mean"}, ["2.5", "4", "", "", ""], "n must be a whole number."),
        ({"mean": "Mean"}, ["", "4", "", "", ""], "There is a value, but “n” is empty or zero."),
        ({"mean": "Mean", "sd": "SD"}, [9, 4, "", -1, ""], "SD cannot be negative."),
        ({"sum": "Sum", "sumsq": "Sumsq"}, [10, "", 42, "", 10],
         "The sum of squares is smaller than this n and sum allow."),
        ({"sum": "Sum", "kind": "proportion"}, [30, "", 31, "", ""],
         "CSAT: 31 of 30 is more than all."),
        ({"sum": "Sum", "kind": "proportion"}, [30, "", -1, "", ""], "CSAT cannot be negative."),
        ({"mean": "Mean", "kind": "proportion"}, [30, "85", "", "", ""],
         "CSAT: a share of 85 is more than all."),
        ({"mean": "Mean", "lower": 1.0, "upper": 5.0}, [9, "5.5", "", "", ""],
         "5.5 is outside the bounds of CSAT, which go from 1 to 5."),
        ({"mean": "Mean", "lower": 1.0}, [9, "0.5", "", "", ""],
         "0.5 is outside the bounds of CSAT, which go from 1 on."),
        ({"mean": "Mean", "kind": "duration"}, [9, "0", "", "", ""], "CSAT took no time at all."),
    ],
)  # fmt: skip
def test_totals_keep_the_rules_of_their_kind(rows, changes, cells, message):
    tallied = rows.tally([TOTALS, ["Ivo", MONDAY, *cells]], totals(**changes))
    assert [problem.message for problem in tallied.problems] == [message]
    assert (len(tallied.readings), tallied.rows_used) == (0, 0)


def test_an_empty_total_is_no_reading(rows):
    table = [TOTALS, ["Ivo", MONDAY, 0, "", "", "", ""], ["Lea", MONDAY, 5, "", "", "", ""]]
    tallied = rows.tally(table, totals(mean="Mean"))
    assert tallied.clean
    assert len(tallied.readings) == 0
    assert [person.key for person in tallied.people] == ["Ivo", "Lea"]


def test_a_person_twice_in_one_week_is_named_with_both_rows(rows):
    table = [
        ["Agent", "Date", "n", "Mean"],
        ["Lea", "2021-01-04", 5, 3],
        ["Ivo Brandt", "2021-01-04", 5, 3],
        ["Ivo Brandt", "2021-01-11", 5, 3],
        ["ivo brandt", "2021-01-07", 5, 4],
    ]
    tallied = rows.tally(table, totals(mean="Mean"))
    (problem,) = tallied.problems
    assert problem.message == (
        "Ivo Brandt appears twice for CSAT in the week of 4 Jan 2021, rows 3 and 5."
    )
    assert (problem.row, problem.rule) == (5, "a person twice in one period")
    assert [r[:3] for r in readings(tallied)] == [
        ("Ivo Brandt", "csat", dt.date(2021, 1, 11)),
        ("Lea", "csat", MONDAY),
    ]
    assert (tallied.rows_read, tallied.rows_used) == (4, 2)


def test_daily_totals_of_a_week_add_up_but_not_of_one_day(rows):
    table = [
        ["Agent", "Date", "n", "Mean"],
        ["Ivo", "2021-01-04", 5, 3],
        ["Ivo", "2021-01-05", 5, 4],
    ]
    daily = replace(totals(mean="Mean"), grain="day")
    assert readings(rows.tally(table, daily)) == [("Ivo", "csat", MONDAY, 10, 35, None)]
    tallied = rows.tally([*table, ["Ivo", "2021-01-05", 5, 4]], daily)
    assert complaints(tallied) == [
        (4, "A", "Ivo appears twice for CSAT on 5 Jan 2021, rows 3 and 4.")
    ]


def test_the_long_form_reads_each_row_as_its_metric(rows):
    metrics = (
        MetricColumns(key="csat", name="CSAT", kind="mean", n="n", mean="Value", label="CSAT"),
        MetricColumns(key="aht", name="AHT", kind="duration", n="n", mean="Value", label="AHT"),
    )
    mapping = Mapping(
        shape="aggregated",
        person="Agent",
        date="Date",
        metric="Metric",
        metrics=metrics,
        skipped_labels=("NPS",),
    )
    table = [
        ["Agent", "Date", "Metric", "n", "Value"],
        ["Ivo", MONDAY, "csat", 10, "4.5"],
        ["Ivo", MONDAY, "AHT", 20, "02:30"],
        ["Ivo", MONDAY, "nps", 3, "any"],
        ["Ivo", MONDAY, "QA", 3, "80"],
        ["Ivo", MONDAY, "", 3, "80"],
        ["Lea", MONDAY, "CSAT", 3, "02:30"],
    ]
    tallied = rows.tally(table, mapping)
    assert readings(tallied) == [
        ("Ivo", "csat", MONDAY, 10, 45, None),
        ("Ivo", "aht", MONDAY, 20, 3000, None),
    ]
    assert complaints(tallied) == [
        (5, "C", "“QA” is not among the metrics of this import."),
        (6, "C", "This row does not say which metric it is."),
        (7, "E", "“02:30” is not a number."),
    ]


# -- people ----------------------------------------------------------------------------


def test_what_rows_say_about_people_is_found_the_latest_counts(rows):
    mapping = rows.calls(
        CSAT,
        name="Name",
        email="Mail",
        team="Team",
        manager="Boss",
        attributes={
            "shift": "Shift",
            "part_time": "Part",
            "started_on": "Start",
            "capacity": "Cap",
        },
    )
    header = ["Agent", "Date", "Rating", "Name", "Mail", "Team", "Boss", "Shift", "Part", "Start",
              "Cap"]  # fmt: skip
    table = [
        header,
        [7, "2021-02-01", 4, "Ivo Brandt", "Ivo@x.org", "New", "M@x.org", "late", "yes", "", 2],
        [7, "2021-01-04", 4, "I. Brandt", "ivo@x.org", "Old", "a@x.org", "early", "no",
         "2019-03-01", ""],
        [7, "2021-03-01", 4, "", "", "", "", "", "", "", ""],
    ]  # fmt: skip
    tallied = rows.tally(table, mapping)
    assert tallied.problems == []
    (ivo,) = tallied.people
    assert (ivo.key, ivo.name, ivo.email) == ("7", "Ivo Brandt", "ivo@x.org")
    assert (ivo.team, ivo.manager) == ("New", "m@x.org")
    assert ivo.attributes == {
        "shift": "late",
        "part_time": True,
        "started_on": dt.date(2019, 3, 1),
        "capacity": 2,
    }


def test_an_email_address_belongs_to_one_person_who_has_one(rows):
    table = [
        [*HEADER, "Mail"],
        ["Ivo", MONDAY, 4, "team@x.org"],
        ["Lea", MONDAY, 4, "Team@x.org"],
        ["Otto", MONDAY, 4, "otto@x.org"],
        ["Otto", MONDAY, 4, "otto@y.org"],
        ["Mara", MONDAY, 4, "mara@x.org"],
    ]
    tallied = rows.tally(table, rows.calls(CSAT, email="Mail"))
    assert complaints(tallied) == [
        (3, "D", "team@x.org belongs to Ivo (row 2) and to Lea (row 3)."),
        (5, "D", "Otto has two e-mail addresses: otto@x.org (row 4) and otto@y.org (row 5)."),
    ]
    assert {p.key: p.email for p in tallied.people} == {
        "Ivo": "",
        "Lea": "",
        "Otto": "",
        "Mara": "mara@x.org",
    }
    assert tallied.rows_used == 5


def test_progress_is_told_in_rows(rows):
    told = []
    table = [HEADER, *[["Ivo", MONDAY, 4]] * 45_000]
    tallied = rows.tally(table, rows.calls(CSAT), on_progress=told.append)
    assert told == [20_000, 40_000, 45_000]
    assert tallied.readings.n.tolist() == [45_000]
    assert tallied.readings.sum.dtype == np.float64


def test_a_mapping_must_fit_the_table(rows):
    with pytest.raises(MappingError, match="has no column “Date”"):
        rows.tally([["Agent", "Rating"], ["Ivo", 4]], rows.calls(CSAT))
    with pytest.raises(MappingError, match="A roster has no readings"):
        rows.tally([["Agent"], ["Ivo"]], Mapping(shape="roster", person="Agent"))
