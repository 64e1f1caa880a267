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
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import connection, transaction
from django.db.models import F

from coaching.models import Letter, Notice
from coaching.notifications import rendering

logger = logging.getLogger(__name__)

State = Letter.State
MAX_ATTEMPTS = 8
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
    """
    letters, notices = [], []
    for message in messages:
        letter = message.letter
        letter.created_at = now
        letter.next_attempt_at = letter.next_attempt_at or now
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
    may have it; the letter goes out again, recognisable by its Message-ID.
    """
    expired = Letter.objects.filter(state__in=[State.LEASED, State.SENDING], lease_until__lte=now)
    return expired.update(
        state=State.PENDING,
        lease_token=None,
        lease_until=None,
        next_attempt_at=now,
        outcome="Its worker stopped; tried again.",
    )


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
            lease_until=now + timedelta(seconds=settings.LETTER_LEASE_SECONDS),
            attempts=F("attempts") + 1,
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
    return ""


def _release(letter: Letter, **changes) -> bool:
    """Move a letter on, if this worker still holds it."""
    held = Letter.objects.filter(
        pk=letter.pk, lease_token=letter.lease_token, state__in=[State.LEASED, State.SENDING]
    )
    return held.update(lease_token=None, lease_until=None, **changes) == 1


def _postpone(letter: Letter, *, now: datetime, error: Exception) -> None:
    if letter.attempts >= MAX_ATTEMPTS:
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


def send(letter: Letter, *, mail, now: datetime) -> str:
    """
    Send one claimed letter and return what became of it:
    'sent', 'cancelled', 'dead', 'postponed' or 'lost' (the lease had run out).
    """
    reason = not_wanted(letter, now=now)
    if reason:
        _release(letter, state=State.CANCELLED, outcome=reason)
        return "cancelled"
    rendered = rendering.render(letter)
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[letter.recipient.email],
        connection=mail,
        headers={
            "Message-ID": f"<{letter.message_id}@{settings.SITE_URL.split('//')[-1].split(':')[0]}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(rendered.html, "text/html")
    mine = Letter.objects.filter(
        pk=letter.pk, state=State.LEASED, lease_token=letter.lease_token, lease_until__gt=now
    )
    if mine.update(state=State.SENDING) != 1:
        return "lost"
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        if all(code >= 500 for code in codes):
            _release(letter, state=State.DEAD, outcome=f"Address refused: {refusal}"[:300])
            return "dead"
        _postpone(letter, now=now, error=refusal)
        return "postponed"
    except (OSError, smtplib.SMTPException) as failure:
        _postpone(letter, now=now, error=failure)
        return "postponed"
    _release(letter, state=State.SENT, sent_at=now, outcome="")
    return "sent"


def deliver_due(*, now: datetime, batch: int = 50, limit: int = 10_000) -> dict[str, int]:
    """
    Send what is due, at most `limit` letters; counts by what became of them.

    1. claim a batch, 2. send each, 3. again while there are any. When the
    mail server cannot be reached the batch goes back untouched and we stop.
    """
    counts: dict[str, int] = {}
    started = time.monotonic()

    def at() -> datetime:
        # Sending takes time, and leases run out meanwhile.
        return now + timedelta(seconds=time.monotonic() - started)

    done = 0
    while done < limit:
        letters = claim(now=at(), limit=min(batch, limit - done))
        if not letters:
            break
        done += len(letters)
        mail = get_connection()
        try:
            mail.open()
        except (OSError, smtplib.SMTPException) as failure:
            logger.error("The mail server cannot be used: %s", failure)
            for letter in letters:
                _release(
                    letter,
                    state=State.PENDING,
                    attempts=F("attempts") - 1,
                    next_attempt_at=at() + FIRST_BACKOFF,
                    outcome=f"The mail server cannot be used: {failure}"[:300],
                )
            counts["postponed"] = counts.get("postponed", 0) + len(letters)
            break
        try:
            for letter in letters:
                try:
                    outcome = send(letter, mail=mail, now=at())
                except Exception as failure:
                    # A letter that cannot be written must not stop the others.
                    logger.exception("Letter %s could not be sent", letter.public_id)
                    _postpone(letter, now=at(), error=failure)
                    outcome = "postponed"
                counts[outcome] = counts.get(outcome, 0) + 1
        finally:
            mail.close()
    return counts
