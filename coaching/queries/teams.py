from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from coaching.models import Leave, Pair, Person, Team
from coaching.queries import access, pairs, people

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


def overview(person: Person, *, today: date) -> QuerySet[Team]:
    """
    The teams one manages, each with `size`, its `seats`, how many of them are `taken`, how many
    people are `away` today and how many `swim` as learners; one query for any number of teams.
    """
    here = Person.objects.filter(team=OuterRef("pk"), active=True, kind=Person.Kind.PERSON)
    active = Q(state__in=Pair.ACTIVE)
    taken = Pair.objects.filter(active, coach__team=OuterRef("pk"), coach__active=True)
    swim = Pair.objects.filter(active, learner__team=OuterRef("pk"))
    away = Leave.objects.filter(
        Q(last_day=None) | Q(last_day__gte=today),
        person__team=OuterRef("pk"),
        person__active=True,
        first_day__lte=today,
    )

    def number(rows: QuerySet, what: str, aggregate) -> Coalesce:
        grouped = rows.order_by().values(what).annotate(number=aggregate).values("number")
        return Coalesce(Subquery(grouped, output_field=IntegerField()), 0)

    return with_counts(person).annotate(
        seats=number(here, "team", Sum("capacity")),
        taken=number(taken, "coach__team", Count("pk")),
        swim=number(swim, "learner__team", Count("pk")),
        away=number(away, "person__team", Count("person", distinct=True)),
    )


@dataclass(slots=True)
class Seat:
    """
    Somebody of a team: how many learners they have and could have, when they are away, and the
    running pairs of theirs that the reader sees.
    """

    person: Person
    taken: int
    leaves: list[Leave] = field(default_factory=list)
    coaching: list[Pair] = field(default_factory=list)
    learning: list[Pair] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the seats, in per cent; more pairs than seats fill them."""
        return min(100 * self.taken / max(self.person.capacity, 1), 100)

    @property
    def unseen(self) -> int:
        """Learners whose pairs are not the reader's to see; they hold a seat all the same."""
        return self.taken - len(self.coaching)


def seats_of(rows: list[Person], reader: Person, *, today: date) -> list[Seat]:
    """Three queries for any number of people."""
    taken = dict(
        Pair.objects.active()
        .filter(coach__in=rows)
        .order_by()
        .values_list("coach")
        .annotate(Count("pk"))
    )
    found = {row.pk: Seat(row, taken.get(row.pk, 0)) for row in rows}
    coming = Q(last_day=None) | Q(last_day__gte=today)
    for leave in Leave.objects.filter(coming, person__in=rows).order_by("first_day", "pk"):
        found[leave.person_id].leaves.append(leave)
    seen = pairs.visible_to(reader).active().filter(Q(coach__in=rows) | Q(learner__in=rows))
    for pair in seen.order_by("learner__name", "pk"):
        if pair.coach_id in found:
            found[pair.coach_id].coaching.append(pair)
        if pair.learner_id in found:
            found[pair.learner_id].learning.append(pair)
    return list(found.values())


def people_of(team: Team, reader: Person, *, below: bool) -> QuerySet[Person]:
    """The active people of a team, and of the teams below it if asked, by name."""
    seen = people.visible_to(reader).filter(active=True)
    seen = seen.filter(team__path__startswith=team.path) if below else seen.filter(team=team)
    return seen.select_related("team").order_by("name", "pk")
