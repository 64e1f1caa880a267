from datetime import date, timedelta

from django.db.models import Q, QuerySet

from coaching.models import Person, Reading, Team
from coaching.queries import access


def visible_to(person: Person) -> QuerySet[Person]:
    """Oneself and the people of the teams one manages; everybody for HR. No segments."""
    return subjects_visible_to(person).filter(kind=Person.Kind.PERSON)


def managed_by(person: Person) -> QuerySet[Person]:
    """The people of the teams one manages: whose seats one may change. Everybody for HR."""
    return Person.objects.filter(
        access.managed(person, "team__path"), kind=Person.Kind.PERSON
    ).select_related("team")


def subjects_visible_to(person: Person) -> QuerySet[Person]:
    """Whoever may have readings: the people one sees, and the customer segments of those teams."""
    return Person.objects.filter(Q(pk=person.pk) | access.managed(person, "team__path"))


def of_team(team: Team) -> QuerySet[Person]:
    """The active people of a team and of all teams below it."""
    return Person.objects.filter(
        active=True, kind=Person.Kind.PERSON, team__path__startswith=team.path
    )


def segments_of(team: Team) -> QuerySet[Person]:
    """The customer segments of a team and of all teams below it."""
    return Person.objects.filter(
        active=True, kind=Person.Kind.SEGMENT, team__path__startswith=team.path
    )


def readings_visible_to(person: Person) -> QuerySet[Reading]:
    return Reading.objects.filter(Q(person=person) | access.managed(person, "person__team__path"))


def readings_of(
    reader: Person, subject: Person, *, until: date, weeks: int
) -> dict[int, list[Reading]]:
    """
    Somebody's readings by metric, oldest first: the newest `weeks` weeks up to `until`, as far
    as the reader may see them.
    """
    rows = readings_visible_to(reader).filter(
        person=subject, period__gt=until - timedelta(weeks=weeks), period__lte=until
    )
    found: dict[int, list[Reading]] = {}
    for row in rows.order_by("period"):
        found.setdefault(row.metric_id, []).append(row)
    return found


def chain_above(person: Person) -> list[Person]:
    """The managers of a person's team and of every team above, nearest first, without repeats."""
    chain: list[Person] = []
    team = person.team
    while team is not None:
        manager = team.manager
        if manager and manager.pk != person.pk and manager.active and manager not in chain:
            chain.append(manager)
        team = team.parent
    return chain


def named(text: str, *paths: str) -> Q:
    """
    Rows in which one of the names at these paths contains the text.

    SQLite folds only ASCII: a name with an accent is also looked for as names are written.
    """
    found = Q()
    for variant in {text, text.lower(), text.title(), text.upper()}:
        for path in paths:
            found |= Q(**{f"{path}__icontains": variant})
    return found
