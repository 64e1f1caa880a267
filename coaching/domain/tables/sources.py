"""
Where rows come from: CSV in any common encoding, and the sheets of a workbook.

Both give their rows in batches, as often as asked. A sheet is held in memory by the
library that reads it; a CSV file never is.
"""

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

import python_calamine

from coaching.domain.said import Figure, Said, said
from coaching.domain.tables.errors import TableError
from coaching.domain.tables.headers import Row

_DELIMITERS = ",;\t|"
_SAMPLE = 1 << 16
_SAMPLE_ROWS = 200


class Source(Protocol):
    """
    A sheet, or a CSV file.

    name : of the sheet; empty for CSV
    size_hint : roughly how much there is: rows of a sheet, bytes of a CSV file
    may_hold_bools : whether cells may be True and False
    """

    name: str
    size_hint: int
    may_hold_bools: bool

    def batches(self, sizes: Iterable[int]) -> Iterator[list[Row]]:
        """
        All rows from the first one on, so many at a time, until there are none.

        :raises TableError: where the file is damaged
        """


# -- workbooks -------------------------------------------------------------------------


class SheetSource:
    may_hold_bools = True

    def __init__(self, name: str, sheet: python_calamine.CalamineSheet) -> None:
        self.name = name
        self.size_hint = sheet.height
        self._sheet = sheet
        self._first_column = sheet.start[1] if sheet.start else 0

    def batches(self, sizes: Iterable[int]) -> Iterator[list[Row]]:
        rows = self._sheet.iter_rows()
        pad: Row = [""] * self._first_column
        for size in sizes:
            batch = list(itertools.islice(rows, size))
            if not batch:
                return
            yield [pad + row for row in batch] if pad else batch


def sheets_of(stream: BinaryIO) -> list[SheetSource]:
    """
    The visible sheets with anything in them, in the order of the workbook.

    :raises TableError: if the workbook cannot be read
    """
    try:
        stream.seek(0)
        book = python_calamine.load_workbook(stream)
        return [
            SheetSource(about.name, sheet)
            for about in book.sheets_metadata
            if about.typ == python_calamine.SheetTypeEnum.WorkSheet
            and about.visible == python_calamine.SheetVisibleEnum.Visible
            and (sheet := book.get_sheet_by_name(about.name)).start is not None
        ]
    except python_calamine.PasswordError as error:
        raise TableError(
            said("This workbook is protected by a password. Save it without and upload it again.")
        ) from error
    except (python_calamine.CalamineError, ValueError, OverflowError, OSError) as error:
        raise _damaged() from error
    except BaseException as error:
        # The reader is written in Rust; where it gives up on a damaged file it raises this,
        # which is no Exception and has no public name.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged() from None


def _damaged() -> TableError:
    return TableError(
        said(
            "This file looks like Excel but cannot be read: it is damaged, protected or of another "
            "program. Open it in Excel, save it as .xlsx and upload that."
        )
    )


# -- CSV -------------------------------------------------------------------------------


class CsvSource:
    name = ""
    may_hold_bools = False

    def __init__(self, stream: BinaryIO, *, kind: Said) -> None:
        """
        kind : what to call the file in messages

        :raises TableError: if it is no text
        """
        self._stream = stream
        self._encoding = _encoding_of(stream, kind)
        self.size_hint = stream.seek(0, io.SEEK_END)
        with self._text() as text:
            sample = text.read(_SAMPLE)
        named = re.match(r"sep=([,;\t|])\r?\n", sample, re.IGNORECASE)
        # Excel does not count this line, nor do we.
        self._skip_line = named is not None
        self._delimiter = named[1] if named else _sniff_delimiter(sample)

    def _text(self) -> "_Borrowed":
        return _Borrowed(self._stream, self._encoding)

    def batches(self, sizes: Iterable[int]) -> Iterator[list[Row]]:
        with self._text() as text:
            if self._skip_line:
                text.readline()
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            try:
                for size in sizes:
                    batch: list[Row] = list(itertools.islice(reader, size))
                    if not batch:
                        return
                    yield batch
            except csv.Error as error:
                raise _bad_csv(error, reader.line_num) from error


class _Borrowed(io.TextIOWrapper):
    """Text over a stream that stays open, and stays ours, when the text is closed."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        super().__init__(_Unclosed(stream), encoding=encoding, newline="")


class _Unclosed(io.BufferedIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._inner = stream
        self._at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        # Two readers may take turns on one stream; each keeps its own place.
        self._inner.seek(self._at)
        piece = self._inner.read(-1 if size is None else size)
        self._at += len(piece)
        return piece

    read1 = read


def _bad_csv(error: csv.Error, line: int) -> TableError:
    if "field larger" in str(error):
        return TableError(
            said(
                "A cell that ends at line %(line)s has more than %(most)s characters. "
                "Perhaps a quotation mark is not closed: check the lines above it.",
                line=line,
                most=Figure(f"{csv.field_size_limit():,}"),
            )
        )
    return TableError(
        said(
            "The quotation marks at line %(line)s do not match. A mark inside a quoted value must "
            "be doubled, and every opened one closed. Export the table again.",
            line=line,
        )
    )


def _encoding_of(stream: BinaryIO, kind: Said) -> str:
    """
    The encoding that fits the whole file.

    :raises TableError: if it holds NUL bytes, or is no text
    """
    stream.seek(0)
    head = stream.read(4096)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise TableError(said("This is %(kind)s in UTF-32. Export it as “CSV UTF-8”.", kind=kind))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif head.count(b"\x00") > len(head) // 3:
        # Every other byte of plain letters is zero; which one tells the order.
        candidates = ["utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"]
    else:
        candidates = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in candidates:
        if _decodes(stream, encoding, kind):
            return encoding
    raise _no_text(kind)


def _decodes(stream: BinaryIO, encoding: str, kind: Said) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    first = True
    while True:
        piece = stream.read(1 << 20)
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeError:
            return False
        if "\x00" in text:
            raise _no_text(kind)
        if first and len(re.findall(r"[\x01-\x08\x0e-\x1f]", text)) > len(text) // 50:
            raise _no_text(kind)
        first = False
        if not piece:
            return True


def _no_text(kind: Said) -> TableError:
    return TableError(
        said(
            "This looks like %(kind)s but holds bytes that are no text. "
            "Export the table again as CSV or Excel and upload that.",
            kind=kind,
        )
    )


def _sniff_delimiter(sample: str) -> str:
    """The sign that cuts most rows into the same number of columns, and into most."""
    lines = sample[: sample.rfind("\n") + 1] or sample
    best = (0.0, 1, ",")
    for delimiter in _DELIMITERS:
        widths = []
        try:
            for row in csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter):
                if any(row):
                    widths.append(len(row))
                if len(widths) == _SAMPLE_ROWS:
                    break
        except csv.Error:
            continue
        if not widths:
            continue
        common = max(set(widths), key=lambda width: (widths.count(width), width))
        if common > 1:
            share = widths.count(common) / len(widths)
            # A hundredth of difference is a title line or two, not another delimiter.
            best = max(best, (round(share, 2), common, delimiter), key=lambda found: found[:2])
    return best[2]
