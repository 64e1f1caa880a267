"""Graduates who would help, and those who do."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from coaching.models import Cohort, Helper, Metric, Pair, Person
from coaching.queries import access, pairs

MOST_GRADUATES = 20


def visible_to(person: Person) -> QuerySet[Helper]:
    """Whom one sees at work as a helper: in the pairs that one sees."""
    return Helper.objects.filter(
        pair__in=pairs.visible_to(person).order_by().values("pk")
    ).select_related("person", "pair__learner", "pair__coach", "pair__metric", "asked_by")


def helpers_of(pair: Pair) -> list[Helper]:
    """Who helps a pair now."""
    return list(pair.helpers.filter(until=None).select_related("person__team").order_by("pk"))


def helped_by(person: Person) -> QuerySet[Pair]:
    """The pairs somebody helps now."""
    helping = Helper.objects.filter(person=person, until=None).values("pair")
    rows = Pair.objects.active().filter(pk__in=helping)
    return pairs.with_progress(
        rows.select_related("learner__team", "coach__team", "metric", "cohort")
    ).order_by("pk")


def graduates_for(pair: Pair) -> QuerySet[Person]:
    """
    Who has reached a target in this pair's metric and would help others: not of the pair
    itself, and not helping it already.
    """
    passed = Pair.objects.filter(
        learner=OuterRef("pk"),
        metric=pair.metric_id,
        state=Pair.State.PASSED,
        would_help=True,
    )
    helping = Helper.objects.filter(person=OuterRef("pk"), pair=pair, until=None)
    return (
        Person.objects.filter(Exists(passed), ~Exists(helping), active=True)
        .exclude(pk__in=[pair.learner_id, pair.coach_id])
        .select_related("team")
        .order_by("name", "pk")
    )


def graduates_seen_by(reader: Person, pair: Pair) -> list[Person]:
    """As `graduates_for`, and only those whose pass the reader may know of."""
    seen = access.managed(reader, "team__path") | Q(
        pk__in=pairs.visible_to(reader).order_by().values("learner")
    )
    return list(graduates_for(pair).filter(seen)[:50])


@dataclass(frozen=True, slots=True)
class Graduate:
    """Somebody who would help, and the pairs of a cohort that still swim in their skill."""

    person: Person
    metric: Metric
    pairs: list[Pair]


def graduates_in(reader: Person, cohort: Cohort) -> list[Graduate]:
    """Who would help in a cohort, as far as the reader may know; a fixed number of queries."""
    seen = pairs.visible_to(reader)
    passed = list(
        seen.filter(state=Pair.State.PASSED, would_help=True, learner__active=True)
        .filter(metric__in=Pair.objects.active().filter(cohort=cohort).values("metric"))
        .order_by("learner__name", "pk")[:MOST_GRADUATES]
    )
    if not passed:
        return []
    metrics = {pair.metric_id for pair in passed}
    swimming = list(
        seen.active()
        .filter(cohort=cohort, metric__in=metrics)
        .prefetch_related(Prefetch("helpers", queryset=Helper.objects.filter(until=None)))
        .order_by("learner__name", "pk")
    )
    found = {}
    for one in passed:
        open_ = [
            pair
            for pair in swimming
            if pair.metric_id == one.metric_id
            and one.learner_id not in (pair.learner_id, pair.coach_id)
            and all(helper.person_id != one.learner_id for helper in pair.helpers.all())
        ]
        if open_:
            found.setdefault(
                (one.learner_id, one.metric_id), Graduate(one.learner, one.metric, open_)
            )
    return list(found.values())
