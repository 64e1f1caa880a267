"""Two files as people have them; skipped where they are not at hand."""

import datetime as dt
from dataclasses import replace

from coaching.domain.tables import aggregate, open_table, propose

TODAY = dt.date(2026, 1, 1)


def test_the_call_centre_workbook_needs_no_question(real_file):
    table = open_table(real_file("call_centre_calls.xlsx"), "calls.xlsx").best
    mapping = propose(table)
    assert table.header_row == 2
    assert mapping.questions == ()
    assert (mapping.shape, mapping.person, mapping.date) == ("events", "Agent", "Date")
    assert [(m.key, m.kind, m.direction, m.lower, m.upper) for m in mapping.metrics] == [
        ("answered", "proportion", "higher", None, None),
        ("resolved", "proportion", "higher", None, None),
        ("speed-of-answer", "duration", "lower", None, None),
        ("avg-talk-duration", "duration", "lower", None, None),
        ("satisfaction-rating", "mean", "higher", 1.0, 5.0),
    ]
    assert [ignored.column for ignored in mapping.ignored] == ["Call Id", "Time", "Topic"]
    tallied = aggregate(table, mapping, today=TODAY)
    assert tallied.clean
    assert (tallied.rows_read, tallied.rows_used, len(tallied.people)) == (5000, 5000, 8)
    n = {m.key: tallied.readings.n[tallied.readings.metric == i].sum()
         for i, m in enumerate(mapping.metrics)}  # fmt: skip
    assert n == {
        "answered": 5000,
        "resolved": 5000,
        "speed-of-answer": 4054,
        "avg-talk-duration": 4054,
        "satisfaction-rating": 4054,
    }
    assert tallied.readings.sum[tallied.readings.metric == 1].sum() == 3646


def test_the_lecturer_file_asks_who_and_counts_as_one_period(real_file):
    table = open_table(real_file("lecturer_ratings.csv"), "lecturers.csv").best
    mapping = propose(table)
    assert [question.about for question in mapping.questions] == ["person", "period"]
    assert [option.label for option in mapping.questions[0].options] == [
        "s: 2,972 different values",
        "d: 1,128 different values",
    ]
    (metric,) = mapping.metrics
    assert (metric.column, metric.kind, metric.lower, metric.upper) == ("y", "mean", 1, 5)
    tallied = aggregate(table, replace(mapping, person="d"), today=TODAY)
    assert tallied.clean
    assert tallied.rows_used == tallied.readings.n.sum() == 73_421
    assert len(tallied.readings) == len(tallied.people) == 1_128
