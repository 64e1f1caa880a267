"""
`manage.py import_metrics FILE`: readings from an export, without a browser.

The columns are proposed as on the page. Where the file leaves a question
open, the command says so and which option answers it; nothing is written.
"""

import json
import time
from argparse import ArgumentParser
from dataclasses import replace
from datetime import date
from pathlib import Path

from django.core.management import BaseCommand, CommandError

from coaching.domain import cadence, tables
from coaching.errors import CoachingError
from coaching.models import Import, Team
from coaching.models.base import folded
from coaching.queries import clock
from coaching.services import imports

ANSWERS = {
    "person": "--person COLUMN",
    "dates": "--day-first or --month-first",
    "period": "--period 2027-03-01",
    "metrics": "--mapping FILE.json (--show-mapping prints the one to start from)",
}
POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = "Import an export (CSV or Excel): event rows or aggregated rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--sheet", help="which sheet of a workbook")
        parser.add_argument("--person", metavar="COLUMN", help="the column that says who")
        parser.add_argument("--date", metavar="COLUMN", help="the column that says when")
        parser.add_argument("--period", type=date.fromisoformat, metavar="YYYY-MM-DD",
                            help="the week of a file without dates")  # fmt: skip
        parser.add_argument("--segments", action="store_true",
                            help="the rows are about customer segments, not people")  # fmt: skip
        order = parser.add_mutually_exclusive_group()
        order.add_argument("--day-first", dest="day_first", action="store_true", default=None)
        order.add_argument("--month-first", dest="day_first", action="store_false")
        parser.add_argument("--team", help="the team that new people join")
        parser.add_argument("--mapping", type=Path, help="what the columns mean, as JSON")
        parser.add_argument("--show-mapping", action="store_true",
                            help="print the mapping as JSON and write nothing")  # fmt: skip
        parser.add_argument("--good-rows-only", action="store_true",
                            help="write the good rows although others have problems")  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="show, and write nothing")

    def handle(self, *args, file: Path, **options) -> None:
        try:
            source = self._import(file, options)
        except CoachingError as refusal:
            raise CommandError(refusal.message, returncode=2) from refusal
        if source is not None and source.state == Import.State.DONE:
            result = source.result
            readings = result["readings"]
            many = "segments" if source.mapping.get("who") == "segments" else "people"
            self.stdout.write(
                self.style.SUCCESS(
                    f"Written: {readings['new']} new readings, {readings['changed']} changed, "
                    f"{readings['same']} as before; {result['people']} new {many}, "
                    f"{result['metrics']} new metrics."
                )
            )

    def _import(self, file: Path, options: dict) -> Import | None:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.", returncode=2) from error
        team = None
        if options["team"]:
            team = Team.objects.filter(name_folded=folded(options["team"])).first()
            if team is None:
                raise CommandError(f"There is no team “{options['team']}”.", returncode=2)
        mapping = json.loads(options["mapping"].read_text()) if options["mapping"] else None
        now = clock.now()
        source = imports.receive(
            filename=file.name, content=content, by=None, team=team, now=now, mapping=mapping
        )
        self._wait(source)
        if answered := self._answered(source, options):
            imports.remap(source=source, mapping=answered.to_json(), by=None, now=now)
            self._wait(source)
        if options["show_mapping"]:
            imports.cancel(source=source, by=None, now=now)
            self.stdout.write(json.dumps(source.mapping, indent=2, ensure_ascii=False))
            return None
        self._tell(source)
        if source.preview.get("questions") or source.refusal:
            imports.cancel(source=source, by=None, now=now)
            raise CommandError(source.refusal or "Nothing was written.", returncode=2)
        if options["dry_run"]:
            imports.cancel(source=source, by=None, now=now)
            self.stdout.write("Nothing was written (--dry-run).")
            return None
        if source.problem_count and not options["good_rows_only"]:
            imports.cancel(source=source, by=None, now=now)
            raise CommandError(
                "Nothing was written. Correct these rows, or import the others with "
                "--good-rows-only.",
                returncode=2,
            )
        imports.confirm(source=source, good_rows_only=options["good_rows_only"], by=None, now=now)
        self._wait(source)
        return source

    def _wait(self, source: Import) -> None:
        """Do the work here, or wait for the worker that was quicker."""
        imports.work_off(now=clock.now())
        source.refresh_from_db()
        while source.is_waiting:
            time.sleep(POLL_SECONDS)
            source.refresh_from_db()
        if source.state == Import.State.REFUSED:
            raise CommandError(source.refusal, returncode=2)

    def _answered(self, source: Import, options: dict) -> tables.Mapping | None:
        """The proposed mapping with the answers given on the command line, if there are any."""
        given = {
            name: options[name]
            for name in ("sheet", "person", "date", "day_first")
            if options[name] is not None
        }
        if options["period"]:
            given["period"] = cadence.week_of(options["period"]).isoformat()
        if not given and not options["segments"]:
            return None
        columns = [column["name"] for column in source.preview["columns"]]
        for name in ("person", "date"):
            if name in given and given[name] not in columns:
                raise CommandError(
                    f"There is no column “{given[name]}”. The file has: {', '.join(columns)}.",
                    returncode=2,
                )
        mapping = tables.Mapping.from_json(source.mapping)
        settled = {"dates" if name == "day_first" else name for name in given}
        used = {value for name, value in given.items() if name in ("person", "date")}
        try:
            if options["segments"]:
                mapping = tables.about(mapping, "segments")
            return replace(
                mapping,
                **given,
                questions=tuple(one for one in mapping.questions if one.about not in settled),
                ignored=tuple(one for one in mapping.ignored if one.column not in used),
            )
        except tables.MappingError as error:
            raise CommandError(str(error), returncode=2) from error

    def _tell(self, source: Import) -> None:
        preview = source.preview
        self.stdout.write(
            f"{source.filename}: one row is {_meaning(preview['shape'], preview['who'])}."
        )
        for column in preview["columns"]:
            why = f" ({column['why']})" if column["why"] else ""
            self.stdout.write(f"  {column['letter']:>3}  {column['name']}: {column['use']}{why}")
        for question in preview["questions"]:
            self.stdout.write(self.style.WARNING(f"Open: {question['text']}"))
            for option in question["options"]:
                self.stdout.write(f"        {option['label']}")
            if answer := ANSWERS.get(question["field"]):
                self.stdout.write(f"      Answer with {answer}")
        if "readings" in preview:
            readings, people = preview["readings"], preview["people"]
            weeks = preview["weeks"]
            told = f", weeks of {weeks['first']} to {weeks['last']}" if weeks else ""
            many = "segments" if preview["who"] == "segments" else "people"
            self.stdout.write(
                f"{preview['rows']} rows: {readings['new']} new readings, "
                f"{readings['changed']} changed, {readings['same']} as before{told}; "
                f"{people['known']} known {many}, {people['new']} new."
            )
        for problem in source.problems:
            where = f"row {problem['row']}, " if problem["row"] else ""
            sheet = f"sheet {problem['sheet']}, " if problem["sheet"] else ""
            self.stdout.write(
                self.style.ERROR(
                    f"  {sheet}{where}{problem['column']}: “{problem['value']}”. "
                    f"{problem['message']} {problem['hint']}"
                )
            )
        if source.problem_count > len(source.problems):
            self.stdout.write(f"  … {source.problem_count - len(source.problems)} more problems.")


def _meaning(shape: str, who: str) -> str:
    one = "customer segment" if who == "segments" else "person"
    return {
        "events": f"one call, survey or case of a {one}",
        "aggregated": f"one {one} and period, counted already",
        "roster": f"one {one}, without readings",
    }[shape]
