"""Readings sent row by row: checked as a file would be, and written all or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from coaching.domain import tables
from coaching.domain.tables.headers import Column
from coaching.domain.tables.reading import Chunk
from coaching.errors import CoachingError
from coaching.models import Metric, Person, Reading
from coaching.models.base import folded
from coaching.queries import access, people
from coaching.services import audit, changes, progress

MOST_ROWS = 100_000
MOST_METRICS = 200
SHOWN_PROBLEMS = 100
COLUMNS = ("person", "metric", "period", "n", "sum", "sumsq")


class TooManyRows(CoachingError):
    message = f"Send at most {MOST_ROWS:,} rows at a time."


class TooManyMetrics(CoachingError):
    message = f"Send readings of at most {MOST_METRICS} metrics at a time."


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row; `row` counts from 1, `field` is empty for the row itself."""

    row: int
    field: str
    message: str


class RowsRefused(CoachingError):
    """Some rows cannot be taken, so none is written; `problems` lists the first ones."""

    def __init__(self, problems: Sequence[RowProblem], *, count: int) -> None:
        self.problems = list(problems[:SHOWN_PROBLEMS])
        self.count = count
        rows = "One problem was found" if count == 1 else f"{count:,} problems were found"
        super().__init__(f"{rows}, so nothing was written. Correct the rows and send all again.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many readings were (or, in a dry run, would be) new, changed, or the same."""

    new: int
    changed: int
    same: int


def ingest(*, rows: list, by: Person, now: datetime, dry_run: bool = False) -> Outcome:
    """
    Store one reading for each row, replacing those of the same person, metric and week.

    rows : objects with `person` (the key in exports), `metric` (its key), `period` (any
        day of the week, ISO), `n`, `sum` and perhaps `sumsq`; nothing in them is trusted

    1. each row is checked for its shape, person and metric,
    2. values are checked by the same rules as those of a file,
    3. what differs from the stored readings is written in one transaction.

    :raises TooManyRows, TooManyMetrics, RowsRefused: and nothing is written
    """
    if len(rows) > MOST_ROWS:
        raise TooManyRows
    problems = list(_misshapen(rows))
    if problems:
        raise RowsRefused(problems, count=len(problems))
    known, metrics = _people(rows, by), _metrics(rows)
    problems = list(_unknown(rows, known, metrics))
    if problems:
        raise RowsRefused(problems, count=len(problems))
    if not rows:
        return Outcome(0, 0, 0)
    found = _judged(rows, metrics, by=by, now=now)
    with transaction.atomic():
        new, changed, same = changes.compare(found, known, list(metrics.values()))
        if not dry_run:
            _store([*new, *(row for row, _ in changed)], known, metrics, now=now)
            audit.record(
                "readings sent", by, by=by, now=now, team=by.team,
                new=len(new), changed=len(changed), same=same,
            )  # fmt: skip
    return Outcome(len(new), len(changed), same)


# -- shape -----------------------------------------------------------------------------


def _misshapen(rows: list) -> Iterator[RowProblem]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            yield RowProblem(number, "", "This row is not an object with named fields.")
            continue
        for field in sorted(row.keys() - set(COLUMNS)):
            yield RowProblem(number, "", f"“{field[:60]}” is unknown. Known: {', '.join(COLUMNS)}.")
        for field, complaint in (
            ("person", _no_text(row.get("person"))),
            ("metric", _no_text(row.get("metric"))),
            ("period", _no_day(row.get("period"))),
            ("n", _no_number(row.get("n")) or ("" if row["n"] > 0 else "Must be above 0.")),
            ("sum", _no_number(row.get("sum"))),
            ("sumsq", "" if row.get("sumsq") is None else _no_number(row["sumsq"])),
        ):
            if complaint:
                yield RowProblem(number, field, complaint)


def _no_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        return "Must be a text."
    return "Is too long: at most 200 characters." if len(value) > 200 else ""


def _no_day(value: object) -> str:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None:
        return "Must be a date, like 2021-01-31."
    return "" if day.year >= 1970 else "Lies before 1970; perhaps a digit is missing."


def _no_number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "Must be a number."
    # Squares of larger ones are not exact any more, and sums of them overflow.
    return "" if abs(value) <= 1e100 else "Must be a smaller number."


# -- people and metrics ----------------------------------------------------------------


def _people(rows: list[dict], by: Person) -> dict[str, Person]:
    """The people and segments in the rows whom the sender manages, by folded key."""
    keys = sorted({folded(row["person"]) for row in rows})
    mine = people.subjects_visible_to(by).filter(access.managed(by, "team__path"))
    return {
        person.key_folded: person
        for part in changes.in_parts(keys)
        for person in mine.filter(key_folded__in=part)
    }


def _metrics(rows: list[dict]) -> dict[str, Metric]:
    keys = sorted({row["metric"] for row in rows})
    metrics = {
        metric.key: metric
        for part in changes.in_parts(keys)
        for metric in Metric.objects.filter(key__in=part)
    }
    if len(metrics) > MOST_METRICS:
        raise TooManyMetrics
    return metrics


def _unknown(
    rows: list[dict], known: dict[str, Person], metrics: dict[str, Metric]
) -> Iterator[RowProblem]:
    for number, row in enumerate(rows, start=1):
        if folded(row["person"]) not in known:
            yield RowProblem(
                number, "person",
                f"Nobody in your teams has the identifier “{row['person'][:60]}”. People are made "
                "known by importing a file.",
            )  # fmt: skip
        if row["metric"] not in metrics:
            yield RowProblem(
                number, "metric",
                f"There is no metric “{row['metric'][:60]}”. Metrics are made known by importing "
                "a file.",
            )  # fmt: skip


# -- values ----------------------------------------------------------------------------


class _SentTable(tables.Table):
    """The rows as a table, so that they keep the rules of a file; numbered from 1."""

    def __init__(self, cells: dict[str, list]) -> None:
        self.sheet, self.header_row = "", 0
        self.columns = tuple(Column(index, name) for index, name in enumerate(cells))
        self._cells = cells

    def chunks(self, names: Sequence[str] | None = None) -> Iterator[Chunk]:
        columns = list(self._cells.values()) if names is None else [self._cells[n] for n in names]
        yield Chunk(range(1, len(columns[0]) + 1), columns)


def _judged(
    rows: list[dict], metrics: dict[str, Metric], *, by: Person, now: datetime
) -> list[tables.Reading]:
    """:raises RowsRefused: when values break the rules of their metric"""
    cells = {field: [row.get(field) for row in rows] for field in COLUMNS}
    cells["period"] = [date.fromisoformat(text) for text in cells["period"]]
    cells["sumsq"] = ["" if value is None else value for value in cells["sumsq"]]
    # Columns are told apart by labels of their own: stored keys are any letter case.
    label = {key: f"m{index}" for index, key in enumerate(metrics)}
    cells["metric"] = [label[key] for key in cells["metric"]]
    mapping = tables.Mapping(
        shape="aggregated",
        person="person",
        date="period",
        metric="metric",
        metrics=tuple(
            tables.MetricColumns(
                key=label[key],
                label=label[key],
                name=metric.name,
                kind=metric.kind,
                direction=metric.direction,
                unit=metric.unit,
                lower=metric.lower,
                upper=metric.upper,
                n="n",
                sum="sum",
                sumsq="sumsq",
            )
            for key, metric in metrics.items()
        ),
    )
    tallied = tables.aggregate(
        _SentTable(cells), mapping,
        today=now.astimezone(by.zone).date(), max_problems=SHOWN_PROBLEMS,
    )  # fmt: skip
    if not tallied.clean:
        raise RowsRefused(
            [RowProblem(found.row, found.column, found.message) for found in tallied.problems],
            count=sum(tallied.problem_counts.values()),
        )
    key_of = {short: key for key, short in label.items()}
    return [replace(row, metric=key_of[row.metric]) for row in tallied.readings]


def _store(
    found: list[tables.Reading],
    known: dict[str, Person],
    metrics: dict[str, Metric],
    *,
    now: datetime,
) -> None:
    rows = [
        Reading(
            person=known[folded(row.person)],
            metric=metrics[row.metric],
            period=row.period,
            n=row.n,
            sum=row.sum,
            sumsq=row.sumsq,
        )
        for row in found
    ]
    Reading.objects.bulk_create(
        rows,
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["person", "metric", "period"],
        update_fields=["n", "sum", "sumsq", "source"],
    )
    touched = {row.metric_id for row in rows}
    for part in changes.in_parts(sorted({row.person_id for row in rows})):
        progress.readings_arrived(
            Reading.objects.filter(person__in=part, metric__in=touched), now=now
        )
