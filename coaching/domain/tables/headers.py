"""Find the row with the names of the columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from coaching.domain.said import Figure, said
from coaching.domain.tables.cells import (
    Cell,
    CellError,
    is_missing,
    parse_date,
    parse_number,
    shown,
)
from coaching.domain.tables.errors import TableError

MAX_COLUMNS = 500
MAX_NAME = 120
SAMPLE_ROWS = 250

_HEADER_WITHIN = 50

Row = list[Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its place in the sheet from 0, and its unique name."""

    index: int
    name: str

    @property
    def letter(self) -> str:
        """
        The column as Excel calls it.

        >>> Column(0, "Agent").letter, Column(27, "Notes").letter
        ('A', 'AB')
        """
        letters, number = "", self.index + 1
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(65 + rest) + letters
        return letters


def says(cell: Cell) -> bool:
    return not (isinstance(cell, str) and not cell.strip())


def filled_row(row: Row) -> bool:
    # The first half is quick and right for all but rows of zeros.
    return any(row) or any(cell != "" for cell in row)


def plain_bool(cell: Cell) -> Cell:
    """TRUE as a CSV file has it: to Python True is the number 1, to people it is a word."""
    return ("TRUE" if cell else "FALSE") if isinstance(cell, bool) else cell


def find_header(sample: list[Row], sheet: str) -> tuple[int, tuple[Column, ...], int]:
    """
    Header row number from 1, the columns, and how many cells a row has.

    The header is the first row that is about as wide as the rows below it; title lines
    above are narrower. It must consist of names, not values.
    """
    where = said(" on sheet “%(sheet)s”", sheet=sheet) if sheet else ""
    filled = [sum(map(says, row)) for row in sample]
    counts = [count for count in filled if count]
    if len(counts) < 2:
        raise TableError(
            said(
                "There is no table%(where)s: a row with the names of the columns and at least one "
                "row below it are needed.",
                where=where,
            )
        )
    usual = int(median(counts))
    needed = usual if usual <= 2 else min(usual - 1, -(-usual * 7 // 10))
    at = next(i for i, count in enumerate(filled) if count >= needed)
    if at >= _HEADER_WITHIN:
        raise TableError(
            said("No row with the names of the columns was found%(where)s.", where=where)
        )
    header = [plain_bool(cell) for cell in sample[at]]
    names = [cell for cell in header if says(cell)]
    if sum(map(_is_name, names)) * 2 < len(names):
        raise TableError(
            said(
                "Row %(row)s%(where)s holds values, not the names of the columns. "
                "Put a row with names above the table.",
                row=at + 1,
                where=where,
            )
        )
    if not any(filled[at + 1 :]):
        raise TableError(
            said("There is no row below the names of the columns%(where)s.", where=where)
        )
    below = sample[at + 1 :]
    width = max([i + 1 for i, cell in enumerate(header) if says(cell)], default=0)
    # A column without a name counts when it lies inside the header row and holds something.
    for index in range(width, len(header)):
        if any(len(row) > index and says(row[index]) for row in below):
            width = index + 1
    columns = _named(header[:width], below)
    if len(columns) > MAX_COLUMNS:
        raise TableError(
            said(
                "This table%(where)s has %(columns)s columns; at most %(most)s.",
                where=where,
                columns=Figure(f"{len(columns):,}"),
                most=MAX_COLUMNS,
            )
        )
    return at + 1, columns, len(header)


def _is_name(cell: Cell) -> bool:
    if not isinstance(cell, str) or is_missing(cell):
        return False
    for parse in (parse_number, parse_date):
        try:
            parse(cell)
        except CellError as error:
            if "two ways" in error.rule:
                return False
            continue
        return False
    return True


def _named(header: Sequence[Cell], below: Sequence[Row]) -> tuple[Column, ...]:
    columns: list[Column] = []
    taken: set[str] = set()
    for index, cell in enumerate(header):
        name = shown(" ".join(str(cell).split()), longest=MAX_NAME)
        if not name:
            if not any(len(row) > index and says(row[index]) for row in below):
                continue
            name = f"Column {Column(index, '').letter}"
        unique, copy = name, 2
        while unique.casefold() in taken:
            unique, copy = f"{name} ({copy})", copy + 1
        taken.add(unique.casefold())
        columns.append(Column(index, unique))
    return tuple(columns)
