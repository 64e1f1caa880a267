"""
What an uploaded file truly is, judged by its content, before anything is inflated.

A workbook of a few kilobytes can claim a cell in the last corner of its sheet, or hold
gigabytes of spaces. Readers of workbooks make room for all of it at once, so the extent
of every sheet is measured here first, in a stream that keeps nothing.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from coaching.domain.said import Figure, Said, said
from coaching.domain.tables.errors import TableError

MAX_INFLATED = 400_000_000
MAX_RATIO = 200
# Small files may compress as well as they like: an empty sheet of one style does.
RATIO_MATTERS_FROM = 20_000_000
MAX_CELLS = 20_000_000
# Characters that all cells of a workbook may hold together, repeated texts counted each time.
MAX_TEXT = 2_000_000_000
MAX_PARTS = 10_000

_CHUNK = 1 << 20
# Longer than any cell tag, so that none is missed where two chunks meet.
_OVERLAP = 512

_MAGIC: tuple[tuple[bytes, Said], ...] = (
    (b"%PDF", said("This is a PDF.")),
    (b"\x89PNG", said("This is an image.")),
    (b"\xff\xd8\xff", said("This is an image.")),
    (b"GIF8", said("This is an image.")),
    (b"BM", said("This is an image.")),
    (b"II*\x00", said("This is an image.")),
    (b"MM\x00*", said("This is an image.")),
    (b"{\\rtf", said("This is a text document.")),
    (b"\x1f\x8b", said("This is a compressed file.")),
    (b"7z\xbc\xaf", said("This is a compressed file.")),
    (b"Rar!", said("This is a compressed file.")),
    (b"BZh", said("This is a compressed file.")),
    (b"\xfd7zXZ", said("This is a compressed file.")),
    (b"SQLite format 3", said("This is a database.")),
    (b"PAR1", said("This is a Parquet file.")),
    (b"\x7fELF", said("This is a program.")),
    (b"MZ", said("This is a program.")),
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def what_it_is(stream: BinaryIO) -> str:
    """
    Return `"excel"` or `"text"` for a file that may hold a table.

    :raises TableError: if the content is of another kind, whatever the file's name says
    """
    stream.seek(0)
    head = stream.read(4096)
    if not head.strip():
        raise TableError(
            said("This file is empty. Export the table again and upload the new file.")
        )
    if head.startswith(b"PK"):
        return "excel"
    if head.startswith(_OLE):
        return "excel"
    for magic, what in _MAGIC:
        # Two letters are too few to tell an image or a program from the words of a table.
        if head.startswith(magic) and (len(magic) > 2 or b"\x00" in head):
            raise _of_another_kind(what)
    if head[:2] == b"\x09\x08" or head[:4] in (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00"):
        raise TableError(
            said(
                "This is a very old Excel file. Open it in Excel, save it as .xlsx and upload that."
            )
        )
    _refuse_markup(head)
    return "text"


def _of_another_kind(what: Said) -> TableError:
    return TableError(said("%(what)s Export the table as CSV or Excel and upload that.", what=what))


def _refuse_markup(head: bytes) -> None:
    start = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<body", b"<meta")):
        raise TableError(
            said(
                "This is a web page, whatever its name says. "
                "Open it in Excel, save it as .xlsx and upload that."
            )
        )
    if start.startswith((b"<?xml", b"<workbook")):
        raise TableError(
            said("This is an XML file. Open it in Excel, save it as .xlsx and upload that.")
        )
    if re.match(rb'(\{\s*("|\}))|(\[\s*(\{|\[|\]))', start):
        raise _of_another_kind(said("This is JSON."))


def check_workbook(
    stream: BinaryIO,
    *,
    max_inflated: int = MAX_INFLATED,
    max_ratio: float = MAX_RATIO,
    max_cells: int = MAX_CELLS,
) -> None:
    """
    Refuse a workbook that would not fit into memory, or that is none.

    1. The zip directory: kind, number of parts, inflated size, ratio.
    2. Every part in a stream: it inflates to what the directory says, and no sheet
       reaches over more than `max_cells` cells, empty ones between included.

    Older `.xls` files are no zips; their format ends at 65,536 x 256 cells.

    :raises TableError: with the reason
    """
    stream.seek(0)
    if stream.read(8) == _OLE:
        return
    stream.seek(0, io.SEEK_END)
    packed = stream.tell()
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as package:
            parts = package.infolist()
            _check_directory(parts, packed=packed, max_inflated=max_inflated, max_ratio=max_ratio)
            _check_parts(package, parts, max_cells=max_cells)
    except TableError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        KeyError,
    ) as error:
        raise TableError(
            said(
                "This workbook is damaged. Open it in Excel, save it again and upload the new file."
            )
        ) from error


def _check_directory(
    parts: list[zipfile.ZipInfo], *, packed: int, max_inflated: int, max_ratio: float
) -> None:
    names = {part.filename for part in parts}
    if len(names) != len(parts) or len(parts) > MAX_PARTS:
        raise TableError(said("This workbook is damaged: its parts contradict each other."))
    _refuse_other_packages(names)
    inflated = sum(part.file_size for part in parts)
    if inflated > max_inflated:
        raise TableError(
            said(
                "This workbook unpacks to %(size)s MB; at most %(most)s MB can be read. "
                "Save the sheet as CSV and upload that.",
                size=Figure(f"{inflated / 1e6:,.0f}"),
                most=Figure(f"{max_inflated / 1e6:,.0f}"),
            )
        )
    if inflated > RATIO_MATTERS_FROM and inflated > max_ratio * packed:
        raise TableError(
            said(
                "This workbook unpacks to %(times)s times its size, as no table of work does. "
                "Copy the table into a new workbook or save it as CSV.",
                times=Figure(f"{inflated / max(packed, 1):,.0f}"),
            )
        )


def _refuse_other_packages(names: set[str]) -> None:
    if any(name.startswith("xl/workbook.") for name in names):
        return
    if any(name.startswith("word/") for name in names):
        raise _of_another_kind(said("This is a Word document."))
    if any(name.startswith("ppt/") for name in names):
        raise _of_another_kind(said("This is a PowerPoint file."))
    if any(name.endswith(".iwa") for name in names):
        raise TableError(said("This is an Apple Numbers file. Export it as CSV or Excel."))
    # The part's name is the only sign that costs nothing; a text document fails at its sheets.
    if "content.xml" in names and "mimetype" in names:
        return
    raise TableError(
        said(
            "This is a zip file, not a workbook. Unpack it and upload the CSV or Excel file inside."
        )
    )


def _check_parts(package: zipfile.ZipFile, parts: list[zipfile.ZipInfo], *, max_cells: int) -> None:
    is_ods = not any(part.filename.startswith("xl/") for part in parts)
    total = 0
    for part in parts:
        if part.flag_bits & 1:
            raise TableError(
                said(
                    "This workbook is protected by a password. Save it without and upload it again."
                )
            )
        with package.open(part) as inflated:
            # Reading to the end also proves the size and the checksum in the directory.
            if is_ods and part.filename == "content.xml":
                total += _extent_of_ods(inflated.read())
            elif part.filename.endswith(".bin"):
                total += _extent_of_records(inflated.read(), part.filename)
            else:
                total += _extent_of_xml(_chunks(inflated))
        if total > max_cells:
            raise TableError(
                said(
                    "This workbook reaches over more than %(most)s cells, empty ones included. "
                    "Delete the empty rows and columns around the table, or save it as CSV.",
                    most=Figure(f"{max_cells:,}"),
                )
            )
    if not is_ods:
        _check_repeated_text(package, parts)


def _chunks(inflated: zipfile.ZipExtFile) -> Iterator[bytes]:
    """The part in pieces that overlap a little, so that no tag is cut in two unseen."""
    tail = b""
    while chunk := inflated.read(_CHUNK):
        yield tail + chunk
        tail = chunk[-_OVERLAP:]


_COLUMN = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]{1,7})")
_ROW = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]{0,7}(\d{1,12})")


def _extent_of_xml(chunks: Iterator[bytes]) -> int:
    """Last row times last column of a sheet, from the positions its cells claim."""
    rows, columns = 0, 0
    for chunk in chunks:
        claimed = set(_COLUMN.findall(chunk))
        columns = max([columns, *map(_column_number, claimed)])
        rows = max([rows, *map(int, set(_ROW.findall(chunk)))])
    return rows * columns


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _extent_of_records(content: bytes, name: str) -> int:
    """
    Last row times last column of a binary sheet ([MS-XLSB] 2.1.4: type, length, body).

    Type 0 starts a row with its number, types 1 to 11 are cells that start with their column.
    """
    if "sheet" not in name.lower():
        return 0
    rows, columns, at, size = 0, 0, 0, len(content)
    while at < size:
        kind, at = _number_of_7_bits(content, at, most=2)
        length, at = _number_of_7_bits(content, at, most=4)
        if kind == 0:
            rows = max(rows, int.from_bytes(content[at : at + 4], "little") + 1)
        elif kind <= 11:
            columns = max(columns, int.from_bytes(content[at : at + 4], "little") + 1)
        at += length
    return rows * columns


def _number_of_7_bits(content: bytes, at: int, *, most: int) -> tuple[int, int]:
    number = 0
    for position in range(most):
        byte = content[at] if at < len(content) else 0
        at += 1
        number |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            break
    return number, at


_ODS_TAG = re.compile(
    rb"<(/?)table:(table-row|table-cell|covered-table-cell|table)(?=[\s/>])([^>]*?)(/?)>"
)
_ROWS_REPEATED = re.compile(rb"number-rows-repeated\s*=\s*[\"'](\d{1,12})")
_COLUMNS_REPEATED = re.compile(rb"number-columns-repeated\s*=\s*[\"'](\d{1,12})")


def _extent_of_ods(content: bytes) -> int:
    """Last row times last column that hold anything, repetitions unrolled, over all sheets."""
    total = rows = columns = row = column = 0
    for found in _ODS_TAG.finditer(content):
        closing, tag, attributes, empty = found.groups()
        if tag == b"table":
            total += rows * columns
            rows = columns = row = 0
        elif closing:
            continue
        elif tag == b"table-row":
            repeated = _ROWS_REPEATED.search(attributes)
            row += int(repeated[1]) if repeated else 1
            column = 0
        else:
            repeated = _COLUMNS_REPEATED.search(attributes)
            column += int(repeated[1]) if repeated else 1
            if not empty or b"value" in attributes:
                rows, columns = max(rows, row), max(columns, column)
    return total + rows * columns


_TEXT = re.compile(rb"<(?:\w+:)?si(?:\s[^>]*)?>(.*?)</(?:\w+:)?si>", re.DOTALL)
_TEXT_USED = re.compile(rb"t\s*=\s*[\"']s[\"'][^>]*>\s*<(?:\w+:)?v>\s*(\d{1,9})")


def _check_repeated_text(package: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """A long text is stored once and named by any number of cells, each of which gets a copy."""
    shared = next((part for part in parts if part.filename == "xl/sharedStrings.xml"), None)
    sheets = [part for part in parts if part.filename.startswith("xl/worksheets/")]
    if shared is None:
        return
    lengths = np.array([len(text) for text in _TEXT.findall(package.read(shared))], dtype=np.int64)
    # A cell that names a text takes twenty bytes at the least.
    most_cells = sum(part.file_size for part in sheets) // 20
    if lengths.size == 0 or int(lengths.max()) * most_cells <= MAX_TEXT:
        return
    total = 0
    for sheet in sheets:
        used = np.array(_TEXT_USED.findall(package.read(sheet)), dtype=np.int64)
        total += int(lengths[used[used < lengths.size]].sum())
    if total > MAX_TEXT:
        raise TableError(
            said(
                "The texts in this workbook are too long to be read together. "
                "Delete the columns with long texts, or save the sheet as CSV."
            )
        )
