"""
A file's way to readings: received, read and shown, and only then written.

Doors write a row and wake the work; `work_off` reads and writes in the
background. Nothing of a file is stored until somebody has seen what it would
change, and then all of it in one transaction.
"""

import hashlib
import io
import logging
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Lower

from coaching.domain import cadence, tables
from coaching.errors import CoachingError
from coaching.models import Import, ImportFile, Metric, Person, Reading, Team
from coaching.models.base import folded
from coaching.queries import access
from coaching.services import audit, progress

logger = logging.getLogger(__name__)

State = Import.State
# A worker that reads or writes a file is given this long before another one may try.
# Reading a long file extends it as it goes.
LEASE = timedelta(minutes=10)
SHOWN = 10
SHOWN_PROBLEMS = 500
SHOWN_CHANGES = 200
FIRST_TEAM = "Everybody"
OTHER_KIND = {
    Person.Kind.SEGMENT: "“{name}” is known as a person, not as a customer segment.",
    Person.Kind.PERSON: "“{name}” is known as a customer segment, not as a person.",
}
OTHER_KIND_HINT = "Say above whom the rows are about, or give the segment a name that nobody bears."
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NothingUploaded(CoachingError):
    message = "The file is empty. Choose the export itself, as CSV or Excel."


class NotYourTeam(CoachingError):
    message = "New people can only join a team that you manage. Choose one of yours."


class WrongMoment(CoachingError):
    message = "This import has moved on in the meantime. Look at it again."


class HasProblems(CoachingError):
    message = (
        "Some rows have problems. Correct them in the file and upload it again, or choose to "
        "import the good rows only."
    )


class QuestionsOpen(CoachingError):
    message = "Answer the open questions about the columns first."


class MappingRefused(CoachingError):
    pass


# -- doors -----------------------------------------------------------------------------


@transaction.atomic
def receive(
    *,
    filename: str,
    content: bytes,
    by: Person | None,
    team: Team | None,
    now: datetime,
    mapping: dict | None = None,
) -> Import:
    """
    Take a file in, to be read in the background.

    by : who may only touch the people of their own teams; None for the server itself
    team : where people join who are new in the file; without one, the first that is theirs
    mapping : what its columns mean, where that is known already

    :raises NothingUploaded, NotYourTeam, MappingRefused:
    """
    if not content.strip(b"\x00 \r\n\t"):
        raise NothingUploaded
    if by is not None and not access.sees_everything(by):
        managed = Team.objects.filter(access.managed(by, "path")).order_by("path")
        team = managed.filter(pk=team.pk).first() if team else managed.first()
        if team is None:
            raise NotYourTeam
    source = Import.objects.create(
        filename=filename[-255:],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        uploaded_by=by,
        team=team,
        mapping=_checked(mapping) if mapping else {},
        created_at=now,
    )
    ImportFile.objects.create(source=source, content=content)
    audit.record("file uploaded", source, by=by, now=now, team=team, filename=source.filename)
    return source


@transaction.atomic
def remap(*, source: Import, mapping: dict, by: Person | None, now: datetime) -> None:
    """
    Say what the columns mean; the file is read again.

    :raises MappingRefused, WrongMoment:
    """
    checked = _checked(mapping)
    ready = Import.objects.filter(pk=source.pk, state=State.READY)
    if ready.update(mapping=checked, state=State.UPLOADED, refusal="", lease_until=None) != 1:
        raise WrongMoment


@transaction.atomic
def confirm(*, source: Import, good_rows_only: bool, by: Person | None, now: datetime) -> None:
    """
    Have the readings written.

    :raises QuestionsOpen, HasProblems, WrongMoment:
    """
    source.refresh_from_db()
    if source.state != State.READY:
        raise WrongMoment
    if source.refusal or source.preview.get("questions"):
        raise QuestionsOpen(source.refusal or None)
    if source.problem_count and not good_rows_only:
        raise HasProblems
    ready = Import.objects.filter(pk=source.pk, state=State.READY)
    if ready.update(state=State.QUEUED, good_rows_only=good_rows_only, lease_until=None) != 1:
        raise WrongMoment


@transaction.atomic
def cancel(*, source: Import, by: Person | None, now: datetime) -> None:
    """:raises WrongMoment: when it is being written or has ended already"""
    open_ones = Import.objects.filter(pk=source.pk, state__in=[State.UPLOADED, State.READY])
    if open_ones.update(state=State.CANCELLED, finished_at=now) != 1:
        raise WrongMoment
    ImportFile.objects.filter(source=source).delete()


def _checked(mapping: dict) -> dict:
    try:
        return tables.Mapping.from_json(mapping).to_json()
    except tables.MappingError as error:
        raise MappingRefused(str(error)) from error


# -- the work --------------------------------------------------------------------------


def work_off(*, now: datetime) -> int:
    """Read or write every file that waits for it; returns how many. One worker a file."""
    worked = 0
    while True:
        free = Import.objects.filter(
            Q(lease_until=None) | Q(lease_until__lte=now),
            state__in=[State.UPLOADED, State.QUEUED],
        )
        source = free.order_by("created_at", "pk").first()
        if source is None:
            return worked
        mine = free.filter(pk=source.pk, state=source.state)
        if mine.update(lease_until=now + LEASE) == 1:
            _work_on(source, now=now)
            worked += 1


def _work_on(source: Import, *, now: datetime) -> None:
    try:
        if source.state == State.UPLOADED:
            _read(source, now=now)
        else:
            try:
                _write(source, now=now)
            except IntegrityError:
                # Another file brought the same newcomers at the same time; now they are known.
                _write(source, now=now)
    except (tables.TableError, tables.MappingError, CoachingError) as error:
        _refuse(source, str(error), now=now)
    except Exception:
        logger.exception("Import %s failed", source.public_id)
        _refuse(
            source,
            "Lanemate stumbled over this file; nothing was written. Whoever runs the server "
            f"finds the cause in the log under {source.public_id}.",
            now=now,
        )


def _refuse(source: Import, why: str, *, now: datetime) -> None:
    held = Import.objects.filter(pk=source.pk, state=source.state)
    refused = held.update(state=State.REFUSED, refusal=why, finished_at=now, lease_until=None)
    if refused != 1:
        # Another worker took over when the lease had run out; the file is theirs.
        return
    ImportFile.objects.filter(source=source).delete()


def _read(source: Import, *, now: datetime) -> None:
    """Work out what the file would change, and store that for somebody to look at."""
    workbook = _open(source)
    mapping = _mapping_for(source, workbook, now=now)
    table = workbook.table(mapping.sheet)
    preview = {
        "sheet": table.sheet,
        "sheets": [other.sheet for other in workbook.tables],
        "shape": mapping.shape,
        "who": mapping.who,
        "columns": _columns(table, mapping),
        "questions": [
            {
                "field": question.about,
                "text": question.text,
                "options": [asdict(option) for option in question.options],
            }
            for question in mapping.questions
        ],
        "seen_before": Import.objects.filter(sha256=source.sha256, state=State.DONE).exists(),
    }
    problems: Sequence[dict] = ()
    count, refusal = 0, ""
    if not mapping.questions:
        try:
            change = _change(source, table, mapping, now=now)
        except tables.MappingError as error:
            refusal = str(error)
        else:
            preview |= change.preview()
            problems, count = change.problems, change.problem_count
    Import.objects.filter(pk=source.pk, state=State.UPLOADED).update(
        state=State.READY,
        mapping=mapping.to_json(),
        preview=_storable(preview),
        problems=_storable(list(islice(problems, SHOWN_PROBLEMS))),
        problem_count=count,
        refusal=refusal,
        lease_until=None,
    )


def _storable(value):
    """Plain values whose texts hold nothing that a database refuses (NUL, half a character)."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _storable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value


def _write(source: Import, *, now: datetime) -> None:
    """Write what the file changes, in one transaction, and say what that was."""
    workbook = _open(source)
    mapping = tables.Mapping.from_json(source.mapping)
    change = _change(source, workbook.table(mapping.sheet), mapping, now=now)
    if change.problem_count and not source.good_rows_only:
        raise HasProblems
    with transaction.atomic():
        result = change.apply(now=now)
        if (
            Import.objects.filter(pk=source.pk, state=State.QUEUED).update(
                state=State.DONE, result=result, finished_at=now, lease_until=None
            )
            != 1
        ):
            raise WrongMoment
        ImportFile.objects.filter(source=source).delete()
        audit.record(
            "readings imported", source, by=source.uploaded_by, now=now, team=source.team,
            **result["readings"],
        )  # fmt: skip


def _open(source: Import) -> tables.Workbook:
    content = ImportFile.objects.get(source=source).content
    return tables.open_table(io.BytesIO(bytes(content)), source.filename)


def _mapping_for(source: Import, workbook: tables.Workbook, *, now: datetime) -> tables.Mapping:
    """The mapping a person gave, else the one of an earlier file like this, else a proposal."""
    done = Import.objects.filter(state=State.DONE).exclude(mapping={}).order_by("-finished_at")
    same = done.filter(sha256=source.sha256).first()
    given = tables.Mapping.from_json(source.mapping) if source.mapping else None
    if given and given.columns:
        mapping = given
    elif same and not given:
        # The very same file means the same week, too, however long ago that was.
        mapping = tables.Mapping.from_json(same.mapping)
    else:
        # Nothing is known, or nothing but the sheet.
        table = workbook.table(given.sheet) if given else workbook.best
        known = [
            tables.KnownMetric(
                key=metric.key,
                name=metric.name,
                kind=metric.kind,
                direction=metric.direction,
                unit=metric.unit,
                lower=metric.lower,
                upper=metric.upper,
            )
            for metric in Metric.objects.all()
        ]
        earlier = done.filter(uploaded_by=source.uploaded_by).first()
        mapping = tables.propose(
            table, known, tables.Mapping.from_json(earlier.mapping) if earlier else None
        )
    if mapping.date is None and mapping.shape != "roster" and mapping.period is None:
        # Said once and kept, so that the preview and the writing mean the same week.
        mapping = replace(
            mapping,
            period=cadence.week_of(_today(source, now)).isoformat(),
            questions=tuple(one for one in mapping.questions if one.about != "period"),
        )
    return mapping


def _today(source: Import, now: datetime) -> date:
    return now.astimezone(source.uploaded_by.zone).date() if source.uploaded_by else now.date()


def _columns(table: tables.Table, mapping: tables.Mapping) -> list[dict]:
    """Every column of the table with its use, and a few of its values."""
    uses: dict[str, str] = {}
    for use in ("person", "name", "email", "team", "manager", "date", "metric"):
        if name := getattr(mapping, use):
            uses[name] = use
    uses |= {column: f"attribute:{name}" for name, column in mapping.attributes.items()}
    for metric in mapping.metrics:
        for use in ("n", "sum", "mean", "sd", "sumsq", "exposure"):
            if name := getattr(metric, use):
                uses[name] = use
        if metric.column:
            uses[metric.column] = f"metric:{metric.key}"
    why = {ignored.column: ignored.why for ignored in mapping.ignored}
    first = next(iter(table.chunks()), None)
    return [
        {
            "name": column.name,
            "letter": column.letter,
            "use": uses.get(column.name, "ignored"),
            "why": why.get(column.name, ""),
            "samples": [
                str(cell)[:40]
                for cell in islice(
                    (cell for cell in first.cells[index] if cell not in (None, "")), 3
                )
            ]
            if first
            else [],
        }
        for index, column in enumerate(table.columns)
    ]


# -- what a file changes ---------------------------------------------------------------


@dataclass
class Change:
    """The difference between a file and the database."""

    source: Import
    shape: str
    kind: Person.Kind
    rows: int
    found: list[tables.FoundPerson]
    known: dict[str, Person]
    metrics: list[Metric]
    new: list[tables.Reading]
    changed: list[tuple[tables.Reading, Reading]]
    same: int
    problems: list[dict]
    problem_count: int

    @property
    def newcomers(self) -> list[tables.FoundPerson]:
        return [person for person in self.found if folded(person.key) not in self.known]

    def preview(self) -> dict:
        """What would happen, as plain values."""
        weeks = sorted({row.period for row in self.new} | {row.period for row, _ in self.changed})
        newcomers = self.newcomers
        fewer = sum(row.n < old.n for row, old in self.changed)
        return {
            "rows": self.rows,
            "metrics": [_described(metric) for metric in self.metrics],
            "people": {
                "new": len(newcomers),
                "known": len(self.found) - len(newcomers),
                "names": [person.name for person in newcomers[:SHOWN]],
            },
            "weeks": {
                "first": weeks[0].isoformat(),
                "last": weeks[-1].isoformat(),
                "count": len(weeks),
            }
            if weeks
            else {},
            "readings": {
                "new": len(self.new),
                "changed": len(self.changed),
                "same": self.same,
                # A reading that shrinks is often a week that the export cut off.
                "fewer": fewer,
            },
            "sample": [
                self._shown(row) for row in [*self.new, *(row for row, _ in self.changed)][:SHOWN]
            ],
        }

    def _metric(self, key: str) -> Metric:
        return next(metric for metric in self.metrics if metric.key == key)

    def _shown(self, row: tables.Reading) -> dict:
        metric = self._metric(row.metric)
        return {
            "person": row.person,
            "metric": metric.name,
            "week": row.period.isoformat(),
            "n": row.n,
            "value": metric.show(row.sum / row.n),
        }

    def apply(self, *, now: datetime) -> dict:
        """Write people, metrics and readings; returns what was written."""
        new_metrics = [metric for metric in self.metrics if metric.pk is None]
        Metric.objects.bulk_create(new_metrics)
        people_new, people_changed = self._store_people()
        metrics = {metric.key: metric for metric in Metric.objects.all()}
        rows = [
            Reading(
                person=self.known[folded(row.person)],
                metric=metrics[row.metric],
                period=row.period,
                n=row.n,
                sum=row.sum,
                sumsq=row.sumsq,
                source=self.source,
            )
            for row in [*self.new, *(row for row, _ in self.changed)]
        ]
        Reading.objects.bulk_create(
            rows,
            batch_size=2000,
            update_conflicts=True,
            unique_fields=["person", "metric", "period"],
            update_fields=["n", "sum", "sumsq", "source"],
        )
        progress.readings_arrived(Reading.objects.filter(source=self.source), now=now)
        return {
            "readings": {
                "new": len(self.new),
                "changed": len(self.changed),
                "same": self.same,
            },
            "people": people_new,
            "people_changed": people_changed,
            "metrics": len(new_metrics),
            "changes": [
                {
                    **{key: value for key, value in self._shown(row).items() if key != "value"},
                    "old": self._metric(row.metric).show(old.sum / old.n),
                    "new": self._metric(row.metric).show(row.sum / row.n),
                }
                for row, old in self.changed[:SHOWN_CHANGES]
            ],
        }

    def _store_people(self) -> tuple[int, int]:
        root = self.source.team or _first_team()
        teams = self._teams(root)
        newcomers, changed = [], []
        for found in self.found:
            person = self.known.get(folded(found.key))
            team = teams.get(folded(found.team)) if found.team else None
            values = {"name": found.name, "email": found.email, **found.attributes}
            if person is None:
                person = Person(key=found.key, kind=self.kind, team=team or root)
                if self.kind == Person.Kind.SEGMENT:
                    person.capacity = 0
                newcomers.append(person)
            elif any(
                value not in ("", None) and getattr(person, name) != value
                for name, value in values.items()
                if name != "name" or found.name != found.key
            ) or (team and person.team_id != team.pk):
                changed.append(person)
            else:
                continue
            for name, value in values.items():
                # An empty cell says nothing; and a bare identifier is no better name.
                known_name = name == "name" and person.name and found.name == found.key
                if value not in ("", None) and not known_name:
                    setattr(person, name, value)
            if team:
                person.team = team
        Person.objects.bulk_create(newcomers, batch_size=1000)
        for person in changed:
            person.save()
        self.known |= {folded(person.key): person for person in newcomers}
        self._appoint(teams)
        return len(newcomers), len(changed)

    def _teams(self, root: Team) -> dict[str, Team]:
        """The teams the file names, by folded name; new ones are founded below `root`."""
        names = {folded(found.team): found.team for found in self.found if found.team}
        teams = {team.name_folded: team for team in Team.objects.filter(name_folded__in=names)}
        for key in sorted(names.keys() - teams.keys()):
            teams[key] = Team.objects.create(name=names[key], parent=root)
        return teams

    def _appoint(self, teams: dict[str, Team]) -> None:
        """Make the people whose addresses stand as managers the managers of those teams."""
        wanted = {
            folded(found.team): found.manager
            for found in self.found
            if found.team and found.manager
        }
        by_email = {
            person.email.casefold(): person
            for person in Person.objects.annotate(small=Lower("email")).filter(
                small__in=[address.lower() for address in wanted.values()]
            )
        }
        for key, address in wanted.items():
            manager = by_email.get(address.casefold())
            if manager and teams[key].manager_id != manager.pk:
                teams[key].manager = manager
                teams[key].save(update_fields=["manager"])


def _described(metric: Metric) -> dict:
    fields = ("key", "name", "kind", "direction", "unit", "lower", "upper")
    return {**{name: getattr(metric, name) for name in fields}, "new": metric.pk is None}


def _first_team() -> Team:
    """Where people join when there are no teams yet."""
    team = Team.objects.filter(parent=None).order_by("pk").first()
    return team or Team.objects.create(name=FIRST_TEAM)


def _change(
    source: Import, table: tables.Table, mapping: tables.Mapping, *, now: datetime
) -> Change:
    """:raises tables.MappingError, tables.TableError:"""

    started = time.monotonic()

    def on_progress(rows: int) -> None:
        elapsed = timedelta(seconds=time.monotonic() - started)
        Import.objects.filter(pk=source.pk, lease_until__isnull=False).update(
            rows_done=rows, lease_until=now + elapsed + LEASE
        )

    if mapping.shape == "roster":
        tallied = tables.read_roster(table, mapping, on_progress=on_progress)
        readings: Iterable[tables.Reading] = ()
    else:
        tallied = tables.aggregate(
            table, mapping, today=_today(source, now), on_progress=on_progress
        )
        readings = tallied.readings
    metrics = _metrics(mapping)
    known = _known_people(tallied.people)
    problems = [asdict(problem) for problem in tallied.problems]
    foreign = _foreign(source, tallied.people, known)
    kind = Person.Kind.SEGMENT if mapping.who == "segments" else Person.Kind.PERSON
    taken = {key for key, person in known.items() if person.kind != kind} - foreign
    zones = available_timezones()
    nowhere = [
        person
        for person in tallied.people
        if person.attributes.get("time_zone", "UTC") not in zones
    ]
    for person in nowhere:
        zone = person.attributes.pop("time_zone")
        problems.append(
            {
                "sheet": table.sheet,
                "row": None,
                "column": mapping.attributes["time_zone"],
                "value": zone,
                "message": f"“{zone}”, the time zone of {person.name}, is not a time zone.",
                "hint": "Write it like Europe/Zurich, or leave the cell empty.",
                "rule": "not a time zone",
            }
        )
    problems += [
        {
            "sheet": table.sheet,
            "row": None,
            "column": mapping.person,
            "value": person.key,
            "message": f"{person.name} belongs to a team that you do not manage.",
            "hint": "Leave these rows out, or have somebody import them who manages that team.",
            "rule": "another team",
        }
        for person in tallied.people
        if folded(person.key) in foreign
    ]
    problems += [
        {
            "sheet": table.sheet,
            "row": None,
            "column": mapping.person,
            "value": person.key,
            "message": OTHER_KIND[kind].format(name=known[folded(person.key)].name),
            "hint": OTHER_KIND_HINT,
            "rule": "of the other kind",
        }
        for person in tallied.people
        if folded(person.key) in taken
    ]
    left_out = foreign | taken
    new, changed, same = compare(
        (row for row in readings if folded(row.person) not in left_out), known, metrics
    )
    return Change(
        source=source,
        shape=mapping.shape,
        kind=kind,
        rows=tallied.rows_read,
        found=[person for person in tallied.people if folded(person.key) not in left_out],
        known=known,
        metrics=metrics,
        new=new,
        changed=changed,
        same=same,
        problems=problems,
        problem_count=sum(tallied.problem_counts.values()) + len(nowhere) + len(left_out),
    )


def _metrics(mapping: tables.Mapping) -> list[Metric]:
    """
    The mapping's metrics, those that exist as they are stored.

    :raises tables.MappingError: when one exists and counts something else
    """
    stored = {
        metric.key: metric
        for metric in Metric.objects.filter(key__in=[found.key for found in mapping.metrics])
    }
    metrics = []
    for found in mapping.metrics:
        metric = stored.get(found.key)
        if metric and (metric.kind, metric.direction) != (found.kind, found.direction):
            raise tables.MappingError(
                f"“{metric.name}” exists already as {metric.get_kind_display().lower()}, "
                f"{metric.get_direction_display().lower()}. Give the column “{found.name}” the "
                "same kind and direction, or another name."
            )
        metrics.append(
            metric
            or Metric(
                key=found.key,
                name=found.name,
                kind=found.kind,
                direction=found.direction,
                unit=found.unit,
                lower=found.lower,
                upper=found.upper,
            )
        )
    return metrics


def _known_people(found: Sequence[tables.FoundPerson]) -> dict[str, Person]:
    known = {}
    for part in in_parts([folded(person.key) for person in found]):
        for person in Person.objects.filter(key_folded__in=part).select_related("team"):
            known[person.key_folded] = person
    return known


def _foreign(
    source: Import, found: Sequence[tables.FoundPerson], known: dict[str, Person]
) -> set[str]:
    """Folded keys of people in the file who are, or would come, in teams of somebody else."""
    by = source.uploaded_by
    if by is None or access.sees_everything(by):
        return set()
    paths = tuple(access.managed_paths(by))
    others = {
        team.name_folded
        for team in Team.objects.filter(
            name_folded__in={folded(person.team) for person in found if person.team}
        )
        if not team.path.startswith(paths)
    }
    strangers = {
        key
        for key, person in known.items()
        if person.team is None or not person.team.path.startswith(paths)
    }
    return strangers | {folded(person.key) for person in found if folded(person.team) in others}


def compare(
    readings: Iterable[tables.Reading], known: dict[str, Person], metrics: list[Metric]
) -> tuple[list[tables.Reading], list[tuple[tables.Reading, Reading]], int]:
    """Sort a file's readings into new ones, changed ones with what is stored, and the same."""
    readings = list(readings)
    weeks = [row.period for row in readings] or [date.min]
    stored = {
        (row.person_id, row.metric_id, row.period): row
        for part in in_parts([person.pk for person in known.values()])
        for row in Reading.objects.filter(
            person__in=part,
            metric__in=[metric.pk for metric in metrics if metric.pk],
            period__range=(min(weeks), max(weeks)),
        )
    }
    ids = {metric.key: metric.pk for metric in metrics}
    new, changed, same = [], [], 0
    for row in readings:
        person = known.get(folded(row.person))
        old = stored.get((person.pk, ids[row.metric], row.period)) if person else None
        if old is None:
            new.append(row)
        elif _alike(old.n, row.n) and _alike(old.sum, row.sum) and _alike(old.sumsq, row.sumsq):
            same += 1
        else:
            changed.append((row, old))
    return new, changed, same


def in_parts(values: list, size: int = 500) -> Iterator[list]:
    """Few enough at a time for one query's parameters."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other), 1.0)
