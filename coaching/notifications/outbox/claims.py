"""
Who holds which letter, and until when.

A lease is a matter between processes on several machines, so its times are the
database's own. `now` says what is due, and may be a simulated clock: if leases
were counted by it, weeks that pass in a minute would take letters out of the
hands of workers that are just sending them.
"""

import logging
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When
from django.db.models.functions import Lower, Now

from coaching.models import Attempt, Bounce, Letter
from coaching.notifications.outbox import record

logger = logging.getLogger(__name__)

State, Failure = Letter.State, Letter.Failure
# After so many claims in a row without any result a letter is taken for what ends its workers.
MOST_FRUITLESS = 3
# One that the mail server keeps asking us to bring again later is given up after about two days.
MOST_TRIES = 20
# One that cannot be written does not get better by itself.
MOST_WRITINGS = 8
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=6)
# Leases that ran out and are dealt with by one sweep.
AT_A_TIME = 1000

# One statement takes the letters and says which. The subquery stands in a WITH of its own: as
# part of the condition the planner may run it again for each row, and take more than the limit.
_CLAIM = {
    "postgresql": """
        WITH due AS MATERIALIZED (
            SELECT id FROM coaching_letter
            WHERE state = 0 AND next_attempt_at <= %(now)s AND fruitless <= %(fruitless)s
            ORDER BY next_attempt_at, id
            LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        )
        UPDATE coaching_letter AS letter
        SET state = 1, lease_token = %(token)s,
            lease_until = statement_timestamp() + make_interval(secs => %(lease)s),
            attempts = attempts + 1, fruitless = fruitless + 1
        FROM due WHERE letter.id = due.id
        RETURNING letter.id, letter.attempts, letter.fruitless
    """,
    # No row can be locked here, but there is one writer at a time; whoever comes second sees
    # another state.
    "sqlite": """
        UPDATE coaching_letter
        SET state = 1, lease_token = %(token)s,
            lease_until = strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %(lease)s || ' seconds'),
            attempts = attempts + 1, fruitless = fruitless + 1
        WHERE state = 0 AND id IN (
            SELECT id FROM coaching_letter
            WHERE state = 0 AND next_attempt_at <= %(now)s AND fruitless <= %(fruitless)s
            ORDER BY next_attempt_at, id
            LIMIT %(limit)s
        )
        RETURNING id, attempts, fruitless
    """,
}


_LEASE_END = {
    "postgresql": "statement_timestamp() + make_interval(secs => %s)",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
}
_NOW = {
    "postgresql": "statement_timestamp()",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
}


class Claim(NamedTuple):
    """A letter that is this worker's for a lease."""

    pk: int
    token: uuid.UUID
    attempts: int
    fruitless: int

    def marked(self, letter: Letter) -> Letter:
        """The letter, read before or after, as it is now that it is claimed."""
        letter.state, letter.lease_token = State.LEASED, self.token
        letter.attempts, letter.fruitless = self.attempts, self.fruitless
        return letter


@contextmanager
def durable():
    """
    While letters are sent, what we note is on the disk before we go on.

    On SQLite each commit waits for the disk only here: what leaves the house rests on all
    that was stored before, and the journal is written in order. PostgreSQL always waits.
    """
    switches = connection.vendor == "sqlite" and not connection.in_atomic_block
    if switches:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = FULL")
    try:
        yield
    finally:
        if switches:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous = NORMAL")


def take(*, now: datetime, limit: int, fruitless: int = MOST_FRUITLESS) -> list[Claim]:
    """
    Take up to `limit` due letters for this worker, those that waited longest first.

    fruitless : leave letters alone that ended more workers than this
    """
    token = uuid.uuid4()
    parameters = {
        "now": connection.ops.adapt_datetimefield_value(now),
        "token": Letter._meta.get_field("lease_token").get_db_prep_value(token, connection),
        "lease": settings.LETTER_LEASE_SECONDS,
        "limit": limit,
        "fruitless": fruitless,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM[connection.vendor], parameters)
        return [Claim(pk, token, *counts) for pk, *counts in cursor.fetchall()]


def claim(*, now: datetime, limit: int, fruitless: int = MOST_FRUITLESS) -> list[Letter]:
    """The same, as letters with all that is needed to send them, in three more queries."""
    taken = {each.pk: each for each in take(now=now, limit=limit, fruitless=fruitless)}
    if not taken:
        return []
    letters = readable(Q(pk__in=list(taken))).order_by("next_attempt_at", "pk")
    return [taken[letter.pk].marked(letter) for letter in letters]


def readable(which: Q) -> QuerySet[Letter]:
    """Letters with all that the gate asks and the templates need, in three queries."""
    refused = Bounce.objects.filter(
        email=Lower(OuterRef("recipient__email")), suppressed_at__isnull=False
    )
    newer = Letter.objects.filter(
        pair=OuterRef("pair"),
        recipient=OuterRef("recipient"),
        kind=Letter.Kind.REMINDER,
        created_at__gt=OuterRef("created_at"),
    ).exclude(state=State.CANCELLED)
    return (
        Letter.objects.filter(which)
        .select_related("recipient", "pair", "cohort")
        .prefetch_related("recipient__leaves", "recipient__opt_outs")
        .annotate(
            address_refused=Exists(refused),
            newer_note=Case(When(kind=Letter.Kind.REMINDER, then=Exists(newer)), default=False),
        )
    )


def due(*, now: datetime, limit: int) -> QuerySet[Letter]:
    """Letters that anybody may take next."""
    pending = Letter.objects.filter(state=State.PENDING, next_attempt_at__lte=now)
    return pending.order_by("next_attempt_at", "pk")[:limit]


# These three run for every letter, so they are written out: putting a query together costs
# several times what the database needs for it.


def _value(name: str, value: object) -> object:
    return Letter._meta.get_field(name).get_db_prep_value(value, connection)


def begin(letter: Letter) -> bool:
    """Mark a claimed letter as being sent, under a whole lease; False when its own ran out."""
    vendor = connection.vendor
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE coaching_letter SET state = 2, lease_until = {_LEASE_END[vendor]} "
            f"WHERE id = %s AND state = 1 AND lease_token = %s AND lease_until > {_NOW[vendor]}",
            [settings.LETTER_LEASE_SECONDS, letter.pk, _value("lease_token", letter.lease_token)],
        )
        return cursor.rowcount == 1


def _move(letter: Letter, changes: dict) -> bool:
    """Change a letter and let go of it, if this worker still holds it."""
    names = ["lease_token", "lease_until", *changes]
    values = [_value(name, value) for name, value in zip(names, [None, None, *changes.values()],
                                                         strict=True)]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE coaching_letter SET {', '.join(f'{name} = %s' for name in names)} "
            "WHERE id = %s AND lease_token = %s AND state IN (1, 2)",
            [*values, letter.pk, _value("lease_token", letter.lease_token)],
        )
        return cursor.rowcount == 1


def note(letter: Letter, *, came: str, at: datetime, detail: str = "", **changes) -> bool:
    """
    Write down what came of a try, and move the letter on if this worker still holds it.

    The line of the try is written either way: it did happen.
    """
    # Part of the caller's commit, where there is one.
    with transaction.atomic(savepoint=False):
        moved = _move(letter, {"outcome": detail[:300], "fruitless": 0, **changes})
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO coaching_attempt (letter_id, at, outcome, detail) "
                "VALUES (%s, %s, %s, %s)",
                [letter.pk, connection.ops.adapt_datetimefield_value(at), came, detail[:300]],
            )
    return moved


def release(letter: Letter, **changes) -> bool:
    """Let go of a letter that was not tried: the claim does not count."""
    untried = {"state": State.PENDING, "fruitless": 0, "attempts": letter.attempts - 1}
    return _move(letter, {**untried, **changes})


def later(letter: Letter, *, at: datetime) -> datetime:
    """When to try again: 1, 2, 4 … minutes, six hours at most, spread over the whole of it."""
    wait = min(FIRST_BACKOFF * 2 ** min(letter.attempts - 1, 16), LONGEST_BACKOFF)
    # Spread reproducibly, so that a mail server coming back is not overrun.
    return at + wait * Random(f"{letter.dedupe_key}:{letter.attempts}").random()


# -- what dead workers leave behind ------------------------------------------------------------


def reap(*, now: datetime) -> int:
    """
    Deal with letters whose worker's lease ran out; returns how many there were.

    Before it was begun the mail server cannot have a letter: it is tried again at once.
    Afterwards it may have it, and `LETTERS_UNCERTAIN` says what to do. One that ended three
    workers in a row is put aside.
    """
    expired = Letter.objects.filter(
        state__in=[State.LEASED, State.SENDING], lease_until__lte=Now()
    ).order_by("lease_until", "pk")
    return sum(_take_back(letter, now=now) for letter in expired[:AT_A_TIME])


def _take_back(letter: Letter, *, now: datetime) -> bool:
    begun = letter.state == State.SENDING
    if begun and settings.LETTERS_UNCERTAIN == "reconcile":
        changes = unclear(letter, now=now)
    elif letter.fruitless >= MOST_FRUITLESS:
        changes = _put_aside(letter, begun=begun)
    elif begun:
        changes = unclear(letter, now=now)
    else:
        changes = {
            "state": State.PENDING,
            "next_attempt_at": now,
            "outcome": "Its worker stopped; tried again.",
        }
    with transaction.atomic():
        # Only while nobody has renewed the lease or taken it back before us.
        left = Letter.objects.filter(
            pk=letter.pk,
            lease_token=letter.lease_token,
            state=letter.state,
            lease_until__lte=Now(),
        )
        if left.update(lease_token=None, lease_until=None, **changes) != 1:
            return False
        Attempt.objects.create(
            letter=letter, at=now, outcome="stopped", detail=changes["outcome"][:300]
        )
    if changes["state"] == State.DEAD:
        logger.error("Letter %s has ended every worker that took it.", letter.public_id)
    return True


def _put_aside(letter: Letter, *, begun: bool) -> dict:
    perhaps = " Perhaps it was sent." if begun else ""
    return {
        "state": State.DEAD,
        "failure": Failure.POISON,
        "outcome": f"Every worker that took it stopped, {letter.fruitless} in a row.{perhaps}",
    }


def unclear(letter: Letter, *, now: datetime, next_at: datetime | None = None) -> dict:
    """What a letter changes to that the mail server may have or not."""
    match settings.LETTERS_UNCERTAIN:
        case "hold":
            return {
                "state": State.UNCERTAIN,
                "outcome": "Perhaps sent: its worker stopped before the answer. Somebody decides.",
            }
        case "reconcile":
            wait = timedelta(seconds=settings.LETTERS_RECORD_DELAY)
            return {
                "state": State.UNCERTAIN,
                "next_attempt_at": now + wait,
                "outcome": "Perhaps sent: the mail server's record will tell.",
            }
        case _:
            return {
                "state": State.PENDING,
                "next_attempt_at": next_at or now,
                "outcome": "Perhaps sent already; sent again, recognisable by its Message-ID.",
            }


def settle(*, now: datetime) -> int:
    """
    Ask the mail server's record about letters it may have; returns how many are settled.

    Only with `LETTERS_UNCERTAIN=reconcile`, and only after the record's stated delay. A
    record that cannot be read settles nothing: the letters stay where they are, and are seen.

    :raises RecordUnreadable:
    """
    if settings.LETTERS_UNCERTAIN != "reconcile":
        return 0
    unsettled = Letter.objects.filter(state=State.UNCERTAIN, next_attempt_at__lte=now)
    letters = list(unsettled.order_by("next_attempt_at", "pk")[:AT_A_TIME])
    if not letters:
        return 0
    accepted = record.accepted({letter.message_id for letter in letters})
    return sum(_settle(letter, sent=letter.message_id in accepted, now=now) for letter in letters)


def _settle(letter: Letter, *, sent: bool, now: datetime) -> bool:
    if sent:
        detail = "The mail server's record has it."
        changes = {"state": State.SENT, "sent_at": now, "outcome": "", "fruitless": 0}
    elif letter.fruitless >= MOST_FRUITLESS:
        changes = _put_aside(letter, begun=False)
        detail = changes["outcome"]
    else:
        detail = "The mail server's record does not have it; sent again."
        changes = {"state": State.PENDING, "next_attempt_at": now, "outcome": detail}
    with transaction.atomic():
        mine = Letter.objects.filter(pk=letter.pk, state=State.UNCERTAIN)
        if mine.update(**changes) != 1:
            return False
        Attempt.objects.create(
            letter=letter, at=now, outcome="found" if sent else "not found", detail=detail
        )
    return True
