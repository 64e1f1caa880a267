from django.db.models import Count, Max, Q, QuerySet

from coaching.models import Case, Cohort, Event, Pair, Person, Plan
from coaching.queries import access


def visible_to(person: Person) -> QuerySet[Cohort]:
    return Cohort.objects.filter(access.managed(person, "team__path")).select_related(
        "team", "ranking__scorecard", "created_by"
    )


def with_counts(cohorts: QuerySet[Cohort]) -> QuerySet[Cohort]:
    """Each cohort with its pairs counted by state: one query for any number of cohorts."""
    counts = {
        f"{state}_count": Count("pairs", filter=Q(pairs__state=state)) for state in Pair.State
    }
    return cohorts.annotate(
        pair_count=Count("pairs"), last_passed_at=Max("pairs__passed_at"), **counts
    )


def plans_visible_to(person: Person) -> QuerySet[Plan]:
    return Plan.objects.filter(access.managed(person, "cohort__team__path")).select_related(
        "cohort__team", "cohort__ranking__scorecard"
    )


def cases_visible_to(person: Person) -> QuerySet[Case]:
    return Case.objects.filter(access.managed(person, "pair__learner__team__path")).select_related(
        "pair__learner__team", "pair__coach", "pair__metric", "pair__cohort", "decided_by"
    )


def events_visible_to(person: Person) -> QuerySet[Event]:
    return Event.objects.filter(access.managed(person, "team__path")).select_related("actor")
