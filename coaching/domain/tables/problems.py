"""What is wrong in which row: collected up to a number, counted beyond it."""

from collections import Counter
from dataclasses import dataclass

from coaching.domain.tables.cells import CellError, shown
from coaching.domain.tables.headers import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    One complaint about one cell (or one row, when `column` is empty).

    sheet : empty for CSV
    row : as Excel shows it, from 1
    column, letter : the header's name, and the column as Excel calls it
    value : the cell, shortened and made visible
    message, hint : what is wrong, and what to do
    rule : the general complaint, by which problems are counted
    """

    sheet: str
    row: int
    column: str
    letter: str
    value: str
    message: str
    hint: str
    rule: str


class Problems:
    """The first problems in the order of rows within each part of the file, and their counts."""

    def __init__(self, sheet: str, *, most: int) -> None:
        self._sheet = sheet
        self._most = most
        self._kept: list[Problem] = []
        self.counts: Counter[str] = Counter()

    def add(self, row: int, column: Column | None, value: object, complaint: CellError) -> None:
        self.counts[complaint.rule] += 1
        if len(self._kept) < self._most:
            self._kept.append(
                Problem(
                    sheet=self._sheet,
                    row=int(row),
                    column=column.name if column else "",
                    letter=column.letter if column else "",
                    value=shown(value),
                    message=complaint.message,
                    hint=complaint.hint,
                    rule=complaint.rule,
                )
            )

    @property
    def kept(self) -> list[Problem]:
        """In the order of rows."""
        return sorted(self._kept, key=lambda problem: (problem.row, problem.letter))
