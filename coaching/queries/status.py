"""What the person who runs the server wants to know at a glance; a fixed number of queries."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import django
from celery import __version__ as celery_version
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django.utils.translation import gettext

from coaching.models import Beat, Import, Letter
from coaching.queries import health

RECENTLY = timedelta(days=7)
NEWEST_IMPORTS = 5
# How long a page waits for workers to answer.
PATIENCE = 0.6


@dataclass(frozen=True, slots=True)
class Outbox:
    """Letters of the last seven days by state, and what waits now."""

    counts: list[tuple[str, int]]
    due: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    troubles: list[str]
    last_tick: datetime | None
    ticking: bool
    outbox: Outbox
    imports: list[Import]
    engine: str
    broker: bool
    workers: list[str]
    versions: list[tuple[str, str]]


def look(*, now: datetime) -> Status:
    beat = Beat.objects.filter(name="tick").first()
    return Status(
        troubles=health.troubles(now=now),
        last_tick=beat and beat.at,
        ticking=bool(beat) and now - beat.at <= health.LONGEST_SILENCE,
        outbox=_outbox(now=now),
        # Neither the file's preview nor its problems: they are large, and somebody else's.
        imports=list(
            Import.objects.only("filename", "state", "created_at", "finished_at").order_by("-pk")[
                :NEWEST_IMPORTS
            ]
        ),
        engine=gettext("Redis and workers")
        if settings.REDIS_URL
        else gettext("In this process, without a broker"),
        broker=bool(settings.REDIS_URL),
        workers=_workers() if settings.REDIS_URL else [],
        versions=list(_versions()),
    )


def _outbox(*, now: datetime) -> Outbox:
    counts = dict(
        Letter.objects.filter(created_at__gt=now - RECENTLY)
        .order_by()
        .values_list("state")
        .annotate(letters=Count("pk"))
    )
    due = Letter.objects.filter(state=Letter.State.PENDING, next_attempt_at__lte=now).aggregate(
        letters=Count("pk"), oldest=Min("next_attempt_at")
    )
    return Outbox(
        counts=[(state.label, counts.get(state.value, 0)) for state in Letter.State],
        due=due["letters"],
        oldest_due=due["oldest"],
    )


def _workers() -> list[str]:
    """Names of the workers that answer in time; none when the broker cannot be reached."""
    try:
        answers = current_app.control.inspect(timeout=PATIENCE).ping() or {}
    except (OSError, current_app.connection_for_read().connection_errors):
        return []
    return sorted(answers)


def _versions() -> Iterable[tuple[str, str]]:
    yield "Lanemate", settings.VERSION
    yield "Python", platform.python_version()
    yield "Django", django.get_version()
    yield "Celery", celery_version
    version = ".".join(str(part) for part in connection.get_database_version())
    yield connection.display_name, version
