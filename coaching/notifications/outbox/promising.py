"""Letters and their twins inside Lanemate are stored with the event they tell of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from coaching.models import Letter, Notice
from coaching.queries import preferences


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
        message.letter.created_at = now
        message.letter.next_attempt_at = leaves_at(message.letter, now=now)
        letters.append(message.letter)
        if message.notice:
            notices.append(message.notice)
    Letter.objects.bulk_create(letters, ignore_conflicts=True, batch_size=500)
    tell(notices, now=now)


def leaves_at(letter: Letter, *, now: datetime) -> datetime:
    """When a letter that is promised now leaves: at a time of its own, or in its reader's hours."""
    if letter.next_attempt_at:
        return letter.next_attempt_at
    # Who has no hours is told so when it comes to sending.
    return preferences.usual_moment(letter.recipient, letter.kind, now) or now


def tell(notices: Iterable[Notice], *, now: datetime) -> None:
    """Say something inside Lanemate, in the caller's transaction; known keys are passed over."""
    notices = list(notices)
    for notice in notices:
        notice.at = now
    Notice.objects.bulk_create(notices, ignore_conflicts=True, batch_size=500)


def withdraw(letters, *, why: str) -> int:
    """Cancel those of a queryset of letters that nobody has claimed yet."""
    return letters.filter(state=Letter.State.PENDING).update(
        state=Letter.State.CANCELLED, outcome=why
    )
