"""Weekly notes to both sides of every pair that is still swimming."""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Prefetch

from coaching.domain import cadence
from coaching.models import Look, Pair
from coaching.notifications import messages, outbox

BATCH = 500


def next_reminder(pair: Pair, *, after: datetime) -> datetime:
    """The start of the learner's next reminder day; each side's own minute follows from it."""
    return cadence.next_weekly(
        cadence.REMINDER_DAY, cadence.REMINDER_HOUR, pair.learner.zone, after
    )


def remind_due(*, now: datetime) -> int:
    """
    Promise the weekly note for each pair whose day has come; returns for how many.

    However long the sweep was down, one note is promised, not one for each missed week.
    """
    reminded = 0
    while True:
        due = list(
            Pair.objects.active()
            .filter(next_reminder_at__lte=now)
            .select_related("metric", "learner", "coach", "cohort")
            .prefetch_related(Prefetch("looks", queryset=Look.objects.order_by("week")))
            .annotate(session_count=Count("sessions"))
            .order_by("next_reminder_at", "pk")[:BATCH]
        )
        if not due:
            return reminded
        for pair in due:
            reminded += _remind(pair, now=now)


@transaction.atomic
def _remind(pair: Pair, *, now: datetime) -> bool:
    day = cadence.latest_weekly(cadence.REMINDER_DAY, cadence.REMINDER_HOUR, pair.learner.zone, now)
    # Only the sweep that still sees the old date may move it. The new date
    # is always after `now`, so the loop ends.
    mine = Pair.objects.active().filter(pk=pair.pk, next_reminder_at=pair.next_reminder_at)
    if mine.update(next_reminder_at=next_reminder(pair, after=now)) != 1:
        return False
    looks = list(pair.looks.all())
    outbox.promise(
        [
            messages.reminder(
                pair,
                reader,
                due=day,
                last=looks[-1] if looks else None,
                sessions=pair.session_count,
            )
            for reader in (pair.learner, pair.coach)
        ],
        now=now,
    )
    return True
