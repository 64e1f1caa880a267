import datetime as dt
import io
import zipfile

import pytest

from coaching.domain.tables import Column, TableError, open_table

CALLS = [["Agent", "Rating"], ["Zoë", "4"], ["Ivo", "5"]]


def cells(table):
    return [row for _, row in table.preview()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_it_reads_csv_of_any_kind(files, delimiter, encoding):
    table = open_table(files.csv(CALLS, delimiter=delimiter, encoding=encoding), "a.csv").best
    assert [column.name for column in table.columns] == ["Agent", "Rating"]
    assert cells(table) == [["Zoë", "4"], ["Ivo", "5"]]


def test_a_comma_inside_quotes_and_a_decimal_comma_do_not_cut_a_row():
    content = b'Agent;Rating;Note\r\n"Brandt, Ivo";4,5;"said; ""yes"""\r\nLea;3,5;a\r\n'
    table = open_table(content, "a.csv").best
    assert cells(table)[0] == ["Brandt, Ivo", "4,5", 'said; "yes"']


def test_a_separator_line_is_not_counted():
    table = open_table(b"sep=;\r\nAgent;Rating\r\nIvo;4\r\n", "a.csv").best
    assert table.header_row == 1
    assert table.preview() == [(2, ["Ivo", "4"])]


def test_a_cell_of_two_lines_is_one_row_as_in_excel():
    table = open_table(b'Agent,Note\n"Ivo","a\nb"\nLea,c\n', "a.csv").best
    assert [number for number, _ in table.preview()] == [2, 3]


def test_it_finds_the_header_below_title_lines_and_beside_an_empty_column(files):
    sheet = [
        ["Calls of the first quarter"],
        [],
        [None, "Agent", "Date", "Rating"],
        [None, "Ivo", dt.date(2021, 1, 4), 4],
        [None, None, None, None],
        [None, "Lea", dt.date(2021, 1, 5), 5],
    ]
    for content in (files.xlsx(sheet), files.csv(sheet)):
        table = open_table(content, "calls").best
        assert table.header_row == 3
        assert table.columns == (Column(1, "Agent"), Column(2, "Date"), Column(3, "Rating"))
        assert [column.letter for column in table.columns] == ["B", "C", "D"]
        assert [number for number, _ in table.preview()] == [4, 6]


def test_leading_empty_rows_and_columns_of_a_sheet_keep_their_numbers(files):
    table = open_table(
        files.xlsx([[], [], [None, None, "Agent", "Rating"], [None, None, "Ivo", 4]])
    )
    assert table.best.preview() == [(4, ["Ivo", 4.0])]
    assert table.best.columns[0].letter == "C"


def test_names_are_made_unique_and_nameless_columns_get_one(files):
    table = files.table([["Agent", "Rating", "rating", "", ""], ["Ivo", "4", "5", "x", ""]])
    assert [c.name for c in table.columns] == ["Agent", "Rating", "rating (2)", "Column D"]


def test_it_proposes_the_largest_sheet_and_passes_over_notes(files):
    content = files.xlsx(
        [["Read me"]],
        [["Agent", "Rating"], ["Ivo", 4]],
        [["Agent", "Rating"], ["Ivo", 4], ["Lea", 5]],
        names=["Notes", "Small", "Large"],
    )
    book = open_table(content, "a.xlsx")
    assert [table.sheet for table in book.tables] == ["Small", "Large"]
    assert book.best.sheet == "Large"
    assert book.table("Small").preview() == [(2, ["Ivo", 4.0])]
    with pytest.raises(TableError, match="no table on a sheet “Missing”"):
        book.table("Missing")


def test_excel_keeps_zeros_and_says_true_as_csv_does(files):
    table = open_table(files.xlsx([["a", "b"], [0, 0], [True, False]])).best
    assert cells(table) == [[0.0, 0.0], ["TRUE", "FALSE"]]


def test_excel_errors_are_empty_cells(files):
    content = files.rewritten(
        files.xlsx([["Agent", "Rating"], ["Ivo", 4]]),
        lambda name, part: part.replace(b' t="n"><v>4<', b' t="e"><v>#DIV/0!<'),
    )
    assert cells(open_table(content).best) == [["Ivo", ""]]


def test_a_table_may_be_read_twice_and_by_two_at_once(files):
    table = files.table([["n"], *[[i] for i in range(50)]])
    for one, other in zip(table.chunks(), table.chunks(), strict=True):
        assert one.cells == other.cells


def test_a_stream_stays_open_and_need_not_be_seekable(files):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    stream = Pipe(files.csv(CALLS))
    assert len(open_table(stream, "a.csv").best.preview()) == 2
    assert not stream.closed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "This file is empty"),
        (b"  \r\n \n", "This file is empty"),
        (b"%PDF-1.7 ...", "This is a PDF. Export the table as CSV or Excel and upload that."),
        (b"\x89PNG\r\n\x1a\n", "This is an image"),
        (b"\xff\xd8\xff\xe0 JFIF", "This is an image"),
        (b"{\\rtf1 hello}", "This is a text document"),
        (b"\x1f\x8b\x08\x00", "This is a compressed file"),
        (b"SQLite format 3\x00", "This is a database"),
        (b"<!DOCTYPE html><table><tr><td>Agent</table>", "This is a web page"),
        (b"\xef\xbb\xbf  <html><table>", "This is a web page"),
        (b'<?xml version="1.0"?><Workbook>', "This is an XML file"),
        (b'{"agent": "Ivo"}', "This is JSON"),
        (b'[{"agent": "Ivo"}]', "This is JSON"),
        (b"PK\x03\x04 and then nothing", "This workbook is damaged"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
            "looks like Excel but cannot be read",
        ),
        (b"Agent,Rating\nIvo\x00,4\n", "holds bytes that are no text"),
        (bytes(range(1, 32)) * 9, "holds bytes that are no text"),
        (b"Agent,Rating\n", "There is no table"),
        (b"1,2\n3,4\n", "Row 1 holds values, not the names of the columns"),
        (b'Agent,Rating\n"Ivo,4\nLea,5\n', "The quotation marks at line"),
        (b'Agent,Rating\n"' + b"x" * 200_000 + b'",4\n', "more than 131,072 characters"),
    ],
)
def test_it_says_what_a_file_is_when_it_is_no_table(content, message):
    with pytest.raises(TableError, match=message) as refusal:
        open_table(content, "calls.xls")
    assert refusal.value.message.endswith((".", "”."))


def test_it_reads_a_spreadsheet_of_libreoffice():
    def row(*values):
        cells = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{v}</text:p></table:table-cell>'
            for v in values
        )
        return f"<table:table-row>{cells}</table:table-row>"

    empty = (
        '<table:table-row table:number-rows-repeated="1048570">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    sheet = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="Q1">{row("Agent", "CSAT")}{row("Ivo", "4")}{empty}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", sheet)
        package.writestr("META-INF/manifest.xml", "<manifest/>")
    table = open_table(content.getvalue(), "q1.ods").best
    assert (table.sheet, table.preview()) == ("Q1", [(2, ["Ivo", "4"])])
