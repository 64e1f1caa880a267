from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from coaching.models import Case, Cohort, DraftPair, Event, Member, Pair, Person, Plan, Unpaired
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


def members_of(cohort: Cohort) -> QuerySet[Member]:
    return cohort.members.select_related("person__team", "metric").order_by("person__name", "pk")


def with_open_case(pairs: QuerySet[Pair]) -> QuerySet[Pair]:
    """Each pair with `case_open`: whether somebody has to decide about it."""
    return pairs.annotate(
        case_open=Exists(Case.objects.filter(pair=OuterRef("pk"), decided_at=None))
    )


def draft_pairs_of(plan: Plan) -> QuerySet[DraftPair]:
    return plan.draft_pairs.select_related("learner__team", "coach__team", "metric", "runner_up")


def unpaired_of(plan: Plan) -> QuerySet[Unpaired]:
    return plan.unpaired.select_related("learner__team").order_by("learner__name", "pk")


def seats_taken(coaches: list[Person]) -> dict[int, int]:
    """Seats that active pairs hold already, by coach."""
    rows = (
        Pair.objects.active()
        .filter(coach__in=coaches)
        .order_by()
        .values_list("coach")
        .annotate(taken=Count("pk"))
    )
    return dict(rows)


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
