"""
Rows to readings: who, which metric, which week; how many, their sum, their sum of squares.

Rows are read in chunks and columns at a time. A row with a problem is left out as a whole;
whether the others are then written is for the caller to decide.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from coaching.domain.said import Dated, Said, said
from coaching.domain.tables.cells import (
    Cell,
    CellError,
    Days,
    parse_text,
)
from coaching.domain.tables.errors import MappingError
from coaching.domain.tables.mapping import Mapping, MetricColumns
from coaching.domain.tables.passing import (
    Bools,
    Floats,
    Ints,
    Pass,
    note_people,
    read_who,
)
from coaching.domain.tables.people import MISSING, REFUSED, Codes, FoundPerson, People
from coaching.domain.tables.problems import Problem, Problems
from coaching.domain.tables.reading import Chunk, Table
from coaching.domain.tables.values import Values

# Weeks fit below it (the year 9999 has day number 3,652,059), people above.
_WEEKS = 1 << 22
_EPOCH = dt.date(1970, 1, 1).toordinal()
_MOST_ROWS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """One person, metric and week; `sumsq` is None where it cannot be known."""

    person: str
    metric: str
    period: dt.date
    n: float
    sum: float
    sumsq: float | None


@dataclass(frozen=True, eq=False)
class Readings:
    """
    Readings by column, ordered by person, metric and period; all arrays of one length.

    person, metric : int, places in `Tallied.people` and `Tallied.metrics`
    period : datetime64[D], the Monday of the week
    n, sum, sumsq : float; for a rate n is the exposure and sum the events; sumsq in the
        metric's unit squared, NaN where it cannot be known
    """

    people: Sequence[FoundPerson]
    metrics: Sequence[MetricColumns]
    person: Ints
    metric: Ints
    period: NDArray[np.datetime64]
    n: Floats
    sum: Floats
    sumsq: Floats

    def __len__(self) -> int:
        return len(self.n)

    def __iter__(self) -> Iterator[Reading]:
        keys = [person.key for person in self.people]
        names = [metric.key for metric in self.metrics]
        columns = (self.person, self.metric, self.period, self.n, self.sum, self.sumsq)
        for person, metric, period, n, total, squares in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            known = None if math.isnan(squares) else squares
            yield Reading(keys[person], names[metric], period, n, total, known)


@dataclass(frozen=True, eq=False)
class Tallied:
    """
    What a table comes to.

    people : found in rows that are used, ordered by key
    metrics : as mapped
    rows_read, rows_used : rows with anything in them, and those without a problem
    problems : the first ones; `problem_counts` counts all, by rule
    """

    people: Sequence[FoundPerson]
    metrics: Sequence[MetricColumns]
    readings: Readings
    rows_read: int
    rows_used: int
    problems: Sequence[Problem]
    problem_counts: dict[str, int]

    @property
    def clean(self) -> bool:
        """Whether every row is used and nothing is disputed."""
        return not self.problem_counts


def aggregate(
    table: Table,
    mapping: Mapping,
    *,
    today: dt.date,
    max_problems: int = 1000,
    on_progress: Callable[[int], None] | None = None,
) -> Tallied:
    """
    Read the whole table as the mapping says.

    1. Each chunk: who, when, and the values; every cell that cannot be read is a problem.
    2. Rows without a problem are added up by person, metric and Monday of the week.
    3. Across rows: a person twice in one period of aggregated rows, disputed e-mails.

    today : later dates are refused; without dates and period, its week is the period
    on_progress : called with the number of rows read so far

    :raises MappingError: if the mapping does not fit the table
    :raises TableError: if the file turns out to be damaged further down
    """
    mapping.check(table)
    if mapping.shape == "roster":
        raise MappingError(said("A roster has no readings; read it as people."), field="shape")
    tally = _Tally(table, mapping, today=today, max_problems=max_problems)
    for chunk in table.chunks(mapping.columns):
        tally.add(chunk)
        if on_progress is not None:
            on_progress(tally.rows_read)
    return tally.finish()


@dataclass(eq=False)
class _Part:
    """Aggregated rows of one metric in one chunk; arrays of one length."""

    metric: int
    who: Ints
    days: Ints
    rows: Ints
    n: Floats
    sum: Floats
    sumsq: Floats


class _Tally:
    def __init__(
        self, table: Table, mapping: Mapping, *, today: dt.date, max_problems: int
    ) -> None:
        self._table, self._mapping, self._today = table, mapping, today
        self._problems = Problems(table.sheet, most=max_problems)
        self._people = People(mapping, day_first=mapping.day_first)
        self._days = Days(day_first=mapping.day_first)
        self._values = [Values(metric, decimal=mapping.decimal) for metric in mapping.metrics]
        self._labels = self._label_codes()
        day = dt.date.fromisoformat(mapping.period) if mapping.period else today
        self._only_day = float(day.toordinal())
        self._groups: list[list[tuple[Ints, Floats, Floats, Floats]]] = [[] for _ in self._values]
        self._totals: list[_Part] = []
        self._used_rows: list[tuple[Ints, Ints]] = []
        self.rows_read = 0

    def _label_codes(self) -> Codes:
        known = {metric.label for metric in self._mapping.metrics if metric.label}
        skipped = {label.casefold() for label in self._mapping.skipped_labels}
        spelled = {label.casefold() for label in known} | skipped

        def parse(cell: Cell) -> str | None:
            label = parse_text(cell)
            if label is not None and label.casefold() not in spelled:
                raise CellError(
                    "an unknown metric",
                    said("“%(label)s” is not among the metrics of this import.", label=label),
                    said("Add it to the metrics, or skip this label."),
                )
            return label

        return Codes(parse, same=str.casefold)

    def add(self, chunk: Chunk) -> None:
        mapping = self._mapping
        part = Pass(chunk, mapping.columns, self._table, self._problems)
        who, blank = read_who(part, self._people, mapping)
        self.rows_read += int(len(blank) - blank.sum())
        days = self._read_days(part, blank)
        if mapping.shape == "events":
            cases = [values.of_cases(part) for values in self._values]
            note_people(part, self._people, who, days)
            self._add_cases(part, who, days, cases)
        else:
            parts = self._read_totals(part)
            note_people(part, self._people, who, days)
            self._add_totals(part, who, days, parts)
        self._used_rows.append((part.rows[part.good], who[part.good]))

    def _read_days(self, part: Pass, blank: Bools) -> Floats:
        column = self._mapping.date
        if column is None:
            return np.full(len(part.rows), self._only_day)
        before = part.good.copy()
        days = part.numbers(self._days, column)
        unread = before & ~part.good
        part.refuse(np.isnan(days) & ~blank & ~unread & before, column, CellError(
            "no date",
            said("This row has no date."),
            said("Fill in the date, or delete the row."),
        ))  # fmt: skip
        today = self._today
        part.refuse(days > today.toordinal(), column, CellError(
            "a date in the future",
            said("This date lies after today, %(today)s.", today=today.isoformat()),
            said("Correct the date; perhaps day and month are swapped."),
        ))  # fmt: skip
        return days

    def _add_cases(
        self, part: Pass, who: Ints, days: Floats, cases: list[tuple[Floats, Floats]]
    ) -> None:
        good = np.flatnonzero(part.good)
        keys, group = np.unique(_group_keys(who[good], days[good]), return_inverse=True)
        for place, (n, values) in enumerate(cases):
            n, values = n[good], values[good]
            there = ~np.isnan(n)
            at, n, values = group[there], n[there], values[there]
            counts = np.bincount(at, weights=n, minlength=len(keys))
            some = counts > 0
            sums = np.bincount(at, weights=values, minlength=len(keys))
            if self._mapping.metrics[place].kind == "rate":
                squares = np.full(len(keys), np.nan)
            else:
                squares = np.bincount(at, weights=values**2, minlength=len(keys))
            self._groups[place].append((keys[some], counts[some], sums[some], squares[some]))

    def _read_totals(self, part: Pass) -> list[tuple[Floats, Floats, Floats]]:
        column = self._mapping.metric
        if column is None:
            return [values.of_totals(part, None) for values in self._values]
        codes = part.codes(self._labels, column)
        unlabelled = (codes == MISSING) & part.good
        part.refuse(unlabelled, column, CellError(
            "no metric named",
            said("This row does not say which metric it is."),
            said("Fill in the metric, or delete the row."),
        ))  # fmt: skip
        spelled = [label.casefold() for label in self._labels.values]
        found = []
        for values in self._values:
            label = (values.metric.label or "").casefold()
            code = spelled.index(label) if label in spelled else REFUSED
            found.append(values.of_totals(part, np.flatnonzero(codes == code)))
        return found

    def _add_totals(
        self,
        part: Pass,
        who: Ints,
        days: Floats,
        totals: list[tuple[Floats, Floats, Floats]],
    ) -> None:
        for place, (n, sums, squares) in enumerate(totals):
            keep = part.good & ~np.isnan(n)
            self._totals.append(
                _Part(
                    place,
                    who[keep],
                    days[keep].astype(np.int64),
                    part.rows[keep],
                    n[keep],
                    sums[keep],
                    squares[keep],
                )
            )

    # -- the end -----------------------------------------------------------------------

    def finish(self) -> Tallied:
        repeated = self._settle_totals()
        problems = self._problems
        column = self._mapping.email
        self._people.complain_about_emails(problems, self._table.column(column) if column else None)
        used = np.zeros(len(self._people.keys.values), dtype=bool)
        rows_used = 0
        for rows, who in self._used_rows:
            kept = ~np.isin(rows, repeated)
            rows_used += int(kept.sum())
            used[who[kept]] = True
        people, places = self._people.found(used)
        return Tallied(
            people=people,
            metrics=self._mapping.metrics,
            readings=self._readings(people, places),
            rows_read=self.rows_read,
            rows_used=rows_used,
            problems=problems.kept,
            problem_counts=dict(problems.counts),
        )

    def _settle_totals(self) -> Ints:
        """Add up the aggregated rows; return the rows that were left out as repeated."""
        found: list[Ints] = []
        by_metric: dict[int, list[_Part]] = {}
        for part in self._totals:
            by_metric.setdefault(part.metric, []).append(part)
        joined = {place: _join(place, parts) for place, parts in by_metric.items()}
        for part in joined.values():
            found.extend(self._repeated(part))
        repeated = np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
        for place, part in joined.items():
            keep = ~np.isin(part.rows, repeated)
            keys = _group_keys(part.who[keep], part.days[keep].astype(np.float64))
            self._groups[place].append((keys, part.n[keep], part.sum[keep], part.sumsq[keep]))
        return repeated

    def _repeated(self, part: _Part) -> Iterator[Ints]:
        when = part.days if self._mapping.grain == "day" else _mondays(part.days)
        order = np.lexsort((part.rows, when, part.who))
        who, when, rows = part.who[order], when[order], part.rows[order]
        changes = np.flatnonzero((np.diff(who) != 0) | (np.diff(when) != 0)) + 1
        edges = np.r_[0, changes, len(who)].tolist()
        for start, end in pairwise(edges):
            if end - start > 1:
                self._complain_of_repetition(
                    part.metric, int(who[start]), int(when[start]), rows[start:end]
                )
                yield rows[start:end]

    def _complain_of_repetition(self, metric: int, who: int, day: int, rows: Ints) -> None:
        person = self._people.keys.values[who]
        name = self._mapping.metrics[metric].name
        values = {
            "person": person,
            "times": said("twice")
            if len(rows) == 2
            else said("%(number)s times", number=len(rows)),
            "metric": name,
            "rows": _told_rows(rows),
        }
        if self._mapping.date is None:
            message = said("%(person)s appears %(times)s for %(metric)s, rows %(rows)s.", **values)
        elif self._mapping.grain == "day":
            message = said(
                "%(person)s appears %(times)s for %(metric)s on %(day)s, rows %(rows)s.",
                day=Dated(dt.date.fromordinal(day), "short"),
                **values,
            )
        else:
            message = said(
                "%(person)s appears %(times)s for %(metric)s in the week of %(day)s, "
                "rows %(rows)s.",
                day=Dated(dt.date.fromordinal(day), "short"),
                **values,
            )
        complaint = CellError(
            "a person twice in one period",
            message,
            said("Keep one of these rows. If each row is one case, choose event rows."),
        )
        self._problems.add(
            int(rows[-1]), self._table.column(self._mapping.person), person, complaint
        )

    def _readings(self, people: Sequence[FoundPerson], places: Ints) -> Readings:
        merged = [_merge(parts) for parts in self._groups]
        metric = np.repeat(np.arange(len(merged)), [len(part[0]) for part in merged])
        keys, n, sums, squares = (np.concatenate([part[i] for part in merged]) for i in range(4))
        person = places[(keys // _WEEKS).astype(np.int64)] if len(keys) else keys.astype(np.int64)
        weeks = (keys % _WEEKS).astype(np.int64)
        order = np.lexsort((weeks, metric, person))
        return Readings(
            people=people,
            metrics=self._mapping.metrics,
            person=person[order],
            metric=metric[order],
            period=(weeks[order] - _EPOCH).astype("datetime64[D]"),
            n=n[order],
            sum=sums[order],
            sumsq=squares[order],
        )


def _told_rows(rows: Ints) -> Said:
    numbers = [str(row) for row in rows[:_MOST_ROWS_NAMED].tolist()]
    if len(rows) > _MOST_ROWS_NAMED:
        return said("%(rows)s and more", rows=", ".join(numbers))
    return said("%(rows)s and %(last)s", rows=", ".join(numbers[:-1]), last=numbers[-1])


def _mondays(days: Ints) -> Ints:
    # Day 1 was a Monday.
    return days - (days - 1) % 7


def _group_keys(who: Ints, days: Floats) -> Ints:
    return who * _WEEKS + _mondays(days.astype(np.int64))


def _join(place: int, parts: Sequence[_Part]) -> _Part:
    def all_of(name: str) -> NDArray:
        return np.concatenate([getattr(part, name) for part in parts])

    return _Part(place, *(all_of(name) for name in ("who", "days", "rows", "n", "sum", "sumsq")))


def _merge(
    parts: Sequence[tuple[Ints, Floats, Floats, Floats]],
) -> tuple[Ints, Floats, Floats, Floats]:
    """Add up equal keys."""
    if not parts:
        empty = np.empty(0)
        return np.empty(0, dtype=np.int64), empty, empty, empty
    keys, group = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    n, sums, squares = (
        np.bincount(group, weights=np.concatenate([part[i] for part in parts]), minlength=len(keys))
        for i in (1, 2, 3)
    )
    return keys, n, sums, squares
