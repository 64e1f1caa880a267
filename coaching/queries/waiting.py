"""Who waits for a coach, and who decides about it."""

from django.db.models import QuerySet

from coaching.models import Cohort, Person, Team, Waiting
from coaching.queries import access


def visible_to(person: Person) -> QuerySet[Waiting]:
    """Everybody who waits, or has waited, in the cohorts of teams one manages."""
    return Waiting.objects.filter(access.managed(person, "cohort__team__path")).select_related(
        "cohort__team", "learner__team", "metric", "after__coach"
    )


def proposed_to(person: Person) -> QuerySet[Waiting]:
    """Who waits with a coach proposed, for those who may say yes; the longest first."""
    return (
        visible_to(person)
        .filter(settled_at=None, proposal__isnull=False)
        .exclude(learner=person)
        .order_by("proposed_at", "pk")
    )


def open_in(cohort: Cohort) -> QuerySet[Waiting]:
    """Who waits now, in the order in which they get a seat."""
    return (
        cohort.waiting.filter(settled_at=None)
        .select_related("learner__team", "metric", "after__coach", "after__metric")
        .order_by("place", "pk")
    )


def of(person: Person) -> QuerySet[Waiting]:
    """Where somebody is being found another coach; who never had one is not kept in suspense."""
    return Waiting.objects.filter(
        learner=person, settled_at=None, after__isnull=False
    ).select_related("metric", "cohort")


def deciders(cohort: Cohort) -> list[Person]:
    """
    Who is asked about a cohort: the nearest manager of its team, and whoever made it as long as
    they still look after it.
    """
    nearest = next(_managers(cohort.team), None)
    asked = [] if nearest is None else [nearest]
    maker = cohort.created_by
    if maker and maker.active and maker not in asked:
        still = Cohort.objects.filter(access.managed(maker, "team__path"), pk=cohort.pk)
        if still.exists():
            asked.append(maker)
    return asked


def _managers(team: Team | None):
    while team is not None:
        if team.manager and team.manager.active:
            yield team.manager
        team = team.parent
