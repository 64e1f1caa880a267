"""The one idempotent sweep. Beat, the embedded ticker and the command all call it."""

import logging
from collections.abc import Callable
from datetime import datetime

from coaching.models import Beat
from coaching.notifications import outbox
from coaching.services import cohorts, digests, imports, progress, reminders

logger = logging.getLogger(__name__)

# In this order readings that arrive, the pass they bring, and its letters take one tick.
SWEEPS: tuple[tuple[str, Callable], ...] = (
    ("imports", imports.work_off),
    ("pairs checked", progress.check_due),
    ("cohorts closed", cohorts.close_finished),
    ("reminders", reminders.remind_due),
    ("digests", digests.write_due),
    ("letters put back", outbox.reap),
    ("letters", outbox.deliver_due),
)


def tick(*, now: datetime) -> dict[str, object]:
    """
    Do everything that is due; returns what each sweep did.

    Any number of ticks at once do no harm. A sweep that fails does not keep
    the others from running.

    :raises ExceptionGroup: after all sweeps, with what went wrong in them
    """
    done, failures = {}, []
    for name, sweep in SWEEPS:
        try:
            done[name] = sweep(now=now)
        except Exception as failure:
            logger.exception("Sweep “%s” failed", name)
            failures.append(failure)
    Beat.objects.update_or_create(name="tick", defaults={"at": now})
    if failures:
        raise ExceptionGroup("Some sweeps failed; the log has each of them.", failures)
    return done
