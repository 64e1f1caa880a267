"""What somebody decides about letters that went wrong, and about addresses that were refused."""

from datetime import datetime

from django.db import transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Attempt, Bounce, Letter, Person
from coaching.services import audit

State = Letter.State


class NothingToDecide(CoachingError):
    message = said("Nothing is open about this letter any more.")


class TooLate(CoachingError):
    message = said("This letter was of use until a certain moment, and that has passed.")


class NotSuppressed(CoachingError):
    message = said("Nothing keeps letters from this address any more.")


@transaction.atomic
def resend(*, letter: Letter, by: Person, now: datetime) -> None:
    """
    Send a letter again that was given up or perhaps sent, under the same Message-ID.

    :raises TooLate: if it would not be of use any more
    :raises NothingToDecide: if somebody has decided before
    """
    if letter.expires_at and letter.expires_at <= now:
        raise TooLate
    _decide(
        letter, from_states=(State.DEAD, State.UNCERTAIN), now=now, what="resent", by=by,
        state=State.PENDING, next_attempt_at=now, attempts=0, fruitless=0, failure="",
        outcome="Sent again by decision.",
    )  # fmt: skip


@transaction.atomic
def mark_sent(*, letter: Letter, by: Person, now: datetime) -> None:
    """
    Take a letter that was perhaps sent for sent.

    :raises NothingToDecide: if somebody has decided before
    """
    _decide(
        letter, from_states=(State.UNCERTAIN,), now=now, what="marked sent", by=by,
        state=State.SENT, sent_at=now, fruitless=0, failure="", outcome="",
    )  # fmt: skip


def _decide(
    letter: Letter, *, from_states: tuple, now: datetime, what: str, by: Person, **changes
) -> None:
    # Only while it still is as it was shown; the sweeps may settle it at the same moment.
    open_ = Letter.objects.filter(pk=letter.pk, state__in=from_states)
    if open_.update(**changes) != 1:
        raise NothingToDecide
    Attempt.objects.create(letter=letter, at=now, outcome=what, detail=f"Decided by {by.name}.")
    team = letter.pair.learner.team if letter.pair else letter.cohort and letter.cohort.team
    audit.record(f"letter.{what.replace(' ', '_')}", letter, by=by, now=now, team=team)


@transaction.atomic
def free(*, bounce: Bounce, by: Person, now: datetime) -> None:
    """
    Let letters go to an address again that was refused twice.

    :raises NotSuppressed:
    """
    suppressed = Bounce.objects.filter(pk=bounce.pk, suppressed_at__isnull=False)
    if suppressed.update(suppressed_at=None, times=0) != 1:
        raise NotSuppressed
    for person in Person.objects.filter(email__iexact=bounce.email).order_by("pk"):
        audit.record("address.freed", person, by=by, now=now, team=person.team)
