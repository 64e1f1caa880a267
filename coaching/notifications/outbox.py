"""
The outbox: letters are rows that a worker claims under a lease, sends and marks.

Promising a letter twice is harmless (`dedupe_key` is unique). A worker that
dies leaves a lease behind; when it runs out the letter is claimed again and
goes out with the same Message-ID. Nothing is lost; a copy can only arise
between the mail server's acceptance and our note of it.
"""

import logging
import smtplib
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import connection, transaction
from django.db.models import F

from coaching.domain import cadence
from coaching.models import Letter, Notice, Pair
from coaching.notifications import rendering

logger = logging.getLogger(__name__)

State = Letter.State
# A letter that cannot be written, or ends its worker, is put aside after so many attempts;
MAX_ATTEMPTS = 8
# one that the mail server keeps asking us to bring again later, after two to three days.
MAX_TRIES_AT_THE_SERVER = 20
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Message:
    """A letter and its twin inside Lanemate, not yet stored."""

    letter: Letter
    notice: Notice | None = None


def promise(messages: Iterable[Message], *, now: datetime) -> None:
    """
    Store letters and notices, in the caller's transaction; known keys are passed over.

    A letter without a time of its own leaves at once while its reader is at work, and
    otherwise on the next working morning: nobody is woken by a number that has arrived.
    """
    letters, notices = [], []
    for message in messages:
        letter = message.letter
        letter.created_at = now
        reader = letter.recipient
        letter.next_attempt_at = letter.next_attempt_at or cadence.next_working_morning(
            reader.public_id, reader.zone, now
        )
        letters.append(letter)
        if message.notice:
            message.notice.at = now
            notices.append(message.notice)
    Letter.objects.bulk_create(letters, ignore_conflicts=True, batch_size=500)
    Notice.objects.bulk_create(notices, ignore_conflicts=True, batch_size=500)


def withdraw(letters, *, why: str) -> int:
    """Cancel those of a queryset of letters that nobody has claimed yet."""
    return letters.filter(state=State.PENDING).update(state=State.CANCELLED, outcome=why)


def reap(*, now: datetime) -> int:
    """
    Put letters back whose worker's lease ran out.

    From LEASED that is safe: the mail server cannot have it. From SENDING it
    may have it; the letter goes out again, recognisable by its Message-ID,
    unless it has ended one worker after the other.
    """
    expired = Letter.objects.filter(state__in=[State.LEASED, State.SENDING], lease_until__lte=now)
    put_aside = expired.filter(state=State.SENDING, attempts__gte=MAX_ATTEMPTS).update(
        state=State.UNCERTAIN,
        lease_token=None,
        lease_until=None,
        outcome="Every worker that began to send it stopped; perhaps it was sent.",
    )
    if put_aside:
        logger.error("%d letters ended every worker that began to send them.", put_aside)
    return put_aside + expired.update(
        state=State.PENDING,
        lease_token=None,
        lease_until=None,
        next_attempt_at=now,
        outcome="Its worker stopped; tried again.",
    )


def _lease() -> timedelta:
    return timedelta(seconds=settings.LETTER_LEASE_SECONDS)


def claim(*, now: datetime, limit: int) -> list[Letter]:
    """
    Take up to `limit` due letters for this worker.

    On PostgreSQL rows that another worker is taking are skipped. SQLite has no
    row locks, but its transactions are IMMEDIATE: one claim at a time.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        due = Letter.objects.filter(state=State.PENDING, next_attempt_at__lte=now)
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        ids = list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:limit])
        Letter.objects.filter(pk__in=ids, state=State.PENDING).update(
            state=State.LEASED,
            lease_token=token,
            lease_until=now + _lease(),
        )
    return list(
        Letter.objects.filter(lease_token=token)
        .select_related("recipient", "pair", "cohort")
        .order_by("next_attempt_at", "pk")
    )


def not_wanted(letter: Letter, *, now: datetime) -> str:
    """Why a claimed letter is no longer wanted; empty when it is."""
    if letter.expires_at and letter.expires_at <= now:
        return "Too late to be of use."
    if not letter.recipient.active:
        return f"{letter.recipient.name} has left."
    if not letter.recipient.email:
        return f"{letter.recipient.name} has no e-mail address; told inside Lanemate only."
    if letter.kind in (Letter.Kind.REMINDER, Letter.Kind.INVITATION, Letter.Kind.ESCALATION):
        letter.pair.refresh_from_db(fields=["state"])
        if not letter.pair.is_active:
            return f"The pair has {letter.pair.get_state_display().lower()}."
        if letter.kind == Letter.Kind.ESCALATION and letter.pair.state != Pair.State.STUCK:
            return "There is nothing to decide any more."
    return ""


def _release(letter: Letter, **changes) -> bool:
    """Move a letter on, if this worker still holds it."""
    held = Letter.objects.filter(
        pk=letter.pk, lease_token=letter.lease_token, state__in=[State.LEASED, State.SENDING]
    )
    return held.update(lease_token=None, lease_until=None, **changes) == 1


def _begin(letter: Letter, *, now: datetime) -> bool:
    """Mark a claimed letter as being sent; False when its lease has run out."""
    mine = Letter.objects.filter(
        pk=letter.pk, state=State.LEASED, lease_token=letter.lease_token, lease_until__gt=now
    )
    # The lease starts anew: the others of the batch have used up a part of it.
    begun = mine.update(state=State.SENDING, attempts=F("attempts") + 1, lease_until=now + _lease())
    if begun:
        letter.state, letter.attempts = State.SENDING, letter.attempts + 1
    return begun == 1


def _postpone(letter: Letter, *, now: datetime, error: Exception, most: int) -> None:
    if letter.attempts >= most:
        _release(letter, state=State.DEAD, outcome=f"Given up: {error}"[:300])
        return
    wait = min(FIRST_BACKOFF * 2 ** (letter.attempts - 1), LONGEST_BACKOFF)
    # Spread over time, reproducibly, so that a mail server coming back is not overrun.
    spread = Random(f"{letter.dedupe_key}:{letter.attempts}").uniform(0.5, 1.0)
    _release(
        letter,
        state=State.PENDING,
        next_attempt_at=now + wait * spread,
        outcome=f"Tried again later: {error}"[:300],
    )


def _written(letter: Letter, *, mail) -> EmailMultiAlternatives:
    rendered = rendering.render(letter)
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[letter.recipient.email],
        connection=mail,
        headers={
            "Message-ID": f"<{letter.message_id}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(rendered.html, "text/html")
    return message


def send(letter: Letter, *, mail, now: datetime) -> str:
    """
    Send one claimed letter and return what became of it:
    'sent', 'cancelled', 'dead', 'postponed' or 'lost' (the lease had run out).

    :raises SMTPSenderRefused: when the server takes no letter from us, whoever it is for
    """
    if not _begin(letter, now=now):
        return "lost"
    reason = not_wanted(letter, now=now)
    if reason:
        _release(letter, state=State.CANCELLED, outcome=reason)
        return "cancelled"
    try:
        _written(letter, mail=mail).send()
    except smtplib.SMTPSenderRefused:
        raise
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        if all(code >= 500 for code in codes):
            _release(letter, state=State.DEAD, outcome=f"Address refused: {refusal}"[:300])
            return "dead"
        _postpone(letter, now=now, error=refusal, most=MAX_TRIES_AT_THE_SERVER)
        return "postponed"
    except (OSError, smtplib.SMTPException) as failure:
        _postpone(letter, now=now, error=failure, most=MAX_TRIES_AT_THE_SERVER)
        return "postponed"
    except Exception as failure:
        # A letter that cannot be written must not stop the others.
        logger.exception("Letter %s could not be written", letter.public_id)
        _postpone(letter, now=now, error=failure, most=MAX_ATTEMPTS)
        return "postponed"
    _release(letter, state=State.SENT, sent_at=now, outcome="")
    return "sent"


def deliver_due(*, now: datetime, batch: int = 50, limit: int = 10_000) -> dict[str, int]:
    """
    Send what is due, at most `limit` letters; counts by what became of them.

    1. claim a batch, 2. send each over one connection, 3. again while there are any. When
    the mail server is of no use, what was not sent goes back untouched and we stop.
    """
    counts: Counter[str] = Counter()
    started = time.monotonic()

    def at() -> datetime:
        # Sending takes time, and leases run out meanwhile.
        return now + timedelta(seconds=time.monotonic() - started)

    done = 0
    while done < limit:
        letters = claim(now=at(), limit=min(batch, limit - done))
        done += len(letters)
        if not letters or not _send_batch(deque(letters), at=at, counts=counts):
            break
    return dict(counts)


def _send_batch(
    letters: deque[Letter], *, at: Callable[[], datetime], counts: Counter[str]
) -> bool:
    """Send claimed letters; False when the mail server cannot be used."""
    mail = get_connection()
    try:
        mail.open()
        while letters:
            outcome = send(letters[0], mail=mail, now=at())
            letters.popleft()
            counts[outcome] += 1
            if outcome == "postponed":
                # What went wrong may have broken the connection, and with it all that follow.
                _close(mail)
                mail.open()
    except (OSError, smtplib.SMTPException) as failure:
        logger.error("The mail server cannot be used: %s", failure)
        for letter in letters:
            _release(
                letter,
                state=State.PENDING,
                attempts=F("attempts") - int(letter.state == State.SENDING),
                next_attempt_at=at() + FIRST_BACKOFF,
                outcome=f"The mail server cannot be used: {failure}"[:300],
            )
        counts["postponed"] += len(letters)
        return False
    finally:
        _close(mail)
    return True


def _close(mail) -> None:
    # Letters have been accepted one by one; how the server says goodbye does not matter.
    with suppress(OSError, smtplib.SMTPException):
        mail.close()
