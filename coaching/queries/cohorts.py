from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from coaching.models import (
    Case,
    Cohort,
    DraftPair,
    Member,
    Pair,
    Person,
    Plan,
    Unpaired,
    Waiting,
)
from coaching.queries import access, cases


def visible_to(person: Person) -> QuerySet[Cohort]:
    return Cohort.objects.filter(access.managed(person, "team__path")).select_related(
        "team", "ranking__scorecard", "created_by"
    )


def with_counts(cohorts: QuerySet[Cohort]) -> QuerySet[Cohort]:
    """
    Each cohort with its ways to a target counted by state, and with those that wait for a coach:
    one query for any number of cohorts.

    A learner who goes on with another coach is counted once, and nobody whose launch was taken
    back. `pair_count` is all of them, whoever waits among them.
    """
    active = Q(pairs__state__in=Pair.ACTIVE)
    followed = Pair.objects.filter(follows=OuterRef("pairs__pk"))
    in_line = Waiting.objects.filter(after=OuterRef("pairs__pk"), settled_at=None)
    last = ~Q(pairs__ending=Pair.Ending.UNDONE) & ~Exists(followed) & ~Exists(in_line)
    waiting = (
        Waiting.objects.filter(cohort=OuterRef("pk"), settled_at=None)
        .order_by()
        .values("cohort")
        .annotate(number=Count("pk"))
        .values("number")
    )
    counts = {
        f"{state}_count": Count(
            "pairs", filter=Q(pairs__state=state) & (Q() if state in Pair.ACTIVE else last)
        )
        for state in Pair.State
    }
    return cohorts.annotate(
        waiting_count=Coalesce(Subquery(waiting), 0),
        pair_count=Count("pairs", filter=active | last) + Coalesce(Subquery(waiting), 0),
        last_passed_at=Max("pairs__passed_at"),
        **counts,
    )


def drafts(cohorts: QuerySet[Cohort]) -> QuerySet[Cohort]:
    """Those that are being planned, with their plans and whether each side has somebody."""
    taking_part = Member.objects.filter(cohort=OuterRef("pk"), left_out=False)
    return (
        cohorts.filter(state=Cohort.State.DRAFT)
        .annotate(
            has_learners=Exists(taking_part.filter(side=Member.Side.LEARNER)),
            has_coaches=Exists(taking_part.filter(side=Member.Side.COACH)),
        )
        .prefetch_related("plans")
    )


def members_of(cohort: Cohort) -> QuerySet[Member]:
    return cohort.members.select_related("person__team", "metric").order_by("person__name", "pk")


def last_ones(pairs: QuerySet[Pair]) -> QuerySet[Pair]:
    """Without pairs whose learner goes on with another coach, or waits for one."""
    followed = Pair.objects.filter(follows=OuterRef("pk"))
    in_line = Waiting.objects.filter(after=OuterRef("pk"), settled_at=None)
    return pairs.counted().filter(~Exists(followed), ~Exists(in_line))


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
    return cases.visible_to(person)
