"""`manage.py rank`: the ranking of one file of readings, without the application."""

from __future__ import annotations

import csv
import json
import math
import re
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from coaching.domain.ranking import (
    Band,
    Direction,
    Kind,
    MetricRanking,
    RankingError,
    rank_metric,
    row_faults,
    tally,
)

HELP = """\
Rank the people of a CSV file on one metric and print the result as JSON.

Columns: person, n, sum[, sumsq][, period][, the --group column]; a person may have many rows.
  n        how many values (trials for a proportion, exposure for a rate)
  sum      the sum of these values (successes, events)
  sumsq    the sum of their squares; a mean or a duration needs it unless periods are given
  period   anything that tells one period from another
An empty n or sum, or n = 0, is a person without figures.

Everything printed is on the working scale: the value itself, but for durations the natural
logarithm of the mean. p_low and p_high speak of worse and better, whatever the direction;
rank_low and rank_high run from 0, the worst, to 1, the best.

Rows that cannot be right are left out and listed under "problems". A file that cannot be
ranked at all is refused with exit code 2.
"""

# Plain decimal numbers; float() would also take "nan", "1_000" and other surprises.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(slots=True)
class _Rows:
    """The readings of a file, a list per column, and what was wrong with the others."""

    row: list[int] = field(default_factory=list)
    key: list[int] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=dict)
    period: list[str] = field(default_factory=list)
    people: dict[tuple[str, str], int] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)


def main(
    lines: Iterable[str],
    *,
    kind: Kind | str,
    direction: Direction | str,
    group_column: str | None = None,
    q: float = 0.25,
) -> dict[str, Any]:
    """
    Rank the people in the lines of a CSV file; what `manage.py rank` prints.

    :raises RankingError: if the file cannot be ranked at all
    """
    kind = Kind(kind)
    rows = _read(lines, kind=kind, group_column=group_column)
    _leave_out_faults(rows, kind)
    if not rows.row:
        first = rows.problems[0] if rows.problems else None
        why = f" Row {first['row']}, {first['column']}: {first['problem']}." if first else ""
        raise RankingError(f"The file has no usable row of readings.{why}")

    # A person whose every row was left out is in the problems, not in the ranking.
    people, person = np.unique(rows.key, return_inverse=True)
    names = list(rows.people)
    chosen = [names[key] for key in people]
    group_names = list(dict.fromkeys(group for group, _ in chosen))
    code = {name: index for index, name in enumerate(group_names)}
    group = np.array([code[name] for name, _ in chosen])
    figures = tally(
        kind=kind, person=person, n=rows.numbers["n"], total=rows.numbers["sum"],
        sumsq=rows.numbers.get("sumsq"), period=rows.period or None, people=people.size,
    )  # fmt: skip
    ranking = rank_metric(figures, direction=direction, group=group, q=q)
    rows.problems.sort(key=lambda problem: problem["row"])
    return {"groups": _tell(ranking, chosen, group_names), "problems": rows.problems}


def _read(lines: Iterable[str], *, kind: Kind, group_column: str | None) -> _Rows:
    reader = csv.reader(lines)
    rows = _Rows()
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        group_name = group_column.strip().lower() if group_column else None
        needed = ["person", "n", "sum"] + ([group_name] if group_name else [])
        missing = [name for name in needed if name not in header]
        if missing:
            raise RankingError(
                f"The file has no column {' and no column '.join(map(repr, missing))}; "
                f"its first row reads: {', '.join(header) or 'nothing'}."
            )
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise RankingError(f"The column {twice[0]!r} stands in the first row more than once.")
        place = {name: index for index, name in enumerate(header)}
        squares = "sumsq" in place and kind in (Kind.MEAN, Kind.DURATION)
        columns = ["n", "sum", "sumsq"] if squares else ["n", "sum"]
        rows.numbers = {name: [] for name in columns}
        # Counted as a spreadsheet counts, where a cell may hold several lines.
        for row, record in enumerate(reader, start=2):
            cells = [cell.strip() for cell in record]
            if any(cells):
                cells += [""] * (len(header) - len(cells))
                _read_row(rows, cells, row, place, columns, group_name)
    except csv.Error as error:
        raise RankingError(f"Line {reader.line_num} is not CSV: {error}.") from error
    return rows


def _read_row(
    rows: _Rows,
    cells: list[str],
    row: int,
    place: dict[str, int],
    columns: list[str],
    group_name: str | None,
) -> None:
    def refuse(column: str, value: str, problem: str) -> None:
        rows.problems.append({"row": row, "column": column, "value": value, "problem": problem})

    if any(cells[len(place) :]):
        refuse("", cells[len(place)], "the row has more cells than the first row has names")
        return
    for name in ["person"] + ([group_name] if group_name else []):
        if not cells[place[name]]:
            refuse(name, "", "this cell must not be empty")
            return
    numbers = {}
    for name in columns:
        cell = cells[place[name]]
        value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
        if cell and not math.isfinite(value):
            refuse(name, cell, "a number belongs here, with a decimal point")
            return
        numbers[name] = value
    group = cells[place[group_name]] if group_name else "all"
    rows.row.append(row)
    rows.key.append(rows.people.setdefault((group, cells[place["person"]]), len(rows.people)))
    for name, value in numbers.items():
        rows.numbers[name].append(value)
    if "period" in place:
        rows.period.append(cells[place["period"]])


def _leave_out_faults(rows: _Rows, kind: Kind) -> None:
    """Move the rows whose figures cannot be true to the problems, with their first fault."""
    told: set[int] = set()
    faults = row_faults(
        kind=kind, n=rows.numbers["n"], total=rows.numbers["sum"], sumsq=rows.numbers.get("sumsq")
    )
    for fault in faults:
        for index in fault.rows.tolist():
            if index not in told:
                told.add(index)
                value = f"{rows.numbers[fault.column][index]:.15g}"
                rows.problems.append(
                    {"row": rows.row[index], "column": fault.column, "value": value,
                     "problem": fault.problem}
                )  # fmt: skip
    if not told:
        return
    for column in (rows.row, rows.key, rows.period, *rows.numbers.values()):
        if column:
            column[:] = [value for index, value in enumerate(column) if index not in told]


def _tell(
    ranking: MetricRanking, people: list[tuple[str, str]], groups: list[str]
) -> dict[str, Any]:
    columns = {
        "n": ranking.n, "raw": ranking.raw, "estimate": ranking.theta, "se": ranking.se,
        "reliability": ranking.reliability, "z": ranking.z, "p_low": ranking.p_low,
        "p_high": ranking.p_high, "rank_low": ranking.rank_low, "rank_high": ranking.rank_high,
    }  # fmt: skip
    told: dict[str, Any] = {
        name: {
            "mean": _number(ranking.mean[index]),
            "tau2": _number(ranking.tau2[index]),
            "sigma2": _number(ranking.sigma2[index]),
            "people": {},
        }
        for index, name in enumerate(groups)
    }
    for index, (group, person) in enumerate(people):
        one = {name: _number(values[index]) for name, values in columns.items()}
        told[group]["people"][person] = {**one, "band": Band(ranking.band[index]).words}
    return told


def _number(value: float) -> float | None:
    """JSON knows no NaN: what is not known is null."""
    return float(value) if math.isfinite(value) else None


class Command(BaseCommand):
    help = HELP
    # The engine needs neither a database nor a complete set of settings.
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> ArgumentParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("readings", metavar="READINGS.csv", help="the file, in UTF-8")
        parser.add_argument("--kind", required=True, choices=[kind.value for kind in Kind])
        parser.add_argument(
            "--direction",
            required=True,
            choices=[direction.value for direction in Direction],
            help="which way is better",
        )
        parser.add_argument("--group", metavar="COLUMN", help="the column of the peer group")
        parser.add_argument(
            "--q", type=float, default=0.25, help="the part called worst and best (0.25)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        path = Path(options["readings"])
        try:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                result = main(
                    lines,
                    kind=options["kind"],
                    direction=options["direction"],
                    group_column=options["group"],
                    q=options["q"],
                )
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from error
        except UnicodeDecodeError as error:
            raise CommandError(
                f"{path} is not UTF-8 text; save it as CSV UTF-8.", returncode=2
            ) from error
        except RankingError as error:
            raise CommandError(str(error), returncode=2) from error
        result["seconds"] = round(time.perf_counter() - started, 3)
        self.stdout.write(json.dumps(result, ensure_ascii=False, allow_nan=False))
