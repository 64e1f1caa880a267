"""Some rows on their way through: which are still good, and what is wrong with the others."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from coaching.domain.said import said
from coaching.domain.tables.cells import CellError, Numbers, is_missing
from coaching.domain.tables.mapping import Mapping
from coaching.domain.tables.people import MISSING, REFUSED, Codes, People
from coaching.domain.tables.problems import Problems
from coaching.domain.tables.reading import Chunk, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Pass:
    """Some rows on their way: their cells by column name, and which rows are still good."""

    def __init__(
        self, chunk: Chunk, names: Sequence[str], table: Table, problems: Problems
    ) -> None:
        self.rows: Ints = np.asarray(chunk.rows, dtype=np.int64)
        self.cells = dict(zip(names, chunk.cells, strict=True))
        self.good: Bools = np.ones(len(self.rows), dtype=bool)
        self._table = table
        self._problems = problems
        for at in np.flatnonzero(np.isin(self.rows, list(chunk.overlong))):
            complaint = CellError(
                "a row longer than the header",
                said("This row has more cells than the header."),
                said("Perhaps a value with a comma or semicolon in it is not in quotation marks."),
            )
            self._problems.add(self.rows[at], None, chunk.overlong[int(self.rows[at])], complaint)
            self.good[at] = False

    def refuse(
        self,
        wrong: Bools | Ints,
        column: str,
        complaint: Callable[[int], CellError] | CellError,
    ) -> None:
        """Note a problem for each row marked (or listed) in `wrong`, in this column."""
        found = np.flatnonzero(wrong) if wrong.dtype == bool else wrong
        if not len(found):
            return
        where, cells = self._table.column(column), self.cells[column]
        for at in found.tolist():
            told = complaint if isinstance(complaint, CellError) else complaint(at)
            self._problems.add(self.rows[at], where, cells[at], told)
        self.good[found] = False

    def numbers(self, reader: Numbers, column: str, some: Ints | None = None) -> Floats:
        """The column's numbers, NaN where missing or refused; only in the rows `some`, if given."""
        cells = self.cells[column]
        wanted = cells if some is None else [cells[at] for at in some.tolist()]
        values = reader.read(wanted)
        wrong = np.isinf(values)
        if wrong.any():
            at = np.flatnonzero(wrong)
            self.refuse(at if some is None else some[at], column,
                        lambda i: reader.complaint(cells[i]))  # fmt: skip
            values[wrong] = np.nan
        if some is None:
            return values
        spread = np.full(len(cells), np.nan)
        spread[some] = values
        return spread

    def codes(self, reader: Codes, column: str) -> Ints:
        """The column's texts as codes, -1 where missing or refused."""
        cells = self.cells[column]
        codes = reader.read(cells)
        self.refuse(codes == REFUSED, column, lambda i: reader.complaint(cells[i]))
        return np.where(codes == REFUSED, MISSING, codes)


def note_people(part: Pass, people: People, who: Ints, days: Floats) -> None:
    """Read all columns about people; afterwards `part.good` is settled for them."""
    said = {role: part.codes(reader, column) for role, (column, reader) in people.facts.items()}
    keep = part.good & (who >= 0)
    for role, codes in said.items():
        people.note(role, codes[keep], people=who[keep], days=days[keep], rows=part.rows[keep])


def read_who(part: Pass, people: People, mapping: Mapping) -> tuple[Ints, Bools]:
    """Each row's person code (-1: nobody), and which rows say nothing at all."""
    who = people.keys.read(part.cells[mapping.person])
    blank = np.zeros(len(who), dtype=bool)
    for at in np.flatnonzero(who == MISSING).tolist():
        blank[at] = all(is_missing(cells[at]) for cells in part.cells.values())
    nobody = CellError(
        "nobody named",
        said("This row does not say who it is about."),
        said("Fill in the person, or delete the row."),
    )
    part.refuse((who == MISSING) & ~blank, mapping.person, nobody)
    cells = part.cells[mapping.person]
    part.refuse(who == REFUSED, mapping.person, lambda at: people.keys.complaint(cells[at]))
    part.good &= ~blank
    return np.maximum(who, MISSING), blank
