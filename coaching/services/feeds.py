"""A personal calendar feed: made, renewed and ended by the person alone."""

import secrets
from datetime import datetime

from django.db import transaction

from coaching.models import Person
from coaching.services import audit


@transaction.atomic
def renew(*, person: Person, now: datetime) -> None:
    """Make a link to one's sessions; the one before, if there was one, opens nothing any more."""
    person.calendar_key = secrets.token_urlsafe(24)
    person.save(update_fields=["calendar_key"])
    audit.record("calendar link made", person, by=person, now=now, team=person.team)


@transaction.atomic
def end(*, person: Person, now: datetime) -> None:
    """Take the link back; without one nothing happens."""
    if Person.objects.filter(pk=person.pk).exclude(calendar_key="").update(calendar_key=""):
        person.calendar_key = ""
        audit.record("calendar link ended", person, by=person, now=now, team=person.team)
