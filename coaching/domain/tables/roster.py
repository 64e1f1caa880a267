"""A file of people without readings: who they are, their team, role, site, shift."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from coaching.domain.said import said
from coaching.domain.tables.cells import CellError
from coaching.domain.tables.errors import MappingError
from coaching.domain.tables.mapping import Mapping
from coaching.domain.tables.passing import Pass, note_people, read_who
from coaching.domain.tables.people import FoundPerson, People
from coaching.domain.tables.problems import Problem, Problems
from coaching.domain.tables.reading import Table


@dataclass(frozen=True, eq=False)
class Roster:
    """
    The people of a file.

    people : of rows without a problem, ordered by key
    rows_read, rows_used, problems, problem_counts : as in `Tallied`
    """

    people: Sequence[FoundPerson]
    rows_read: int
    rows_used: int
    problems: Sequence[Problem]
    problem_counts: dict[str, int]

    @property
    def clean(self) -> bool:
        """Whether every row is used and nothing is disputed."""
        return not self.problem_counts


def read_roster(
    table: Table,
    mapping: Mapping,
    *,
    max_problems: int = 1000,
    on_progress: Callable[[int], None] | None = None,
) -> Roster:
    """
    Read one person a row; a person in two rows is a problem.

    :raises MappingError: if the mapping does not fit the table
    :raises TableError: if the file turns out to be damaged further down
    """
    mapping.check(table)
    if mapping.shape != "roster":
        raise MappingError(said("This mapping reads metrics, not a roster."), field="shape")
    problems = Problems(table.sheet, most=max_problems)
    people = People(mapping, day_first=mapping.day_first)
    first_rows: dict[int, int] = {}
    rows_read = rows_used = 0
    used: set[int] = set()
    for chunk in table.chunks(mapping.columns):
        part = Pass(chunk, mapping.columns, table, problems)
        who, blank = read_who(part, people, mapping)
        rows_read += int(len(blank) - blank.sum())
        for at, code in enumerate(who.tolist()):
            if code < 0:
                continue
            first = first_rows.setdefault(code, int(part.rows[at]))
            if first != part.rows[at]:
                complaint = CellError(
                    "a person twice",
                    said(
                        "%(person)s appears twice, rows %(first)s and %(row)s.",
                        person=people.keys.values[code],
                        first=first,
                        row=int(part.rows[at]),
                    ),
                    said("Keep one of these rows, or tell two people of one name apart by an ID."),
                )
                part.refuse(np.array([at]), mapping.person, complaint)
        note_people(part, people, who, np.zeros(len(who)))
        rows_used += int(part.good.sum())
        used.update(who[part.good].tolist())
        if on_progress is not None:
            on_progress(rows_read)
    column = mapping.email
    people.complain_about_emails(problems, table.column(column) if column else None)
    marks = np.isin(np.arange(len(people.keys.values)), list(used))
    found, _ = people.found(marks)
    return Roster(
        people=found,
        rows_read=rows_read,
        rows_used=rows_used,
        problems=problems.kept,
        problem_counts=dict(problems.counts),
    )
