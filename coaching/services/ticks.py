"""The one idempotent sweep. Beat, the embedded ticker and the command all call it."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime

from django.conf import settings

from coaching.models import Beat, Letter
from coaching.notifications import outbox
from coaching.services import (
    cases,
    channels,
    cohorts,
    departures,
    digests,
    dips,
    imports,
    plans,
    progress,
    reminders,
    waiting,
)

logger = logging.getLogger(__name__)

# In this order readings that arrive, the pass they bring, and its letters take one tick.
SWEEPS: tuple[tuple[str, Callable], ...] = (
    ("imports", imports.work_off),
    ("plans", plans.work_off),
    ("pairs checked", progress.check_due),
    ("cases taken up", cases.escalate_due),
    ("pairs released", departures.follow_up),
    ("coaches proposed", waiting.propose_due),
    ("coaches who fell", dips.watch),
    ("cohorts closed", cohorts.close_finished),
    ("reminders", reminders.remind_due),
    ("digests", digests.write_due),
    ("letters put back", outbox.reap),
    ("letters looked up", outbox.settle),
    ("letters", outbox.deliver_due),
    ("chats and webhooks", channels.deliver_due),
)
LETTERS = "letters"
PLANS = "plans"
# One more sender is worth its while for so many letters.
LETTERS_A_SENDER = 20
# Parts of plans are solved by as many as there are workers, for all they know.
MOST_SOLVERS = 16
# A sender ends within the minute, so that the next tick finds its place free.
SECONDS_A_SENDER = 50.0


def tick(*, now: datetime, but: Collection[str] = ()) -> dict[str, object]:
    """
    Do everything that is due, but for some sweeps; returns what each sweep did.

    Any number of ticks at once do no harm. A sweep that fails does not keep
    the others from running.

    :raises ExceptionGroup: after all sweeps, with what went wrong in them
    """
    done, failures = {}, []
    for name, sweep in SWEEPS:
        if name in but:
            continue
        try:
            done[name] = sweep(now=now)
        except Exception as failure:
            logger.exception("Sweep “%s” failed", name)
            failures.append(failure)
    Beat.objects.update_or_create(name="tick", defaults={"at": now})
    if failures:
        raise ExceptionGroup("Some sweeps failed; the log has each of them.", failures)
    return done


def senders_wanted(*, now: datetime) -> int:
    """How many senders the letters that are due now are worth; none when nothing is due."""
    due = Letter.objects.filter(state=Letter.State.PENDING, next_attempt_at__lte=now)
    most = settings.LETTER_SENDERS
    letters = due.order_by("next_attempt_at", "pk")[: most * LETTERS_A_SENDER].count()
    return min(most, -(-letters // LETTERS_A_SENDER))


def solvers_wanted(*, now: datetime) -> int:
    """How many workers the plans that wait are worth, once they are split into parts."""
    plans.split_queued(now=now)
    return min(MOST_SOLVERS, plans.parts_waiting())


def pump(*, now: datetime) -> dict[str, int]:
    """Send what is due, for as long as one sender may; counts by what became of them."""
    return outbox.deliver_due(now=now, seconds=SECONDS_A_SENDER)
