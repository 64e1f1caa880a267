"""
When a letter is next due: local clocks, weeks and zones, as pure functions.

A schedule is kept as a rule and a zone's name, never as an instant: zone rules
change, and a stored instant would then be an hour off.
"""

from dataclasses import dataclass
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


# Minutes over which the mornings of different people are spread.
SPREAD = 120
# Nothing but the digest begins before, early as somebody's day may begin.
EARLIEST = time(9)
# How far ahead somebody's next moment is looked for; a leave or a pause that lasts longer is for
# ever, as far as a letter is concerned.
HORIZON = 400


def quiet_minute(person_id: str, begins: time = EARLIEST, ends: time = time(17)) -> time:
    """
    A person's own minute: within two hours of nine o'clock, the same every day.

    Spread over people, so that not everybody is written to at once. A day
    that begins after nine counts from its beginning; of one shorter than
    four hours the first half is used.

    >>> quiet_minute("bcdfghjkmnpq"), quiet_minute("bcdfghjkmnpq", time(14), time(15))
    (datetime.time(9, 44), datetime.time(14, 11))
    """
    digest = blake2b(person_id.encode(), digest_size=4).digest()
    start = EARLIEST if begins <= EARLIEST < ends else begins
    first, last = start.hour * 60 + start.minute, ends.hour * 60 + ends.minute
    spread = min(SPREAD, max(last - first, 0) // 2)
    minute = first + int.from_bytes(digest) % SPREAD * spread // SPREAD
    return time(minute // 60, minute % 60)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """
    When letters may reach somebody: wall clocks and days where they are.

    `days` are weekdays, Monday 0. `away` are leaves, from the first to the
    last day; a last day of None is until further notice.
    """

    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(5))
    begins: time = time(8)
    ends: time = time(17)
    paused_until: date | None = None
    away: tuple[tuple[date, date | None], ...] = ()

    def works_on(self, day: date) -> bool:
        """Whether letters may come on `day`, at the right hour of it."""
        return (
            day.weekday() in self.days
            and not (self.paused_until and day < self.paused_until)
            and not self.away_on(day)
        )

    def away_on(self, day: date) -> bool:
        return any(first <= day and (last is None or day <= last) for first, last in self.away)


def next_moment(rhythm: Rhythm, opens: time, now: datetime) -> datetime | None:
    """
    The first moment from `now` on at which a letter may reach somebody.

    That is `now` itself between `opens` and the end of a working day, else
    the next working day at `opens`. None when there is no such moment within
    400 days: no working day, no hours, away or paused for longer.

    Where clocks jump, the hours shrink: nothing comes in an hour that is
    quiet, seen the first or the second time.
    """
    opens = max(opens, rhythm.begins)
    # One may live a calendar day behind UTC.
    day = now.astimezone(rhythm.zone).date() - timedelta(days=1)
    for _ in range(HORIZON):
        if rhythm.works_on(day):
            first, last = _latest(day, opens, rhythm.zone), _earliest(day, rhythm.ends, rhythm.zone)
            if max(first, now) < last:
                return max(first, now)
        day += timedelta(days=1)
    return None


def _latest(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) from which clocks in `zone` show `at` or later: the last one possible."""
    return max(_readings(day, at, zone))


def _earliest(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) before which clocks in `zone` show less than `at`: the first one."""
    return min(_readings(day, at, zone))


def _readings(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both ways of reading a wall clock; they differ where it jumps."""
    return tuple(
        datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)
    )
