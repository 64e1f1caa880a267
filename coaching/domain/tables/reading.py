"""
Bytes to tables: CSV in any common encoding, and every workbook that Excel opens.

A table is read in chunks, column by column, as often as somebody asks; only the sheet of
a workbook is held in memory, and a CSV file of a million rows never is.
"""

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from coaching.domain.said import said
from coaching.domain.tables import guard
from coaching.domain.tables.cells import Cell
from coaching.domain.tables.errors import TableError
from coaching.domain.tables.headers import (
    SAMPLE_ROWS,
    Column,
    Row,
    filled_row,
    find_header,
    plain_bool,
    says,
)
from coaching.domain.tables.sources import CsvSource, Source, sheets_of

CHUNK_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """
    Some rows of a table, by column.

    rows : row numbers as Excel shows them, from 1
    cells : one sequence per column of the table, each as long as `rows`
    overlong : row number and first surplus cell of rows that are longer than the header
    """

    rows: Sequence[int]
    cells: Sequence[Sequence[Cell]]
    overlong: dict[int, str] = field(default_factory=dict)


class Table:
    """One sheet: a header and rows below it."""

    def __init__(self, source: Source) -> None:
        """:raises TableError: if there is no header with rows below it"""
        self._source = source
        self.sheet = source.name
        sample = next(source.batches([SAMPLE_ROWS]), [])
        self.header_row, self.columns, self._width = find_header(sample, self.sheet)

    def __repr__(self) -> str:
        return f"Table({self.sheet!r}, {[column.name for column in self.columns]})"

    @property
    def size_hint(self) -> int:
        """Roughly how much there is to read: rows of a sheet, or bytes of a CSV file."""
        return self._source.size_hint

    def column(self, name: str) -> Column:
        """:raises KeyError: if there is none of this name"""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def chunks(self, names: Sequence[str] | None = None) -> Iterator[Chunk]:
        """
        The rows below the header, without the empty ones, in chunks of up to 20,000.

        names : the columns wanted, in this order; all when None

        :raises TableError: if the file turns out to be damaged further down
        """
        columns = self.columns if names is None else [self.column(name) for name in names]
        wanted = [column.index for column in columns]
        sizes = itertools.chain([self.header_row], itertools.repeat(CHUNK_ROWS))
        row = 1
        for batch in self._source.batches(sizes):
            if row > 1:
                yield self._chunk(batch, row, wanted)
            row += len(batch)

    def preview(self, rows: int = 10) -> list[tuple[int, list[Cell]]]:
        """The first rows below the header that are not empty, each with its row number."""
        chunk = next(self.chunks(), Chunk([], []))
        return [
            (number, list(cells))
            for number, cells in zip(chunk.rows, zip(*chunk.cells, strict=True), strict=False)
        ][:rows]

    def _chunk(self, rows: list[Row], first: int, wanted: list[int]) -> Chunk:
        width = self._width
        numbers: Sequence[int] = range(first, first + len(rows))
        if not all(map(any, rows)):
            numbered = [(n, row) for n, row in zip(numbers, rows, strict=True) if filled_row(row)]
            numbers, rows = [n for n, _ in numbered], [row for _, row in numbered]
        overlong: dict[int, str] = {}
        if set(map(len, rows)) != {width}:
            for at, row in enumerate(rows):
                if len(row) < width:
                    rows[at] = [*row, *[""] * (width - len(row))]
                elif len(row) > width:
                    surplus = next((cell for cell in row[width:] if says(cell)), None)
                    if surplus is not None:
                        overlong[numbers[at]] = str(surplus)
                    rows[at] = row[:width]
        # Transposed at once, in C: the reason why a column costs so little further on.
        by_column: Sequence[Sequence[Cell]] = list(zip(*rows, strict=True)) or [()] * width
        cells = [by_column[index] for index in wanted]
        if self._source.may_hold_bools:
            cells = [
                tuple(map(plain_bool, column)) if bool in set(map(type, column)) else column
                for column in cells
            ]
        return Chunk(numbers, cells, overlong)


class Workbook:
    """The tables of a file, in its order; a CSV file has one, with an empty sheet name."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tuple(tables)

    @property
    def best(self) -> Table:
        """The largest table; the first of them when several are."""
        return max(self.tables, key=lambda table: table.size_hint * len(table.columns))

    def table(self, sheet: str) -> Table:
        """:raises TableError: if there is no such table"""
        for table in self.tables:
            if table.sheet == sheet:
                return table
        names = ", ".join(f"“{table.sheet}”" for table in self.tables)
        raise TableError(
            said(
                "This file has no table on a sheet “%(sheet)s”. It has: %(names)s.",
                sheet=sheet,
                names=names,
            )
        )


def open_table(
    stream: BinaryIO | bytes,
    filename: str = "",
    *,
    max_inflated: int = guard.MAX_INFLATED,
    max_ratio: float = guard.MAX_RATIO,
    max_cells: int = guard.MAX_CELLS,
) -> Workbook:
    """
    Open a CSV file or a workbook, judged by its content.

    stream : the file, or its bytes; it is read again for every pass and must stay open
    filename : what the person called it, for the messages only
    max_inflated, max_ratio, max_cells : the largest workbook; see `guard.check_workbook`

    :raises TableError: if it is something else, damaged, too large, or holds no table
    """
    source = io.BytesIO(stream) if isinstance(stream, bytes | bytearray | memoryview) else stream
    if not source.seekable():
        source = io.BytesIO(source.read())
    if guard.what_it_is(source) == "text":
        ending = filename.lower().rpartition(".")[2]
        # Many systems export text under Excel's name; Excel opens it, and so do we.
        disguised = ending in ("xlsx", "xlsm", "xls", "xlsb", "ods")
        kind = (
            said("a text file with the ending .%(ending)s", ending=ending)
            if disguised
            else said("a text file")
        )
        return Workbook([Table(CsvSource(source, kind=kind))])
    guard.check_workbook(
        source, max_inflated=max_inflated, max_ratio=max_ratio, max_cells=max_cells
    )
    return _open_sheets(source)


def _open_sheets(stream: BinaryIO) -> Workbook:
    refusal = TableError(said("This workbook has no filled sheet."))
    tables = []
    for source in sheets_of(stream):
        try:
            tables.append(Table(source))
        except TableError as reason:
            # A sheet with notes beside the table is no reason to refuse the file.
            refusal = reason
    if not tables:
        raise refusal
    return Workbook(tables)
