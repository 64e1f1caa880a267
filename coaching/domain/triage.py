"""How long somebody has to answer, in days on which they work."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from coaching.domain import cadence
from coaching.domain.progress import Away

# A case that its decider has not answered in so many of their working days goes one level up.
DAYS_TO_ANSWER = 3
# Somebody who is away for longer than this within the next weeks cannot be waited for.
FURTHEST = 60


def deadline(
    now: datetime,
    zone: ZoneInfo,
    *,
    working_days: str = "12345",
    day_ends: time = time(17),
    days: int = DAYS_TO_ANSWER,
    away: Sequence[Away] = (),
) -> datetime:
    """
    The end (UTC) of the last of so many full working days after today, where somebody is.

    working_days : ISO weekdays, Monday is 1; nobody works on none, so none counts as all
    away : days on which they are not there

    >>> from datetime import UTC
    >>> friday = datetime(2027, 3, 5, 14, tzinfo=UTC)
    >>> deadline(friday, ZoneInfo("Europe/Zurich")).isoformat()
    '2027-03-10T16:00:00+00:00'
    """
    day, left = now.astimezone(zone).date(), days
    for _ in range(FURTHEST):
        day += timedelta(days=1)
        there = not any(begins <= day and (ends is None or day <= ends) for begins, ends in away)
        left -= there and str(day.isoweekday()) in (working_days or "1234567")
        if left == 0:
            break
    return cadence.occurrence(day, day_ends, zone)
