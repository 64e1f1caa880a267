"""
The weekly digest: Monday 08:00 where the reader is; nothing to say, no letter.

The promise is a person and an ISO week, and a row of the outbox is its mark:
whoever has the row of a week has had its digest, or nothing to read, wherever
they have moved to meanwhile.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

from coaching.domain import cadence
from coaching.models import Beat, Letter, Person
from coaching.notifications import messages, outbox
from coaching.queries import digests, letters, preferences

BEAT = "digests"
BATCH = 500
# Where Monday comes first, and where it comes last.
FIRST_ZONE, LAST_ZONE = ZoneInfo("Etc/GMT-14"), ZoneInfo("Etc/GMT+12")
# A pair that is over is told once more.
TOLD_AFTER = timedelta(days=14)


def write_due(*, now: datetime) -> int:
    """
    Promise this week's digest to everybody whose Monday morning has come; returns how many.

    A tick in the middle of the week costs two queries. Five weeks of silence
    give one digest; a move across the date line neither loses nor doubles one.
    """
    beat, _ = Beat.objects.get_or_create(name=BEAT, defaults={"at": now})
    written = 0
    for monday in _mondays(now):
        # A week that had begun before the first sight of this database was promised to nobody.
        if cadence.occurrence(monday, cadence.DIGEST_AT, FIRST_ZONE) <= beat.at:
            continue
        for due, ids in _due(monday, now=now).items():
            for start in range(0, len(ids), BATCH):
                written += _promise(ids[start : start + BATCH], due=due, now=now)
    return written


def _mondays(now: datetime) -> list[date]:
    """The Mondays whose week is under way somewhere: one, and two while it is Monday."""
    return sorted({_latest(zone, now).astimezone(zone).date() for zone in (FIRST_ZONE, LAST_ZONE)})


def _latest(zone: ZoneInfo, now: datetime) -> datetime:
    return cadence.latest_weekly(cadence.DIGEST_DAY, cadence.DIGEST_AT, zone, now)


def _due(monday: date, *, now: datetime) -> dict[datetime, list[int]]:
    """Row numbers of readers who have no row of this week yet, by when it was due for them."""
    name = cadence.week_name(monday)
    key = Concat(Value("dig:"), OuterRef("public_id"), Value(f":{name}"))
    readers = digests.readers(since=now - TOLD_AFTER, until=now)
    waiting = readers.filter(~Exists(Letter.objects.filter(dedupe_key=key)))
    dues: dict[str, datetime | None] = {}
    found = defaultdict(list)
    for pk, zone_name in waiting.order_by("pk").values_list("pk", "time_zone"):
        if zone_name not in dues:
            dues[zone_name] = _due_in(ZoneInfo(zone_name), monday, now=now)
        if due := dues[zone_name]:
            found[due].append(pk)
    return found


def _due_in(zone: ZoneInfo, monday: date, *, now: datetime) -> datetime | None:
    """When the digests of a week were due in a zone, if that is the week it is in."""
    due, following = (
        cadence.occurrence(day, cadence.DIGEST_AT, zone) for day in (monday, monday + cadence.WEEK)
    )
    return due if due <= now < following else None


def _promise(ids: list[int], *, due: datetime, now: datetime) -> int:
    """Write the digests of some readers, and a row that says so for those with nothing to read."""
    people = Person.objects.filter(pk__in=ids).order_by("pk")
    # Who joined after Monday morning begins with the next one.
    began = digests.readers(since=now - TOLD_AFTER, until=due).filter(pk__in=ids)
    there = set(began.values_list("pk", flat=True))
    written, skipped = [], []
    for week, readers in _by_day(people, due).items():
        told = digests.contents([row for row in readers if row.pk in there], week=week)
        for reader in readers:
            message = messages.digest(reader, due=due, content=told.get(reader.pk, {}))
            (written if reader.pk in told else skipped).append(message)
    outbox.promise(written, now=now)
    Letter.objects.bulk_create(
        [_nothing(row.letter, now) for row in skipped], ignore_conflicts=True
    )
    return len(written)


def _by_day(people, due: datetime) -> dict[digests.Week, list[Person]]:
    """Readers by the day it is where they are: zones that share a moment need not share a day."""
    found = defaultdict(list)
    for person in people:
        found[digests.week_of(person, due=due)].append(person)
    return found


def _nothing(letter: Letter, now: datetime) -> Letter:
    letter.state, letter.outcome = Letter.State.CANCELLED, letters.NOTHING_NEW
    letter.created_at = now
    return letter


def content_for(reader: Person, *, due: datetime) -> dict | None:
    """What a reader's digest says, as plain values; None when there is nothing to say."""
    week = digests.week_of(reader, due=due)
    return digests.contents([reader], week=week).get(reader.pk)


def preview(reader: Person, *, now: datetime) -> Letter | None:
    """
    The reader's next digest as it would be sent if nothing happened until then, not stored;
    None when there is nothing to say.
    """
    due = preferences.next_digest(reader, now)
    content = content_for(reader, due=due)
    return messages.digest(reader, due=due, content=content).letter if content else None
