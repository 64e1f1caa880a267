import datetime as dt

import pytest

from coaching.domain.tables.cells import (
    CellError,
    Days,
    parse_date,
    parse_duration,
    parse_email,
    parse_number,
    parse_text,
    parse_yes_no,
)

MISSING = ["", "  ", "-", "–", "n/a", "N/A", "#N/A", "#DIV/0!", "#NV", "#WERT!"]


@pytest.mark.parametrize(
    "parse", [parse_number, parse_yes_no, parse_date, parse_duration, parse_text]
)
@pytest.mark.parametrize("cell", MISSING)
def test_nothing_is_not_a_mistake(parse, cell):
    assert parse(cell) is None


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("4", 4), (" 4.50 ", 4.5), ("-3", -3), ("+3", 3), (".5", 0.5), ("1e3", 1000), (4.25, 4.25),
        ("4,5", 4.5), ("0,125", 0.125), ("1234,567", 1234.567), ("1.234,5", 1234.5),
        ("1,234.5", 1234.5), ("1,234,567", 1234567), ("1.234.567", 1234567), ("1 234,5", 1234.5),
        ("1\u00a0234", 1234), ("1'234.50", 1234.5), ("85%", 0.85), ("8,5 %", 0.085),
        ("€ 12.50", 12.5), ("12,50 EUR", 12.5), ("−4", -4), ("1.234", 1.234),
    ],
)  # fmt: skip
def test_numbers(cell, number):
    assert parse_number(cell) == pytest.approx(number)


@pytest.mark.parametrize(
    "cell",
    ["four", "nan", "NaN", "inf", "-Infinity", "1e999", "1_000", "１２", "٣", "1,2,3", "1.2.3",
     "1,23,456", "12 34", "4/5", "0x10", "--4", "4%%", float("nan"), float("inf"),
     dt.date(2021, 1, 1), "9" * 400],
)  # fmt: skip
def test_no_numbers(cell):
    with pytest.raises(CellError, match="is not a number") as refusal:
        parse_number(cell)
    assert len(refusal.value.message) < 120


@pytest.mark.parametrize("cell", ["1e13", "-1e154", 1e300, "9" * 300])
def test_a_number_beyond_all_counting_is_refused(cell):
    with pytest.raises(CellError, match="is larger than anything"):
        parse_number(cell)


def test_a_number_that_reads_two_ways_waits_for_an_answer():
    with pytest.raises(CellError, match=r"“1,234” can be 1\.234 or 1234"):
        parse_number("1,234")
    assert parse_number("1,234", decimal=",") == 1.234
    assert parse_number("1,234", decimal=".") == 1234
    assert parse_number("1.234", decimal=",") == 1234


@pytest.mark.parametrize("cell", ["Y", "yes", "JA", "j", "True", "TRUE", "wahr", "1", 1.0])
def test_yes(cell):
    assert parse_yes_no(cell) == 1.0


@pytest.mark.parametrize("cell", ["n", "No", "nein", "FALSE", "falsch", "0", 0.0])
def test_no(cell):
    assert parse_yes_no(cell) == 0.0


@pytest.mark.parametrize("cell", ["maybe", "2", 0.5, "1.5", dt.time(1)])
def test_neither_yes_nor_no(cell):
    with pytest.raises(CellError, match="neither yes nor no"):
        parse_yes_no(cell)


@pytest.mark.parametrize(
    "cell",
    ["2021-02-01", "2021/2/1", "2021.02.01", "2021-02-01T10:00", "2021-02-01 23:59:59.5",
     "2021-02-01T10:00:00+02:00", "20210201", "1.2.2021", "01.02.21", "1 Feb 2021", "01-Feb-21",
     "Feb 1, 2021", "February 1st, 2021", "1. Februar 2021", "Mon, 1 Feb 2021", "2021-W05",
     44228, 44228.75, "44228", dt.date(2021, 2, 1), dt.datetime(2021, 2, 1, 23, 0)],
)  # fmt: skip
def test_dates(cell):
    assert parse_date(cell) == dt.date(2021, 2, 1)


def test_day_and_month_are_never_guessed():
    with pytest.raises(CellError, match="can be 1 February 2021 or 2 January 2021"):
        parse_date("01/02/2021")
    assert parse_date("01/02/2021", day_first=True) == dt.date(2021, 2, 1)
    assert parse_date("01/02/2021", day_first=False) == dt.date(2021, 1, 2)
    assert parse_date("13/01/2021") == dt.date(2021, 1, 13)
    assert parse_date("1/13/21 4:05 PM") == dt.date(2021, 1, 13)
    with pytest.raises(CellError, match="is not a date"):
        parse_date("1/13/2021", day_first=True)


@pytest.mark.parametrize(
    "cell",
    ["68", "tomorrow", "2021-02-30", "31.4.2021", 12, "32/1/2021", "2021-02-01 25 o'clock",
     dt.time(9), "２０２１-01-01", 1e300],
)  # fmt: skip
def test_no_dates(cell):
    with pytest.raises(CellError, match="is not a date"):
        parse_date(cell)


def test_two_digits_of_a_year_read_as_posix_does():
    assert parse_date("13.01.68").year == 2068
    assert parse_date("13.01.69").year == 1969


def test_a_column_of_moments_reads_as_its_dates():
    cells = ["2021-01-04 10:00", "2021-01-04T11:00", "2021-01-05 9:00 AM", "", "2021-01-04 noon",
             "4 Jan 2021 10:00", "Jan 4, 2021"]  # fmt: skip
    day = dt.date(2021, 1, 4).toordinal()
    read = Days(day_first=None).read(cells).tolist()
    assert read[:3] == [day, day, day + 1]
    assert read[3] != read[3]
    assert read[4] == float("inf")
    assert read[5:] == [day, day]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("00:02:23", 143), ("02:23", 143), ("1:02:03.5", 3723.5), ("26:00:00", 93600), ("143", 143),
        (143.0, 143), ("2.5 min", 150), ("2,5 Min.", 150), ("1 h 5 min", 3900), ("2m 30s", 150),
        ("90 sec", 90), (dt.time(0, 2, 23), 143), (dt.timedelta(hours=30), 108000),
        (dt.datetime(1900, 1, 1, 12), 129600), (dt.date(1900, 1, 1), 86400),
    ],
)  # fmt: skip
def test_durations(cell, seconds):
    assert parse_duration(cell) == seconds


def test_durations_in_other_units():
    assert parse_duration("2.5", factor=60) == 150
    assert parse_duration(143 / 86400, factor=86400) == pytest.approx(143)
    assert parse_duration("04:30", clock="h:m") == 16200
    assert parse_duration(dt.time(4, 30), clock="m:s") == 270


@pytest.mark.parametrize(
    "cell", ["long", "1:75", "1:2:3:4", "5 parsecs", "20%", dt.date(2021, 1, 1)]
)
def test_no_durations(cell):
    with pytest.raises(CellError, match="is not a duration"):
        parse_duration(cell)


def test_texts_have_single_spaces_and_nothing_hidden():
    assert parse_text("  Ivo \t\n Brandt\u200b ") == "Ivo Brandt"
    assert parse_text("Zoe\u0308") == "Zoë"
    assert parse_text(1002.0) == "1002"


@pytest.mark.parametrize("cell", ["Ivo\x00", "Ivo\ud800", "Ivo\x1b[31m", "\u202eovI"])
def test_control_characters_are_refused_and_shown_as_a_mark(cell):
    with pytest.raises(CellError, match="control characters") as refusal:
        parse_text(cell)
    assert "\ufffd" in refusal.value.message
    refusal.value.message.encode()


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(CellError, match="201 characters"):
        parse_text("x" * 201)


@pytest.mark.parametrize("cell", ["ivo", "ivo@", "@example.org", "a@b", "a b@c.org", "a@b.c,d@e.f"])
def test_no_email_addresses(cell):
    with pytest.raises(CellError, match="not an e-mail address"):
        parse_email(cell)
