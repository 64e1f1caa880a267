"""
When a letter is next due: local clocks, weeks and zones, as pure functions.

A schedule is kept as a rule and a zone's name, never as an instant: zone rules
change, and a stored instant would then be an hour off.
"""

from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
WEEK = timedelta(days=7)

DIGEST_AT = time(8)
DIGEST_DAY = MONDAY
REMINDER_DAY = WEDNESDAY
# The sweep promises the notes early in the day; each goes out at its reader's own minute.
REMINDER_HOUR = time(6)


def week_of(day: date) -> date:
    """
    The Monday of the week in which `day` lies.

    >>> week_of(date(2026, 11, 21))
    datetime.date(2026, 11, 16)
    """
    return day - timedelta(days=day.weekday())


def week_name(day: date) -> str:
    """
    The ISO name of a week, which is what a weekly promise is known by.

    >>> week_name(date(2027, 1, 1))
    '2026-W53'
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def occurrence(day: date, at: time, zone: ZoneInfo) -> datetime:
    """
    The instant (UTC) at which a clock in `zone` shows `at` on `day`.

    An hour that happens twice is taken the first time; one that is skipped
    is taken as far behind the gap as it lay behind its beginning.

    >>> occurrence(date(2026, 3, 29), time(2, 30), ZoneInfo("Europe/Zurich")).isoformat()
    '2026-03-29T01:30:00+00:00'
    """
    return datetime.combine(day, at, zone).astimezone(UTC)


def latest_weekly(weekday: int, at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The newest weekly occurrence that is not after `now` (UTC)."""
    return occurrence(_latest_day(weekday, at, zone, now), at, zone)


def next_weekly(weekday: int, at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The first weekly occurrence after `now` (UTC)."""
    return occurrence(_latest_day(weekday, at, zone, now) + WEEK, at, zone)


def _latest_day(weekday: int, at: time, zone: ZoneInfo, now: datetime) -> date:
    """The day, as the calendar names it, of the newest weekly occurrence."""
    # From tomorrow on backwards: where clocks went back over midnight, tomorrow has begun before.
    day = now.astimezone(zone).date() + timedelta(days=1)
    day -= timedelta(days=(day.weekday() - weekday) % 7)
    while occurrence(day, at, zone) > now:
        day -= WEEK
    return day


def quiet_minute(person_id: str) -> time:
    """
    A minute between 09:00 and 11:00, the same for a person every week.

    Spread over people, so that not everybody is written to at once.
    """
    digest = blake2b(person_id.encode(), digest_size=4).digest()
    minute = int.from_bytes(digest) % 120
    return time(9 + minute // 60, minute % 60)


def next_working_morning(person_id: str, zone: ZoneInfo, now: datetime) -> datetime:
    """
    When something that is not urgent reaches a person: now, while it is a
    working day between 09:00 and 17:00 where they are; else their own minute
    of the next working morning.
    """
    local = now.astimezone(zone)
    if local.weekday() < SATURDAY and time(9) <= local.time() < time(17):
        return now
    day = local.date() if local.time() < time(9) else local.date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return occurrence(day, quiet_minute(person_id), zone)
