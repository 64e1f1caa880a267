"""
Whether the clock can be trusted, asked before a tick.

A clock that jumps ahead would have everything of the time in between sent at
once; one that was set back would keep everything waiting. So a tick refuses,
and says how to go on.
"""

import time
from datetime import datetime, timedelta

from coaching.errors import CoachingError
from coaching.models import Beat
from coaching.queries import clock, health

LONGEST_STEP = timedelta(days=1)
# How far a wall clock and a steady one may drift apart while a process runs.
LEEWAY = timedelta(minutes=5)

# This process's last tick: its time, and what a steady clock showed.
_last_tick: tuple[datetime, float] | None = None


class ClocksDiffer(CoachingError):
    def __init__(self, drift: timedelta) -> None:
        super().__init__(
            f"The clocks of this machine and of the database differ by {_read(abs(drift))}. "
            "Set them right (NTP does it); until then nothing is sent or looked at."
        )


class ClockJumped(CoachingError):
    def __init__(self, last: datetime, now: datetime) -> None:
        way = "back" if last > now else "ahead"
        super().__init__(
            f"The clock jumped {way} by {_read(abs(now - last))}: the last tick ran at "
            f"{last:%Y-%m-%d %H:%M} UTC, and now it is {now:%Y-%m-%d %H:%M}. If that is right, "
            "run: manage.py tick --accept-clock"
        )


def vouch(*, now: datetime) -> None:
    """
    Say nothing when the clock can be trusted.

    A step ahead of more than a day is believed of a process that has just started (that is
    what a laptop does after five weeks in a drawer), and of one whose steady clock has gone
    on as long (it slept). In a simulated centre time jumps as it is told.

    :raises ClocksDiffer, ClockJumped: and keeps the refusal for `manage.py ready` to tell
    """
    try:
        _vouch(now=now)
    except CoachingError:
        Beat.objects.update_or_create(name=health.CLOCK_REFUSED, defaults={"at": now})
        raise
    accept(now=now)


def accept(*, now: datetime) -> None:
    """Take this for the right time, whatever was before."""
    global _last_tick
    Beat.objects.filter(name=health.CLOCK_REFUSED).delete()
    _last_tick = now, _steady()


def _vouch(*, now: datetime) -> None:
    drift = clock.drift()
    if abs(drift) > health.LONGEST_DRIFT:
        raise ClocksDiffer(drift)
    last = Beat.objects.filter(name="tick").values_list("at", flat=True).first()
    if last is None or abs(now - last) <= LONGEST_STEP or clock.is_simulated():
        return
    if last > now or not _believable(now):
        raise ClockJumped(last, now)


def _believable(now: datetime) -> bool:
    """Whether this process has seen the time pass, or has just started."""
    if _last_tick is None:
        return True
    at, steady = _last_tick
    return (now - at) - timedelta(seconds=_steady() - steady) <= LEEWAY


def _steady() -> float:
    # The one that goes on while a machine sleeps; where there is none, wall time is believed.
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time()


def _read(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
