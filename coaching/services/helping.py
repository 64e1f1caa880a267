"""Graduates stand by those who still swim, because they said they would and somebody asked."""

from datetime import datetime

from django.db import IntegrityError, transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Helper, Letter, Pair, Person
from coaching.notifications import messages, outbox
from coaching.queries import helping as helping_queries
from coaching.services import audit


class NotPassed(CoachingError):
    message = said("Only somebody who has reached the target can offer this.")


class NotYours(CoachingError):
    message = said("Only the learner can say whether they would help others.")


class NotSwimming(CoachingError):
    message = said("This pair is not active any more; there is nobody to help.")


class CannotHelp(CoachingError):
    pass


class SteppedBack(CoachingError):
    message = said("They do not help here any more.")


@transaction.atomic
def offer(*, pair: Pair, by: Person, now: datetime, willing: bool) -> None:
    """
    The learner of a passed pair says whether they would help others; they may change their mind.

    :raises NotYours, NotPassed:
    """
    if by.pk != pair.learner_id:
        raise NotYours
    if Pair.objects.filter(pk=pair.pk, state=Pair.State.PASSED).update(would_help=willing) != 1:
        raise NotPassed
    pair.would_help = willing
    audit.record(
        "would help others" if willing else "would not help others",
        pair, by=by, now=now, team=pair.learner.team,
    )  # fmt: skip


@transaction.atomic
def invite(*, pair: Pair, person: Person, by: Person, now: datetime) -> Helper:
    """
    Ask a graduate to stand by a pair that still swims: they see what the coach sees until it
    ends, and both of the pair are told. Asking twice is asking once.

    :raises NotSwimming, CannotHelp:
    """
    # Locked until the end: a pair that passes in this moment was first, or waits.
    swims = Pair.objects.active().select_for_update().filter(pk=pair.pk)
    if swims.first() is None:
        raise NotSwimming
    known = Helper.objects.filter(pair=pair, person=person, until=None).first()
    if known is not None:
        return known
    if not helping_queries.graduates_for(pair).filter(pk=person.pk).exists():
        raise CannotHelp(
            said(
                "%(name)s has not reached a target in %(metric)s, or has not said that they "
                "would help.",
                name=person.name,
                metric=pair.metric.name,
            )
        )
    try:
        with transaction.atomic():
            helper = Helper.objects.create(pair=pair, person=person, asked_by=by, since=now)
    except IntegrityError:
        return Helper.objects.get(pair=pair, person=person, until=None)
    outbox.promise([messages.helper(helper)], now=now)
    outbox.tell(
        [
            messages.notice_of(
                reader,
                said(
                    "%(name)s has been there, and helps the two of you from now on.",
                    name=person.name,
                ),
                link=messages.pair_link(pair),
                key=f"aid:{pair.public_id}:{person.public_id}:{reader.public_id}:{helper.pk}",
            )
            for reader in (pair.learner, pair.coach)
        ],
        now=now,
    )
    audit.record(
        "helper asked", pair, by=by, now=now, team=pair.learner.team, helper=person.public_id
    )
    return helper


@transaction.atomic
def stop(*, helper: Helper, by: Person, now: datetime) -> None:
    """
    A helper steps back, or is not needed any more; nobody has to say why.

    :raises SteppedBack:
    """
    if Helper.objects.filter(pk=helper.pk, until=None).update(until=now) != 1:
        raise SteppedBack
    pair = helper.pair
    outbox.withdraw(
        pair.letters.filter(kind=Letter.Kind.HELPER, recipient=helper.person),
        why="They do not help here any more.",
    )
    audit.record(
        "helper stepped back", pair, by=by, now=now, team=pair.learner.team,
        helper=helper.person.public_id,
    )  # fmt: skip
