"""
What happens is told to chats and webhooks as well, from a queue in the database.

Every notice inside Lanemate becomes a row for each channel of its reader.
Rows are claimed under a lease, tried and marked, as letters are; nothing is
lost, and a copy carries the same id. A channel says that something happened
and where to read it; names and skills only when its owner wants them.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils.translation import gettext, gettext_noop, override

from coaching.errors import CoachingError
from coaching.models import Channel, Letter, Notice, Push
from coaching.notifications import chats, webhooks
from coaching.queries import preferences

logger = logging.getLogger(__name__)

State = Push.State
TEST = "test"
# What is said to people, in their language; a notice has its own.
TEST_SAYS = gettext_noop("A test: you will be told here.")
SOMETHING = gettext_noop("There is something for you in Lanemate.")
# How long after the event a channel is still told of it, and how long rows are kept.
STILL_NEWS, KEPT = timedelta(days=3), timedelta(days=30)
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(minutes=1), timedelta(hours=6)
# With these pauses between them ten tries take about nine hours.
MOST_TRIES = 10
# So many in a row, and the channel is switched off.
MOST_FAILURES = 20
BATCH = 5
# No sweep is held up for longer by servers that are slow.
WHOLE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one try."""

    push: Push
    arrived: bool
    switched_off: bool = False


def promise_new(*, now: datetime) -> int:
    """A row for every notice that an active channel has not been told of; returns how many."""
    letter = Letter.objects.filter(dedupe_key=OuterRef("dedupe_key")).values("kind")[:1]
    told = Push.objects.filter(notice=OuterRef("pk"), channel=OuterRef("channel"))
    rows = (
        Notice.objects.filter(
            at__gte=now - STILL_NEWS,
            person__channels__active=True,
            person__active=True,
            person__channels__made_at__lte=F("at"),
        )
        .annotate(channel=F("person__channels"), kind=Subquery(letter))
        .filter(~Exists(told))
        .order_by("at", "pk")
        .values_list("pk", "channel", "kind")
    )
    channels = Channel.objects.filter(active=True).select_related("person")
    found = {row.pk: row for row in channels.prefetch_related("person__leaves")}
    pushes = []
    for notice, pk, kind in rows:
        channel, kind = found.get(pk), kind or "notice"
        if channel and kind not in channel.leaves_out:
            moment = leaves_at(channel, kind, now)
            if moment:
                pushes.append(
                    Push(
                        channel=channel, notice_id=notice, kind=kind, created_at=now,
                        next_attempt_at=moment,
                    )
                )  # fmt: skip
    Push.objects.bulk_create(pushes, ignore_conflicts=True, batch_size=500)
    return len(pushes)


def leaves_at(channel: Channel, kind: str, now: datetime) -> datetime | None:
    """A chat keeps to its reader's hours, for it is read by people; a machine is told at once."""
    if channel.kind == Channel.Kind.WEBHOOK:
        return now
    return preferences.moment_for(channel.person, kind, now)


def reap(*, now: datetime) -> int:
    """Put rows back whose worker's lease ran out."""
    return Push.objects.filter(state=State.LEASED, lease_until__lte=now).update(
        state=State.PENDING, lease_token=None, lease_until=None, next_attempt_at=now
    )


def claim(*, now: datetime, limit: int = BATCH) -> list[Push]:
    """Take up to `limit` due rows of channels that are on."""
    token = uuid.uuid4()
    with transaction.atomic():
        due = Push.objects.filter(
            state=State.PENDING, next_attempt_at__lte=now, channel__active=True
        )
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, of=("self",))
        ids = list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:limit])
        Push.objects.filter(pk__in=ids, state=State.PENDING).update(
            state=State.LEASED,
            lease_token=token,
            lease_until=now + timedelta(seconds=settings.LETTER_LEASE_SECONDS),
            attempts=F("attempts") + 1,
        )
    mine = Push.objects.filter(lease_token=token).select_related("channel__person", "notice")
    return list(mine.order_by("next_attempt_at", "pk"))


def deliver_due(*, now: datetime) -> list[Done]:
    """Try what is due, for half a minute at most."""
    done: list[Done] = []
    started = time.monotonic()
    while (spent := time.monotonic() - started) < WHOLE_SECONDS:
        pushes = claim(now=now + timedelta(seconds=spent))
        if not pushes:
            break
        done += [deliver(push, now=now + timedelta(seconds=spent)) for push in pushes]
    return done


def deliver(push: Push, *, now: datetime) -> Done:
    """One try of a claimed row, and its mark."""
    try:
        _send(push, now=now)
    except CoachingError as failure:
        return _failed(push, failure, now=now)
    except Exception as failure:
        logger.exception("Push %s could not be sent", push.public_id)
        return _failed(push, CoachingError(f"It could not be written: {failure}"), now=now)
    _release(push, state=State.SENT, sent_at=now, outcome="")
    Channel.objects.filter(pk=push.channel_id).update(failures=0, last_error="")
    return Done(push, arrived=True)


def _send(push: Push, *, now: datetime) -> None:
    """
    :raises webhooks.BadAddress:
    :raises webhooks.Refusal:
    """
    channel = push.channel
    if channel.kind == Channel.Kind.CHAT:
        chats.say(channel.url, text=line(push))
        return
    body = webhooks.body_of(payload(push))
    headers = webhooks.signed(channel.secret, message_id=message_id(push), body=body, now=now)
    webhooks.post(channel.url, body=body.encode(), headers=headers)


def message_id(push: Push) -> str:
    return f"msg_{push.public_id}"


def payload(push: Push) -> dict:
    """What a webhook receives: what kind, when, where to read it; the words only if wanted."""
    told = push.notice
    data = {
        "id": message_id(push),
        "kind": push.kind,
        "link": f"{settings.SITE_URL}{told.link or '/notices/'}" if told else settings.SITE_URL,
    }
    if told and push.channel.in_words:
        data["text"] = told.text
    at = told.at if told else push.created_at
    return {"type": f"lanemate.{push.kind}", "timestamp": at.isoformat(), "data": data}


def line(push: Push) -> str:
    """The same for people."""
    if push.notice is None:
        return f"{_in_language_of(push, TEST_SAYS)} {settings.SITE_URL}"
    said = push.notice.text if push.channel.in_words else _in_language_of(push, SOMETHING)
    return f"{said} {settings.SITE_URL}{push.notice.link or '/notices/'}"


def _in_language_of(push: Push, words: str) -> str:
    with override(push.channel.person.reading_language):
        return gettext(words)


def _release(push: Push, **changes) -> bool:
    mine = Push.objects.filter(pk=push.pk, lease_token=push.lease_token, state=State.LEASED)
    return mine.update(lease_token=None, lease_until=None, **changes) == 1


def _failed(push: Push, failure: CoachingError, *, now: datetime) -> Done:
    words = failure.message[:300]
    wait = min(FIRST_BACKOFF * 2 ** (push.attempts - 1), LONGEST_BACKOFF)
    again = now + wait * Random(f"{push.public_id}:{push.attempts}").uniform(0.5, 1.0)
    if push.attempts >= MOST_TRIES or push.notice_id is None:
        _release(push, state=State.DEAD, outcome=words)
    else:
        _release(push, state=State.PENDING, next_attempt_at=again, outcome=words)
    # The others of this channel would meet the same.
    Push.objects.filter(
        channel=push.channel_id, state=State.PENDING, next_attempt_at__lt=again
    ).update(next_attempt_at=again)
    mine = Channel.objects.filter(pk=push.channel_id, active=True)
    mine.update(failures=F("failures") + 1, last_error=words)
    gone = getattr(failure, "status", 0) == webhooks.GONE
    off = mine if gone else mine.filter(failures__gte=MOST_FAILURES)
    return Done(push, arrived=False, switched_off=off.update(active=False) == 1)


def forget(*, now: datetime) -> int:
    """Rows that have long been sent or given up."""
    old = Push.objects.filter(state__in=[State.SENT, State.DEAD], created_at__lt=now - KEPT)
    return old.delete()[0]
