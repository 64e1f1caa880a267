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
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from django.db import IntegrityError, transaction
from django.db.models import Q

from coaching.domain import cadence, tables
from coaching.domain.said import Measured, Said, said
from coaching.errors import CoachingError
from coaching.models import Import, ImportFile, Metric, Person, Team
from coaching.notifications import words
from coaching.queries import access
from coaching.services import audit, changes

logger = logging.getLogger(__name__)

State = Import.State
# A worker that reads or writes a file is given this long before another one may try.
# Reading a long file extends it as it goes.
LEASE = timedelta(minutes=10)
SHOWN_PROBLEMS = 500
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NothingUploaded(CoachingError):
    message = said("The file is empty. Choose the export itself, as CSV or Excel.")


class NotYourTeam(CoachingError):
    message = said("New people can only join a team that you manage. Choose one of yours.")


class WrongMoment(CoachingError):
    message = said("This import has moved on in the meantime. Look at it again.")


class HasProblems(CoachingError):
    message = said(
        "Some rows have problems. Correct them in the file and upload it again, or choose to "
        "import the good rows only."
    )


class QuestionsOpen(CoachingError):
    message = said("Answer the open questions about the columns first.")


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
        raise MappingRefused(error.message) from error


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
        _refuse(source, error.message, now=now)
    except Exception:
        logger.exception("Import %s failed", source.public_id)
        _refuse(
            source,
            said(
                "Lanemate stumbled over this file; nothing was written. Whoever runs the server "
                "finds the cause in the log under %(id)s.",
                id=source.public_id,
            ),
            now=now,
        )


def _refuse(source: Import, why: str, *, now: datetime) -> None:
    held = Import.objects.filter(pk=source.pk, state=source.state)
    refused = held.update(
        state=State.REFUSED,
        refusal=_storable(why),
        sentences=_sentences(source, [why]),
        finished_at=now,
        lease_until=None,
    )
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
    problems: list[dict] = []
    count, refusal = 0, ""
    if not mapping.questions:
        try:
            change = _change(source, table, mapping, now=now)
        except tables.MappingError as error:
            refusal = error.message
        else:
            preview |= change.preview()
            problems, count = change.problems[:SHOWN_PROBLEMS], change.problem_count
    Import.objects.filter(pk=source.pk, state=State.UPLOADED).update(
        state=State.READY,
        mapping=mapping.to_json(),
        preview=_storable(preview),
        problems=_storable(problems),
        problem_count=count,
        refusal=_storable(refusal),
        sentences=_sentences(
            source, [refusal, *_said_in(mapping.questions, problems, preview.get("sample", []))]
        ),
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


def _said_in(
    questions: Sequence[tables.Question], problems: Sequence[dict], sample: Sequence[dict]
) -> Iterator[str]:
    """Everything that people read of these."""
    for question in questions:
        yield question.text
        yield from (option.label for option in question.options)
    for problem in problems:
        yield problem["message"]
        yield problem["hint"]
    for reading in sample:
        yield reading["value"]


def _sentences(source: Import, texts: Iterable[str]) -> dict:
    """
    English text -> what it was made of, for what can be said in another language.

    A question that came back with a form is text only, and is known from when it was asked.
    """
    kept = {}
    for text in texts:
        if isinstance(text, Said | Measured):
            kept[_storable(text)] = _storable(words.keep(text, UTC))
        elif text in source.sentences:
            kept[text] = source.sentences[text]
    return kept


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
                state=State.DONE,
                result=result,
                sentences=_sentences(
                    source,
                    (change[when] for change in result["changes"] for when in ("old", "new")),
                ),
                finished_at=now,
                lease_until=None,
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


def _change(
    source: Import, table: tables.Table, mapping: tables.Mapping, *, now: datetime
) -> changes.Change:
    """What the file changes; the lease is extended as it is read."""
    started = time.monotonic()

    def on_progress(rows: int) -> None:
        elapsed = timedelta(seconds=time.monotonic() - started)
        Import.objects.filter(pk=source.pk, lease_until__isnull=False).update(
            rows_done=rows, lease_until=now + elapsed + LEASE
        )

    return changes.of_file(
        source, table, mapping, today=_today(source, now), on_progress=on_progress
    )
