from datetime import date

from django.db.models import Max, Prefetch, Q, QuerySet

from coaching.models import Look, Pair, Person
from coaching.queries import access


def visible_to(person: Person) -> QuerySet[Pair]:
    """
    The pairs one is half of, and the pairs of learners in teams one manages.

    The coach's manager does not see them: that X coaches Y says something about Y.
    """
    return Pair.objects.filter(
        Q(learner=person) | Q(coach=person) | access.managed(person, "learner__team__path")
    ).select_related("learner__team", "coach__team", "metric", "cohort")


def with_progress(pairs: QuerySet[Pair]) -> QuerySet[Pair]:
    """Pairs with their looks and last session, in a fixed number of queries."""
    return pairs.annotate(last_session=Max("sessions__held_on")).prefetch_related(
        Prefetch("looks", queryset=Look.objects.order_by("week"))
    )


def mine(person: Person) -> QuerySet[Pair]:
    """The pairs a person is half of, those still swimming first."""
    return with_progress(
        Pair.objects.filter(Q(learner=person) | Q(coach=person)).select_related(
            "learner__team", "coach__team", "metric", "cohort"
        )
    ).order_by("ended_at", "passed_at", "pk")


def next_step(pair: Pair, reader: Person, *, today: date) -> str:
    """The one thing to do next, in a sentence."""
    partner = pair.partner_of(reader).first_name
    if pair.state == Pair.State.PASSED:
        return f"Done. Thank {partner}, and keep it up."
    if not pair.is_active:
        return "Nothing: this pair has ended."
    if pair.last_session is None:
        return f"Agree on a first session with {partner}."
    days = (today - pair.last_session).days
    if days >= 7:
        return f"Your last session was {days} days ago: agree on the next one with {partner}."
    return f"Try what you agreed with {partner}, and note how it went."
