"""Stuck pairs before those who decide: who sees them, who is asked, what is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from coaching.domain import triage
from coaching.models import Case, Clinic, Pair, Person
from coaching.queries import access, helping, leaves, pairs, people


def visible_to(person: Person) -> QuerySet[Case]:
    """Cases of the teams one manages; nobody decides about a pair they are half of."""
    return (
        Case.objects.filter(access.managed(person, "pair__learner__team__path"))
        .exclude(Q(pair__learner=person) | Q(pair__coach=person))
        .select_related(
            "pair__learner__team", "pair__coach__team", "pair__metric", "pair__cohort", "decided_by"
        )
    )


def to_decide(person: Person) -> QuerySet[Case]:
    """Open cases, those that wait longest at the highest level first."""
    return visible_to(person).filter(decided_at=None).order_by("-level", "opened_at", "pk")


def passes_to_review(person: Person) -> QuerySet[Pair]:
    """Passes of the teams one manages whose readings were corrected, oldest first."""
    return (
        pairs.visible_to(person)
        .filter(access.managed(person, "learner__team__path"), review_since__isnull=False)
        .exclude(Q(learner=person) | Q(coach=person))
        .order_by("review_since", "pk")
    )


def deciders_of(pair: Pair, *, now: datetime) -> list[Person]:
    """
    Who decides about a pair, nearest first: the managers above the learner, then all of HR.

    Nobody who is half of it, and nobody who is away today; HR in the order of their names.
    """
    halves = {pair.learner_id, pair.coach_id}
    chain = [person for person in people.chain_above(pair.learner) if person.pk not in halves]
    if chain:
        away = leaves.away_on(chain, now.date())
        chain = [person for person in chain if person.pk not in away]
    known = {person.pk for person in chain}
    return [*chain, *(person for person in hr() if person.pk not in halves | known)]


def hr() -> list[Person]:
    return list(Person.objects.filter(access=Person.Access.HR, active=True).order_by("name", "pk"))


def answers_by(decider: Person, *, now: datetime) -> datetime:
    """Until when somebody who is asked now has time to answer: three of their working days."""
    return triage.deadline(
        now,
        decider.zone,
        working_days=decider.working_days,
        day_ends=decider.day_ends,
        away=leaves.spans(decider),
    )


@dataclass(frozen=True, slots=True)
class Free:
    """Somebody who could help, with the load they have."""

    person: Person
    seats: int
    busy: int
    helps: int


def could_help(reader: Person, pair: Pair) -> list[Free]:
    """
    Graduates of the pair's skill who would help, as far as the reader may know of them, with
    what they carry already: the least busy first.
    """
    graduates = helping.graduates_seen_by(reader, pair)
    swims = Q(pairs_as_coach__state__in=Pair.ACTIVE)
    helps = Q(helps__until=None, helps__isnull=False)
    rows = (
        Person.objects.filter(pk__in=[person.pk for person in graduates])
        .annotate(
            busy=Count("pairs_as_coach", filter=swims, distinct=True),
            helping=Count("helps", filter=helps, distinct=True),
        )
        .select_related("team")
    )
    found = [Free(row, row.capacity, row.busy, row.helping) for row in rows]
    return sorted(found, key=lambda one: (one.busy + one.helps, one.person.name, one.person.pk))


def clinics_ahead(pair: Pair, *, now: datetime) -> QuerySet[Clinic]:
    """Clinics of the pair's cohort and skill that are still to come."""
    return (
        Clinic.objects.filter(
            cohort=pair.cohort_id, metric=pair.metric_id, starts_at__gt=now, withdrawn_at=None
        )
        .select_related("led_by")
        .prefetch_related("pairs__learner")
    )


def clinics_visible_to(person: Person) -> QuerySet[Clinic]:
    """The clinics of cohorts one manages."""
    return Clinic.objects.filter(access.managed(person, "cohort__team__path")).select_related(
        "cohort__team", "metric", "led_by"
    )


def could_join(pair: Pair) -> Sequence[Pair]:
    """Other pairs of the cohort that work on the same skill."""
    return (
        Pair.objects.active()
        .filter(cohort=pair.cohort_id, metric=pair.metric_id)
        .exclude(pk=pair.pk)
        .select_related("learner", "coach")
        .order_by("learner__name", "pk")
    )
