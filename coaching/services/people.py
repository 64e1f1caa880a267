from datetime import datetime

from django.db import transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import HandRaise, Metric, Person
from coaching.models.base import folded
from coaching.services import audit


def person_for(user) -> Person | None:
    """
    The person who signs in as `user`; None when nobody is linked to the login.

    Who set up the server (a superuser) becomes a person at the first sight, so
    that a new installation can be used at once.
    """
    person = Person.objects.filter(user=user).select_related("team").first()
    if person is None and user.is_superuser:
        person, _ = Person.objects.get_or_create(
            key_folded=folded(user.get_username()),
            defaults={
                "key": user.get_username(),
                "name": user.get_full_name() or user.get_username(),
                "email": user.email,
                "access": Person.Access.HR,
            },
        )
        if person.user_id not in (None, user.pk) or person.kind != Person.Kind.PERSON:
            return None
        person.user = user
        person.save(update_fields=["user"])
    return person if person and person.active else None


@transaction.atomic
def raise_hand(*, person: Person, metric: Metric, note: str, now: datetime) -> HandRaise:
    """Ask for a coach; asking again only changes the note."""
    hand, _ = HandRaise.objects.update_or_create(
        person=person,
        metric=metric,
        lowered_at=None,
        defaults={"note": note},
        create_defaults={"note": note, "raised_at": now},
    )
    audit.record("hand raised", person, by=person, now=now, team=person.team, metric=metric.key)
    return hand


@transaction.atomic
def lower_hand(*, hand: HandRaise, by: Person, now: datetime) -> None:
    """:raises CoachingError: when the hand is down already"""
    raised = HandRaise.objects.filter(pk=hand.pk, lowered_at=None)
    if raised.update(lowered_at=now) != 1:
        raise CoachingError(said("This hand is not raised any more."))
    audit.record(
        "hand lowered", hand.person, by=by, now=now, team=hand.person.team, metric=hand.metric.key
    )
