"""
A mail server that takes nothing from us, or cannot be reached, is left alone for a while.

That is the server's matter and no letter's, so no letter uses up an attempt.
Two rows say it to all workers: since when, and when one letter may try again.
"""

import logging
from datetime import datetime, timedelta

from coaching.models import Beat
from coaching.queries.health import MAIL_STOPPED as STOPPED

logger = logging.getLogger(__name__)

PROBE = "mail probe"
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=5)

GO, TRY_ONE, WAIT = "go", "try one", "wait"


def since() -> datetime | None:
    """Since when nothing is sent; None while the mail server is fine."""
    return Beat.objects.filter(name=STOPPED).values_list("at", flat=True).first()


def permit(*, now: datetime) -> str:
    """GO, or WAIT; of all workers one is told to TRY_ONE when the wait is over."""
    times = dict(Beat.objects.filter(name__in=[STOPPED, PROBE]).values_list("name", "at"))
    if STOPPED not in times:
        return GO
    due = times.get(PROBE, times[STOPPED])
    if due > now:
        return WAIT
    mine = Beat.objects.filter(name=PROBE, at=due)
    return TRY_ONE if mine.update(at=now + _wait(times[STOPPED], now)) else WAIT


def stop(*, now: datetime, why: str) -> datetime:
    """Leave the mail server alone from now on; returns until when."""
    row, fresh = Beat.objects.get_or_create(name=STOPPED, defaults={"at": now})
    until = now + _wait(row.at, now)
    Beat.objects.update_or_create(name=PROBE, defaults={"at": until})
    if fresh:
        logger.error("The mail server cannot be used, nothing is sent: %s", why)
    return until


def clear() -> None:
    """The mail server took something, or refused a single letter: it is back."""
    if Beat.objects.filter(name=STOPPED).delete()[0]:
        Beat.objects.filter(name=PROBE).delete()
        logger.warning("The mail server can be used again.")


def _wait(stopped_at: datetime, now: datetime) -> timedelta:
    # As long again as it has lasted: 1, 2, 4 and then every 5 minutes.
    return min(max(now - stopped_at, SHORTEST), LONGEST)
