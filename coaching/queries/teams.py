from django.db.models import Count, Q, QuerySet

from coaching.models import Person, Team
from coaching.queries import access

# The active people of a team; its customer segments are not counted.
SIZE = Count("people", filter=Q(people__active=True, people__kind=Person.Kind.PERSON))


def visible_to(person: Person) -> QuerySet[Team]:
    """The teams a person manages, all below them, and their own."""
    return Team.objects.filter(access.managed(person, "path") | Q(pk=person.team_id))


def managed_by(person: Person) -> QuerySet[Team]:
    """The teams in which a person may rank, plan and launch."""
    return Team.objects.filter(access.managed(person, "path"))


def with_counts(person: Person) -> QuerySet[Team]:
    return (
        managed_by(person).select_related("manager", "parent").annotate(size=SIZE).order_by("path")
    )
