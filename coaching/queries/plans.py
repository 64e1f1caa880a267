"""What is told about a plan besides its pairs: steps, and what deserves a second look."""

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet

from coaching.domain.said import said
from coaching.models import DraftPair, Member, Pair, Person, Plan, PlanStep


def steps_of(plan: Plan) -> QuerySet[PlanStep]:
    return plan.steps.select_related("by").defer("wishes").order_by("number")


def drafts_of(plan: Plan, public_ids: Collection[str]) -> QuerySet[DraftPair]:
    rows = plan.draft_pairs.filter(public_id__in=public_ids)
    return rows.select_related("learner", "coach", "metric")


def members_taking_part(plan: Plan) -> QuerySet[Member]:
    """Members of the cohort whom neither the cohort nor this plan leaves out."""
    return plan.cohort.members.filter(left_out=False, person__active=True).exclude(
        person__public_id__in=list(plan.left_out)
    )


def warnings_of(plan: Plan) -> list[str]:
    """
    What deserves a second look before the launch, in words; a fixed number of queries.
    """
    said = []
    step = plan.steps.filter(number=plan.step).only("outcome").first()
    if step is not None and step.outcome.get("refused"):
        said.append(f"The plan was not solved. {step.outcome['refused']}")
    sides = list(members_taking_part(plan).order_by().values_list("side", flat=True))
    if Member.Side.LEARNER not in sides:
        said.append("Nobody learns in this plan. Add learners, or select by a wider policy.")
    if Member.Side.COACH not in sides:
        said.append("Nobody coaches in this plan. Add coaches, or select by a wider policy.")
    pairs = list(plan.draft_pairs.select_related("learner", "coach", "metric").order_by("pk"))
    return said + _other_sides(pairs) + _silent_rules(plan)


def both_sides(pairs: Iterable[DraftPair]) -> list[str]:
    """
    Who would learn a skill and coach others in the same one, as sentences; empty when nobody.
    """
    return [
        said(
            "%(name)s would learn %(skill)s here and coaches it in “%(cohort)s”; nobody does both "
            "in one skill.",
            name=person.name,
            skill=metric,
            cohort=cohort,
        )
        if learns
        else said(
            "%(name)s would coach %(skill)s here and learns it in “%(cohort)s”; nobody does both "
            "in one skill.",
            name=person.name,
            skill=metric,
            cohort=cohort,
        )
        for person, learns, metric, key, other, cohort in _elsewhere(list(pairs))
        if key == other
    ]


def _other_sides(pairs: list[DraftPair]) -> list[str]:
    """Who coaches here and learns elsewhere, or the other way round, in different skills."""
    found = {
        f"{person.name} {'learns' if learns else 'coaches'} {metric} here and "
        f"{'coaches' if learns else 'learns'} another skill in “{cohort}”. That is allowed; see "
        "whether it is not too much."
        for person, learns, metric, key, other, cohort in _elsewhere(pairs)
        if key != other
    }
    return sorted(found)


def _elsewhere(pairs: list[DraftPair]) -> list[tuple[Person, bool, str, int, int, str]]:
    """
    (person, whether they learn here, the skill here, its id, the skill elsewhere (id), the cohort
    there) of everybody who is on the other side of a running pair.
    """
    learners = {pair.learner_id for pair in pairs}
    coaches = {pair.coach_id for pair in pairs}
    running = list(
        Pair.objects.active()
        .filter(Q(coach__in=learners) | Q(learner__in=coaches))
        .values_list("learner", "coach", "metric", "cohort__name")
    )
    coached, learned = {}, {}
    for learner, coach, metric, cohort in running:
        coached.setdefault(coach, []).append((metric, cohort))
        learned.setdefault(learner, []).append((metric, cohort))
    found = []
    for pair in pairs:
        here = (pair.metric.name, pair.metric_id)
        for metric, cohort in coached.get(pair.learner_id, ()):
            found.append((pair.learner, True, *here, metric, cohort))
        for metric, cohort in learned.get(pair.coach_id, ()):
            found.append((pair.coach, False, *here, metric, cohort))
    return found


def _silent_rules(plan: Plan) -> list[str]:
    taking = members_taking_part(plan).values("person")
    rules = plan.rules.exclude(learner__in=taking, coach__in=taking)
    return [
        f"The rule on {rule.coach.name} and {rule.learner.name} has nothing to say while one of "
        "them takes no part."
        for rule in rules.select_related("learner", "coach")
    ]
