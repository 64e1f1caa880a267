"""
Spreadsheet rows to readings and row-numbered problems.

`open_table` reads the file, `propose` says what its columns mean, a person corrects the
`Mapping`, and `aggregate` (or `read_roster`) makes readings and people of the rows.
"""

from coaching.domain.tables.aggregate import Reading, Readings, Tallied, aggregate
from coaching.domain.tables.errors import MappingError, TableError
from coaching.domain.tables.headers import Column
from coaching.domain.tables.mapping import (
    ATTRIBUTES,
    NOT_OF_SEGMENTS,
    SEGMENT_ATTRIBUTES,
    Ignored,
    Mapping,
    MetricColumns,
    Option,
    Question,
    about,
    slug,
)
from coaching.domain.tables.people import FoundPerson
from coaching.domain.tables.problems import Problem
from coaching.domain.tables.proposing import KnownMetric, answer, propose
from coaching.domain.tables.reading import Table, Workbook, open_table
from coaching.domain.tables.roster import Roster, read_roster

__all__ = [
    "ATTRIBUTES",
    "NOT_OF_SEGMENTS",
    "SEGMENT_ATTRIBUTES",
    "Column",
    "FoundPerson",
    "Ignored",
    "KnownMetric",
    "Mapping",
    "MappingError",
    "MetricColumns",
    "Option",
    "Problem",
    "Question",
    "Reading",
    "Readings",
    "Roster",
    "Table",
    "TableError",
    "Tallied",
    "Workbook",
    "about",
    "aggregate",
    "answer",
    "open_table",
    "propose",
    "read_roster",
    "slug",
]
