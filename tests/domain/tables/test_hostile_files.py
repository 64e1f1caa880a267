"""Whatever is uploaded, it is read or refused in words; nothing else comes out."""

import datetime as dt
import io
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coaching.domain.tables import (
    Mapping,
    MappingError,
    MetricColumns,
    TableError,
    aggregate,
    open_table,
    propose,
    read_roster,
)
from coaching.domain.tables.guard import check_workbook

TODAY = dt.date(2021, 12, 31)
GOOD = [["Agent", "Date", "CSAT"], ["Ivo", "2021-01-04", 4], ["Lea", "2021-01-05", 5]]


def swallow(content, name="upload.xlsx"):
    """Open, propose, and read; the refusals that people may see are fine."""
    try:
        table = open_table(content, name).best
        mapping = propose(table)
        Mapping.from_json(mapping.to_json())
        read = read_roster if mapping.shape == "roster" else aggregate
        tallied = read(table, mapping, **({} if mapping.shape == "roster" else {"today": TODAY}))
    except (TableError, MappingError) as refusal:
        refusal.message.encode()
        return refusal
    for problem in tallied.problems:
        f"{problem.value}{problem.message}{problem.hint}{problem.column}".encode()
    return tallied


def zipped(parts):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return content.getvalue()


def in_sheet(files, cells):
    """A workbook whose only sheet has these rows, in the language of the format."""

    def change(name, part):
        if not name.endswith("sheet1.xml"):
            return part
        start, end = part.index(b"<sheetData>") + 11, part.index(b"</sheetData>")
        return part[:start] + cells + part[end:]

    return files.rewritten(files.xlsx(GOOD), change)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"word/document.xml": "x"}, "This is a Word document"),
        ({"ppt/presentation.xml": "x"}, "This is a PowerPoint file"),
        ({"Index/Document.iwa": "x"}, "This is an Apple Numbers file"),
        ({"calls.csv": "Agent,CSAT"}, "This is a zip file, not a workbook. Unpack it"),
        ({"xl/workbook.xml": "x"}, "cannot be read"),
        ({"mimetype": "x", "content.xml": "<x/>"}, "cannot be read"),
    ],
)
def test_a_zip_that_is_no_workbook_is_named(parts, message):
    with pytest.raises(TableError, match=message):
        open_table(zipped(parts), "calls.xlsx")


def test_a_bomb_is_refused_from_the_directory_alone(files):
    bomb = zipped({"xl/workbook.xml": b"x", "xl/worksheets/sheet1.xml": b" " * 120_000_000})
    start = time.perf_counter()
    with pytest.raises(TableError, match="times its size"):
        open_table(bomb)
    assert time.perf_counter() - start < 0.5
    with pytest.raises(TableError, match="unpacks to 120 MB; at most 100 MB"):
        open_table(bomb, max_inflated=100_000_000)


def test_a_directory_that_lies_about_sizes_is_found_out(files):
    bomb = bytearray(zipped({"xl/workbook.xml": b"x", "xl/sheet.xml": b" " * 30_000_000}))
    size = (30_000_000).to_bytes(4, "little")
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(TableError, match="is damaged"):
        open_table(bytes(bomb))


@pytest.mark.parametrize(
    "cells",
    [
        b'<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>',
        b"<row r='1'><c r='A1'><v>1</v></c><c r  =  'ZZZ99999'><v>1</v></c></row>",
        b'<row r="1"><c\nr="A1"><v>1</v></c><c\tr="AMJ900000"><v>1</v></c></row>',
    ],
)
def test_a_cell_in_the_last_corner_does_not_fill_the_memory(files, cells):
    with pytest.raises(TableError, match="reaches over more than 20,000,000 cells"):
        open_table(in_sheet(files, cells))


def test_a_large_table_may_be_limited_further(files):
    content = files.xlsx([["Agent", "CSAT"], *[["Ivo", 4]] * 100])
    open_table(content, max_cells=202)
    with pytest.raises(TableError, match="more than 201 cells"):
        open_table(content, max_cells=201)


def test_a_long_text_named_by_many_cells_does_not_fill_the_memory(files):
    shared = b"<sst><si><t>" + b"y" * 30_000 + b"</t></si></sst>"
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (i, i)
                     for i in range(1, 100_001))  # fmt: skip
    parts = {"xl/workbook.xml": b"x", "xl/sharedStrings.xml": shared,
             "xl/worksheets/sheet1.xml": b"<sheetData>" + cells + b"</sheetData>"}  # fmt: skip
    with pytest.raises(TableError, match="texts in this workbook are too long"):
        check_workbook(io.BytesIO(zipped(parts)))


def test_repeated_rows_of_a_spreadsheet_do_not_fill_the_memory():
    def sheet(rows):
        return zipped({"mimetype": b"x", "content.xml": b"<table:table>" + rows})

    value = b'<table:table-cell table:number-columns-repeated="%d" office:value="1"/>'
    empty = b'<table:table-cell table:number-columns-repeated="16384"/>'
    row = b'<table:table-row table:number-rows-repeated="%d">%s</table:table-row>'
    end = b"</table:table>"
    with pytest.raises(TableError, match="reaches over more than"):
        check_workbook(io.BytesIO(sheet(row % (1_048_576, value % 16_384) + end)))
    # What every spreadsheet holds: nothing, down to the last corner.
    check_workbook(io.BytesIO(sheet(row % (10, value % 5) + row % (1_048_566, empty) + end)))


def test_a_binary_sheet_is_measured_too():
    row = bytes([0, 4]) + (1_048_575).to_bytes(4, "little")
    cell = bytes([2, 4]) + (16_383).to_bytes(4, "little")
    parts = {"xl/workbook.bin": b"", "xl/worksheets/sheet1.bin": row + cell}
    with pytest.raises(TableError, match="reaches over more than"):
        check_workbook(io.BytesIO(zipped(parts)))


@pytest.mark.parametrize(
    "text",
    ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "' OR 1=1 --", "../../etc/passwd",
     "\u202eovI", "x" * 40_000, "\x7f", "😀" * 50],
)  # fmt: skip
def test_nasty_texts_stay_texts(files, text):
    for where in range(3):
        rows = [list(row) for row in GOOD]
        rows[1][where] = text
        swallow(files.csv(rows), "a.csv")
        rows[0], rows[1] = rows[1], rows[0]
        swallow(files.csv(rows), "a.csv")


@pytest.mark.parametrize(
    "unit", ["1,", "1.", "1 ", "9" * 10, "1:", "1 h ", "a@", "Jan ", "(", "--", "A1 ", "1-"]
)
def test_no_cell_takes_long_to_read(files, unit):
    cell = unit * (100_000 // len(unit))
    rows = [["Agent", "Date", "CSAT", "Handle time", "Mail"], [cell] * 5, ["Ivo", "", cell, "", ""]]
    metrics = [
        MetricColumns(key=kind, name=kind, kind=kind, column=column)
        for kind, column in (("mean", "CSAT"), ("duration", "Handle time"))
    ]
    mapping = Mapping(person="Agent", date="Date", email="Mail", metrics=tuple(metrics))
    table = open_table(files.csv(rows)).best
    start = time.perf_counter()
    aggregate(table, mapping, today=TODAY)
    propose(table)
    assert time.perf_counter() - start < 1.0


fuzz = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzz
@given(st.binary(max_size=300))
def test_any_bytes(content):
    swallow(content)


@fuzz
@given(st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=12))
def test_any_texts(files, table):
    content = "\n".join(",".join(row) for row in table).encode("utf-8", "surrogatepass")
    swallow(content, "a.csv")


CELLS = st.one_of(
    st.sampled_from(["Agent", "Date", "CSAT", "n", "Mean", "Metric", "E-mail", "Errors", "Calls",
                     "01/02/2021", "13/01/2021", "2021-01-04", "4,5", "1,234", "85%", "00:02:30",
                     "Y", "N", "-", "#N/A", "nan", "ivo@x.org", "Ivo", "Total", ""]),
    st.integers(-5, 50_000).map(str),
    st.floats(allow_nan=True).map(str),
)  # fmt: skip


@fuzz
@given(st.lists(st.lists(CELLS, min_size=3, max_size=6), min_size=2, max_size=12))
def test_any_table_of_plausible_cells(files, table):
    swallow(files.csv(table), "a.csv")


TYPED = st.one_of(
    CELLS,
    st.none() | st.booleans() | st.integers(-5, 50_000) | st.floats(allow_nan=False, width=32),
    st.dates(dt.date(1901, 1, 1)) | st.datetimes(dt.datetime(1901, 1, 1)) | st.times(),
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=9)),
)


@fuzz
@given(st.lists(st.lists(TYPED, min_size=3, max_size=6), min_size=2, max_size=12))
def test_any_sheet_of_plausible_cells(files, table):
    swallow(files.xlsx(table), "a.xlsx")


@fuzz
@given(st.data())
def test_any_damage_to_a_workbook(files, data):
    content = bytearray(files.xlsx(GOOD))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    swallow(bytes(content))
    swallow(bytes(content[:cut]))


@fuzz
@given(st.data())
def test_any_damage_inside_a_workbook(files, data):
    """Past the zip's checksums: the parts themselves are broken."""
    name = data.draw(st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml",
                                      "xl/styles.xml", "xl/_rels/workbook.xml.rels"]))  # fmt: skip

    def broken(part_name, part):
        if part_name != name:
            return part
        start = data.draw(st.integers(0, len(part)))
        return part[:start] + data.draw(st.binary(max_size=6)) + part[start + 3 :]

    swallow(files.rewritten(files.xlsx(GOOD), broken))
