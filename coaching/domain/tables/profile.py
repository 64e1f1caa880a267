"""What the columns of a table hold: one pass over the whole file, distinct values only."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from coaching.domain.tables.cells import (
    Cell,
    CellError,
    accepted,
    day_first_evidence,
    decimal_evidence,
    is_missing,
    parse_date,
    parse_duration,
    parse_email,
    parse_number,
    parse_yes_no,
)
from coaching.domain.tables.headers import Column
from coaching.domain.tables.reading import Table
from coaching.domain.tables.words import spoken

# Distinct values to remember in a column, and to look at when its kind is judged.
MOST_VALUES = 100_000
_LOOK_AT = 2_000


@dataclass(eq=False)
class Profile:
    """
    One column: its distinct filled values in the order of the file with how often each
    occurs, and how many rows.

    `many` says that there are more distinct values than were kept; `heads` then holds
    what stands before the first space in all later ones, enough to judge dates.
    """

    column: Column
    counts: dict[Cell, int]
    filled: int
    rows: int
    many: bool
    heads: dict[str, None]

    @property
    def name(self) -> str:
        return self.column.name

    @cached_property
    def words(self) -> str:
        return spoken(self.name)

    @cached_property
    def values(self) -> list[Cell]:
        return list(self.counts)

    @property
    def distinct(self) -> int:
        return len(self.values)

    @property
    def is_empty(self) -> bool:
        return not self.values

    @property
    def numbers_the_rows(self) -> bool:
        """Another value in every row."""
        if self.many:
            return self.distinct > 0.98 * min(self.filled, MOST_VALUES)
        return self.filled > 20 and self.distinct == self.filled

    def share(self, parse: Callable[[Cell], object]) -> float:
        """
        The share of the cells that a parser takes.

        Of the cells, not of the distinct values: two slips in 900 ratings from 1 to 5 are
        two of seven values, and still a column of ratings.
        """
        some = self._some
        taken = accepted(parse, some)
        total = sum(self.counts[cell] for cell in some)
        return sum(self.counts[cell] for cell in taken) / total if total else 0.0

    @property
    def _some(self) -> list[Cell]:
        return self.values[:_LOOK_AT]

    @cached_property
    def numbers(self) -> list[float]:
        """The values that are numbers; one that reads two ways counts with its comma as dot."""
        return [_number(cell) for cell in accepted(_number, self._some)]

    @cached_property
    def is_numeric(self) -> bool:
        return self.share(_number) >= 0.9

    @cached_property
    def is_yes_no(self) -> bool:
        return 1 <= self.distinct <= 6 and self.share(parse_yes_no) >= 0.6

    @cached_property
    def is_clock(self) -> bool:
        """Times on a clock or with a unit, rather than plain numbers."""
        return self.share(_clock) >= 0.9

    @cached_property
    def is_date(self) -> bool:
        return self.share(_date) >= 0.9

    @cached_property
    def is_email(self) -> bool:
        return self.share(parse_email) >= 0.8 and not self.is_empty

    @cached_property
    def is_text(self) -> bool:
        return not (self.is_numeric or self.is_date or self.is_clock)

    @cached_property
    def has_percent(self) -> bool:
        return any(isinstance(cell, str) and cell.rstrip().endswith("%") for cell in self._some)

    @cached_property
    def day_first(self) -> set[str]:
        """What all values together say about the order: of "day", "month", "?"."""
        return {day_first_evidence(cell) for cell in [*self.values, *self.heads]} - {""}

    @cached_property
    def decimal(self) -> set[str]:
        return {decimal_evidence(cell) for cell in self.values} - {""}


def profiles(table: Table) -> list[Profile]:
    """
    Look at every column of the whole table, once.

    :raises TableError: if the file is damaged further down
    """
    width = len(table.columns)
    seen: list[Counter[Cell]] = [Counter() for _ in range(width)]
    heads: list[dict[str, None]] = [{} for _ in range(width)]
    missing = [0] * width
    rows = 0
    for chunk in table.chunks():
        rows += len(chunk.rows)
        for i, cells in enumerate(chunk.cells):
            missing[i] += cells.count("")
            if len(seen[i]) <= MOST_VALUES:
                seen[i].update(cells)
            elif any(map(day_first_evidence, cells[:20])):
                heads[i].update(dict.fromkeys(str(cell).split(" ", 1)[0] for cell in cells))
    found = []
    for i, column in enumerate(table.columns):
        counts = {cell: count for cell, count in seen[i].items() if not is_missing(cell)}
        many = len(seen[i]) > MOST_VALUES
        found.append(Profile(column, counts, rows - missing[i], rows, many, heads[i]))
    return found


def _number(cell: Cell) -> float:
    if not isinstance(cell, str | float | int):
        raise _NOT
    number = parse_number(cell, decimal=",")
    if number is None:
        raise _NOT
    return number


def _clock(cell: Cell) -> None:
    if isinstance(cell, dt.time | dt.timedelta):
        return
    if isinstance(cell, str) and not cell.strip()[-1:].isalpha() and ":" not in cell:
        raise _NOT
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        raise _NOT
    parse_duration(cell)


def _date(cell: Cell) -> None:
    try:
        parse_date(cell)
    except CellError as error:
        if "two ways" not in error.rule:
            raise


_NOT = CellError("not of this kind", "", "")
