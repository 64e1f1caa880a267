"""`manage.py pair FILE.xlsx --out plan.xlsx`: from a file to a plan, without the application."""

from __future__ import annotations

import json
import os
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coaching.domain import offline, tables
from coaching.domain.ranking import Direction, Kind, RankingError
from coaching.domain.selection import Policy
from coaching.errors import CoachingError
from coaching.management import workbook

HELP = """\
Rank the people of a CSV or Excel file, select who learns and who coaches, pair them, and write
it all into one workbook. No server, no database; the file is not changed.

The columns are proposed as by the importer; what is proposed wrongly is overruled by an option,
and what only a person can know is asked for in words (exit code 2, nothing written).

Beside the readings a workbook may hold the sheets
  Rules   kind (pin or forbid), learner, coach
  Hands   person, skill: who asks to learn, whatever the ranking says
and the readings a column “seats” (learners each coach can take) and a column “hand” (a skill).
"""
SHOWN_PROBLEMS = 20
EXIT = 2


class Command(BaseCommand):
    help = HELP
    # Neither a database nor a complete set of settings is needed.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> ArgumentParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("file", type=Path, help="CSV or Excel: event rows, or rows counted already")
        add("--out", type=Path, metavar="PLAN.xlsx", help="the workbook to write")
        add("--force", action="store_true", help="overwrite it when it is there")
        add("--json", action="store_true", help="print the plan as JSON")
        add("--good-rows", action="store_true", help="go on without the rows with problems")

        add = parser.add_argument_group("how the file is read").add_argument
        add("--sheet", metavar="NAME", help="the sheet with the readings")
        add("--person", metavar="COLUMN", help="who the row is about")
        add("--date", metavar="COLUMN", help="the day that counts")
        add("--metric", metavar="COLUMN", nargs="+", action="extend", default=[],
            help="the metrics that count; without it, all that are found")  # fmt: skip
        for name, choices in (("kind", Kind), ("direction", Direction)):
            add(f"--{name}", metavar=f"COLUMN={'|'.join(choices)}", nargs="+", action="extend",
                default=[])  # fmt: skip
        add("--weights", metavar="COLUMN=NUMBER", nargs="+", action="extend", default=[],
            help="of the metrics, 1 each; 0 is ranked, but does not count")  # fmt: skip
        add("--group", metavar="COLUMN", help="people are compared and paired within their group")
        add("--one-group", action="store_true", help="everybody is compared with everybody")
        for name in ("site", "shift", "team"):
            add(f"--{name}", metavar="COLUMN")
        add("--seats-column", metavar="COLUMN", help="learners each coach can take (“seats”)")
        add("--hand", metavar="COLUMN", help="the skill somebody asks to learn (“hand”)")
        add("--shape", choices=("events", "aggregated"), help="what one row is")
        add("--clock", metavar="COLUMN=h:m:s|h:m|m:s", nargs="+", action="extend", default=[])
        add("--decimal", choices=(".", ","))
        order = parser.add_mutually_exclusive_group()
        order.add_argument("--day-first", dest="day_first", action="store_true", default=None)
        order.add_argument("--month-first", dest="day_first", action="store_false")
        add("--mapping", type=Path, metavar="FILE.json", help="what all columns mean")
        add("--show-mapping", action="store_true", help="print that as JSON, and do nothing else")

        add = parser.add_argument_group("how it is planned").add_argument
        add("--policy", choices=[str(policy) for policy in Policy],
            help="how sure one must be before somebody is chosen (evidence)")  # fmt: skip
        add("--q", type=float, default=0.25, help="the part called worst and best (0.25)")
        add("--quota", type=int, metavar="PEOPLE", help="so many from each end, for that policy")
        add("--seats", type=int, default=2, help="learners a coach can take (2)")
        add("--points", metavar="site|shift|team=POINTS", nargs="+", action="extend", default=[],
            help="for what a pair shares (site=100 shift=50)")  # fmt: skip

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        started = time.perf_counter()
        try:
            outcome = self._outcome(file, options)
        except offline.Refused as refusal:
            raise self._refusal(refusal.reasons, refusal.problems, options) from refusal
        except (CoachingError, RankingError) as refusal:
            raise self._refusal([str(refusal)], [], options) from refusal
        if outcome is None:
            return
        if options["out"]:
            self._write(outcome, options)
        if options["json"]:
            told = offline.plain(outcome)
            told["out"] = str(options["out"]) if options["out"] else None
            told["seconds"] = round(time.perf_counter() - started, 3)
            self.stdout.write(json.dumps(told, ensure_ascii=False, allow_nan=False))
            return
        for line in offline.text_of(outcome):
            self.stdout.write(line)
        self.stdout.write(self.style.SUCCESS(f"Written: {options['out']}"))

    def _outcome(self, file: Path, options: dict[str, Any]) -> offline.Outcome | None:
        """:raises CoachingError: whatever cannot be, in words"""
        if not options["show_mapping"]:
            _check_out(file, options)
        wishes = _wishes(options)
        content = _content(file)
        if options["show_mapping"]:
            book = tables.open_table(content, file.name)
            table = book.table(wishes.sheet) if wishes.sheet else book.best
            mapping = wishes.mapping or tables.propose(table)
            self.stdout.write(json.dumps(mapping.to_json(), indent=2, ensure_ascii=False))
            return None
        material = offline.read(content, file.name, wishes, today=date.today())
        return offline.plan(material, wishes)

    def _write(self, outcome: offline.Outcome, options: dict[str, Any]) -> None:
        out: Path = options["out"]
        try:
            workbook.write(offline.sheets(outcome), out, replace=options["force"])
        except FileExistsError as error:
            raise self._refusal([_is_there(out)], [], options) from error
        except OSError as error:
            why = f"{out} cannot be written: {error.strerror}. Nothing was written."
            raise self._refusal([why], [], options) from error

    def _refusal(
        self, reasons: list[str], problems: list[tables.Problem], options: dict[str, Any]
    ) -> Exception:
        """What to raise, once the refusal has been told."""
        if options["json"]:
            told = {
                "status": "refused",
                "reasons": reasons,
                "problems": offline.plain_problems(problems),
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return SystemExit(EXIT)
        for problem in problems[:SHOWN_PROBLEMS]:
            sheet = f"sheet {problem.sheet}, " if problem.sheet else ""
            column = f"{problem.column}: “{problem.value}”. " if problem.column else ""
            self.stderr.write(
                f"  {sheet}row {problem.row}, {column}{problem.message} {problem.hint}"
            )
        if len(problems) > SHOWN_PROBLEMS:
            self.stderr.write(f"  … and {len(problems) - SHOWN_PROBLEMS:,} more rows.")
        return CommandError("\n".join([*reasons, "Nothing was written."]), returncode=EXIT)


def _check_out(file: Path, options: dict[str, Any]) -> None:
    """:raises Refused: before an hour is spent on a plan that has no place to go"""
    out: Path | None = options["out"]
    if out is None:
        if not options["json"]:
            raise offline.Refused("Say where the plan goes: --out plan.xlsx, or --json.")
        return
    if out.suffix.lower() != ".xlsx":
        raise offline.Refused(f"--out {out}: the plan is an Excel workbook; end its name in .xlsx.")
    if out.exists() and file.exists() and os.path.samefile(out, file):
        raise offline.Refused(f"--out {out} is the file itself, which is never written over.")
    if out.is_dir():
        raise offline.Refused(f"--out {out} is a folder; name a file in it.")
    if not out.parent.is_dir():
        raise offline.Refused(f"--out {out}: there is no folder {out.parent}.")
    if out.exists() and not options["force"]:
        raise offline.Refused(_is_there(out))


def _is_there(out: Path) -> str:
    return f"{out} is there already. Choose another name, or overwrite it with --force."


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise offline.Refused(f"{file} cannot be read: {error.strerror}.") from error


def _wishes(options: dict[str, Any]) -> offline.Wishes:
    """:raises Refused: for options that cannot be"""
    policy = options["policy"]
    if policy is None:
        policy = Policy.QUOTA if options["quota"] is not None else Policy.EVIDENCE
    points = _numbers(options["points"], "--points")
    for name, value in points.items():
        if not value.is_integer():
            raise offline.Refused(f"--points {name}={value}: a whole number belongs there.")
    given = ("sheet", "person", "date", "group", "one_group", "site", "shift", "team",
             "seats_column", "shape", "day_first", "decimal", "q", "quota", "seats",
             "good_rows")  # fmt: skip
    defaults = offline.Wishes()
    return offline.Wishes(
        **{name: options[name] for name in given},
        hand_column=options["hand"],
        metrics=tuple(options["metric"]),
        kinds=_pairs(options["kind"], "--kind"),
        directions=_pairs(options["direction"], "--direction"),
        clocks=_pairs(options["clock"], "--clock"),
        weights=_numbers(options["weights"], "--weights"),
        points={**defaults.points, **{name: int(value) for name, value in points.items()}},
        policy=policy,
        mapping=_mapping(options["mapping"]),
    )


def _pairs(given: list[str], option: str) -> dict[str, str]:
    """Column and value of each; a name may hold an equals sign, a value cannot."""
    found = {}
    for one in given:
        name, sign, value = one.rpartition("=")
        if not (name and sign and value):
            raise offline.Refused(f"{option} {one}: write it as COLUMN=VALUE.")
        found[name] = value.strip()
    return found


def _numbers(given: list[str], option: str) -> dict[str, float]:
    found = {}
    for name, value in _pairs(given, option).items():
        try:
            found[name] = float(value)
        except ValueError:
            raise offline.Refused(f"{option} {name}={value}: a number belongs there.") from None
    return found


def _mapping(path: Path | None) -> tables.Mapping | None:
    if path is None:
        return None
    try:
        return tables.Mapping.from_json(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise offline.Refused(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise offline.Refused(f"{path} is not a text file in UTF-8.") from error
    except tables.MappingError as error:
        where = f", {error.field}" if error.field else ""
        raise offline.Refused(f"{path}{where}: {error}") from error
