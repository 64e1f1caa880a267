"""Letters that did not arrive, as those see it who look after the people they were for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from coaching.models import Bounce, Letter, Person
from coaching.queries import letters, people

RECENTLY = timedelta(days=30)
FAILED = (Letter.State.DEAD, Letter.State.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Unreached:
    """Somebody whose letters fail; `refused`: their address gets none any more."""

    person: Person
    letters: int
    last_at: datetime | None
    refused: bool


def visible_to(person: Person, *, now: datetime) -> QuerySet[Letter]:
    """Letters one may see that were given up or perhaps sent in the last weeks, newest first."""
    return (
        letters.visible_to(person)
        .filter(state__in=FAILED, next_attempt_at__gte=now - RECENTLY)
        .order_by("-next_attempt_at", "-pk")
    )


def unreached(reader: Person, *, now: datetime) -> list[Unreached]:
    """
    Everybody whose letters fail, as far as the reader may know: refused addresses first, then
    who misses most; three queries for any number of letters.
    """
    counts = {
        pk: (number, last)
        for pk, number, last in visible_to(reader, now=now)
        .order_by()
        .values_list("recipient")
        .annotate(Count("pk", distinct=True), Max("next_attempt_at"))
    }
    refused = set(refused_among(people.visible_to(reader)).values_list("pk", flat=True))
    rows = Person.objects.filter(Q(pk__in=counts) | Q(pk__in=refused), active=True)
    found = [
        Unreached(row, *counts.get(row.pk, (0, None)), row.pk in refused)
        for row in rows.select_related("team")
    ]
    return sorted(found, key=lambda one: (not one.refused, -one.letters, one.person.name))


def refused_among(rows: QuerySet[Person]) -> QuerySet[Person]:
    """Those of these people whose address was refused twice, so that nothing is sent there."""
    addresses = Bounce.objects.filter(suppressed_at__isnull=False).values("email")
    return (
        rows.exclude(email="").alias(address=Lower("email")).filter(address__in=Subquery(addresses))
    )
