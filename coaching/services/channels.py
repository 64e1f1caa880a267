"""Where else somebody is told what their notices say: webhooks and chats, all their own."""

import base64
import secrets
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Channel, Letter, Person, Push
from coaching.notifications import channels as queue
from coaching.notifications import chats, messages, webhooks
from coaching.services import audit

MOST_CHANNELS = 5


class TooMany(CoachingError):
    message = said("You have %(most)s of them already; remove one first.", most=MOST_CHANNELS)


class NothingFailed(CoachingError):
    message = said("Nothing has failed lately.")


class StillOff(CoachingError):
    message = said("It is switched off; switch it on again first.")


def chat_ready() -> bool:
    return chats.is_ready()


@transaction.atomic
def add(*, person: Person, kind: str, url: str, now: datetime) -> Channel:
    """
    A new channel; for a webhook `secret` signs what it gets.

    :raises TooMany:
    :raises webhooks.BadAddress: in words, when nothing is sent to such an address
    """
    # Looked at now for the sake of whoever types it, and again before each time it is used.
    if kind == Channel.Kind.CHAT:
        chats.check(url)
    else:
        webhooks.resolve(url)
    if Channel.objects.filter(person=person).count() >= MOST_CHANNELS:
        raise TooMany
    channel = Channel.objects.create(
        person=person,
        kind=kind,
        url=url,
        secret=new_secret() if kind == Channel.Kind.WEBHOOK else "",
        made_at=now,
    )
    audit.record("channel added", channel, by=person, now=now, team=person.team, kind=kind)
    return channel


def new_secret() -> str:
    """As receivers' libraries want it: the prefix, and 24 bytes in base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


@transaction.atomic
def choose(*, channel: Channel, leaves_out: Collection[str], in_words: bool) -> None:
    """Which kinds a channel is not told of, and whether it hears names."""
    channel.leaves_out = sorted(set(leaves_out) & set(Letter.Kind.values))
    channel.in_words = in_words
    channel.save(update_fields=["leaves_out", "in_words"])


@transaction.atomic
def remove(*, channel: Channel, by: Person, now: datetime) -> None:
    audit.record(
        "channel removed", channel, by=by, now=now, team=channel.person.team, kind=channel.kind
    )
    channel.delete()


@transaction.atomic
def test(*, channel: Channel, by: Person, now: datetime) -> Push:
    """
    Put a test into the queue, which tells of nothing.

    :raises StillOff:
    """
    if not channel.active:
        raise StillOff
    return Push.objects.create(
        channel=channel, kind=queue.TEST, created_at=now, next_attempt_at=now
    )


@transaction.atomic
def replay(*, channel: Channel, by: Person, now: datetime) -> int:
    """
    Send what was given up once more, under its old ids; returns how many.

    :raises StillOff:
    :raises NothingFailed:
    """
    if not channel.active:
        raise StillOff
    failed = channel.pushes.filter(state=Push.State.DEAD, notice__isnull=False)
    again = failed.update(state=Push.State.PENDING, attempts=0, next_attempt_at=now, outcome="")
    if not again:
        raise NothingFailed
    return again


@transaction.atomic
def switch_on(*, channel: Channel, by: Person, now: datetime) -> None:
    """On again; what waits is tried at once."""
    Channel.objects.filter(pk=channel.pk).update(active=True, failures=0, last_error="")
    waiting = channel.pushes.filter(state=Push.State.PENDING)
    waiting.update(next_attempt_at=now)
    audit.record("channel switched on", channel, by=by, now=now, team=channel.person.team)


def deliver_due(*, now: datetime) -> dict[str, int]:
    """
    Tell the channels what has happened since; counts by what became of it.

    A tick without any channel costs one query.
    """
    if not Channel.objects.filter(active=True).exists():
        return {}
    queue.forget(now=now)
    queue.reap(now=now)
    queue.promise_new(now=now)
    done = queue.deliver_due(now=now)
    for row in done:
        if row.switched_off:
            _tell_switched_off(row.push.channel, now=now)
    arrived = sum(row.arrived for row in done)
    return {"arrived": arrived, "failed": len(done) - arrived} if done else {}


def _tell_switched_off(channel: Channel, *, now: datetime) -> None:
    text = {
        Channel.Kind.WEBHOOK: said(
            "Your webhook has been switched off: it could not be reached again and again."
        ),
        Channel.Kind.CHAT: said(
            "Your chat has been switched off: it could not be reached again and again."
        ),
    }[Channel.Kind(channel.kind)]
    key = f"off:{channel.public_id}:{now.isoformat()}"
    notice = messages.notice_of(channel.person, text, link="/preferences/", key=key)
    notice.at = now
    notice.save()
