"""A learner thanks the coach in a sentence, during the pair or long after."""

from datetime import datetime

from django.db import transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Pair, Person, Thanks
from coaching.notifications import messages, outbox
from coaching.services import audit

LONGEST = Thanks._meta.get_field("text").max_length
LINK = "/me/coaching/#thanks"


class NotTheLearner(CoachingError):
    message = said("Only the learner of a pair thanks its coach here.")


class NothingSaid(CoachingError):
    message = said("Say it in a sentence of up to %(longest)s characters.", longest=LONGEST)


class SaidToday(CoachingError):
    message = said("You have said thank you today already. It was heard.")


@transaction.atomic
def say(*, pair: Pair, text: str, by: Person, now: datetime) -> Thanks:
    """
    Thank the coach of a pair: once a day, whether the pair swims, has passed or has ended.

    The coach is told the words. The audit trail, and so managers, learn only that it was said.

    :raises NotTheLearner, NothingSaid, SaidToday:
    """
    if by.pk != pair.learner_id:
        raise NotTheLearner
    text = " ".join(text.split())
    if not text or len(text) > LONGEST:
        raise NothingSaid
    thanks, new = Thanks.objects.get_or_create(
        pair=pair, day=now.astimezone(by.zone).date(), defaults={"text": text, "at": now}
    )
    if not new:
        raise SaidToday
    if pair.coach.active:
        notice = messages.notice_of(
            pair.coach,
            said("%(name)s thanks you: “%(words)s”", name=by.name, words=text),
            link=LINK,
            key=f"thanks:{pair.public_id}:{thanks.day:%Y-%m-%d}",
        )
        outbox.tell([notice], now=now)
    audit.record("coach thanked", pair, by=by, now=now, team=pair.learner.team)
    return thanks
