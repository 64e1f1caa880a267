"""What a manager can do to a draft plan, one function each."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from numbers import Real

from django.db import transaction

from coaching.domain.pairing import DEFAULT_PREFERENCES
from coaching.errors import CoachingError
from coaching.models import Cohort, DraftPair, Member, Person, Plan, Rule
from coaching.models.base import in_english
from coaching.services import audit, membership
from coaching.services.plans import steps
from coaching.services.plans.affinity import LABELS, MOST_POINTS
from coaching.services.plans.question import skills_lacking
from coaching.services.plans.refusals import (
    CohortLaunched,
    NotADraft,
    NotInPlan,
    OnlyPlan,
    RulesContradict,
    WishRefused,
)
from coaching.services.plans.wishes import Ruling, Wishes

MOST_SEATS = 50
# One coach, and up to two more for further skills.
MOST_COACHES = 3
HIGHEST_FLOOR = 1000
HEAVIEST = 1000.0
LARGEST_LOT = 2**31 - 1
KEEP = ...


@transaction.atomic
def draft(*, cohort: Cohort, by: Person, now: datetime, name: str = "") -> Plan:
    """
    A new plan for a draft cohort, solved.

    :raises CohortLaunched: when the cohort needs no plan any more
    """
    if not Cohort.objects.filter(pk=cohort.pk, state=Cohort.State.DRAFT).exists():
        raise CohortLaunched
    plan = Plan.objects.create(
        cohort=cohort, name=_name(name), preferences=dict(DEFAULT_PREFERENCES), created_at=now
    )
    return steps.begin(plan, what="Drafted", by=by, now=now)


def solve(*, plan: Plan, by: Person | None, now: datetime, revision: int | None = None) -> Plan:
    """
    Solve a draft plan again, after people, numbers or seats changed.

    :raises RulesContradict, NotADraft, ChangedMeanwhile:
    """
    return steps.change(
        plan, what="Solved again on today's people and seats", by=by, now=now, revision=revision
    )


def add_rule(
    *,
    plan: Plan,
    kind: str,
    learner: Person,
    coach: Person,
    by: Person,
    now: datetime,
    revision: int | None = None,
) -> Plan:
    """
    Pin a pair or forbid it; a rule on the same two people is replaced.

    :raises RulesContradict: naming the people and the rules; nothing is changed then
    """
    check_rule(plan, learner, coach)
    rule = Ruling(str(kind), learner.public_id, coach.public_id, by.public_id)
    verb = "pinned together" if kind == Rule.Kind.PIN else "kept apart"
    return steps.change(
        plan, what=f"{coach.name} and {learner.name} {verb}", by=by, now=now, revision=revision,
        edit=lambda wishes: wishes.ruled(rule),
    )  # fmt: skip


def drop_rule(*, rule: Rule, by: Person, now: datetime, revision: int | None = None) -> Plan:
    """:raises NotADraft, ChangedMeanwhile:"""
    learner, coach = rule.learner, rule.coach
    verb = "pinned together" if rule.kind == Rule.Kind.PIN else "kept apart"
    return steps.change(
        rule.plan, what=f"{coach.name} and {learner.name} no longer {verb}",
        by=by, now=now, revision=revision,
        edit=lambda wishes: wishes.free(learner.public_id, coach.public_id),
    )  # fmt: skip


def check_rule(plan: Plan, learner: Person, coach: Person) -> None:
    """
    Whether the two stand where a rule needs them.

    :raises RulesContradict:
    """
    if learner == coach:
        raise RulesContradict(f"A rule needs two people; {coach.name} cannot coach themselves.")
    sides = dict(
        plan.cohort.members.filter(person__in=[learner, coach]).values_list("person", "side")
    )
    for person, side in ((learner, Member.Side.LEARNER), (coach, Member.Side.COACH)):
        if sides.get(person.pk, side) != side:
            is_ = "a learner" if side == Member.Side.COACH else "a coach"
            raise RulesContradict(
                f"{person.name} is {is_} in this cohort, and nobody learns and coaches in the "
                "same one. Turn the rule round, or plan the other direction in another cohort."
            )
        if person.pk not in sides:
            raise NotInPlan(f"{person.name} is not in this cohort. Add them first.")


def set_capacity(
    *,
    plan: Plan,
    coach: Person,
    seats: int,
    by: Person,
    now: datetime,
    revision: int | None = None,
) -> Plan:
    """
    Give a coach so many learners at a time in this plan.

    :raises CoachingError: for fewer than none or more than fifty
    """
    if not 0 <= seats <= MOST_SEATS:
        raise CoachingError(f"{coach.name} can take from 0 to {MOST_SEATS} learners at a time.")
    return steps.change(
        plan, what=f"{coach.name} takes {seats} at a time", by=by, now=now, revision=revision,
        edit=lambda wishes: replace(
            wishes, capacities={**wishes.capacities, coach.public_id: seats}
        ),
    )  # fmt: skip


def leave_out(
    *,
    plan: Plan,
    person: Person,
    reason: str,
    by: Person,
    now: datetime,
    revision: int | None = None,
) -> Plan:
    """
    Leave somebody out of this plan; the cohort, and other plans for it, keep them.

    :raises NoReason, NotInPlan, NotADraft, ChangedMeanwhile:
    """
    reason = membership.reason_of(reason)

    def edit(wishes: Wishes) -> Wishes:
        selected = plan.cohort.members.filter(person=person, left_out=False)
        if person.public_id in wishes.left_out or not selected.exists():
            raise NotInPlan(f"{person.name} is not in this plan.")
        return replace(wishes, left_out={**wishes.left_out, person.public_id: reason})

    return steps.change(
        plan, what=f"{person.name} left out of this plan: {reason}", by=by, now=now,
        revision=revision, edit=edit,
    )  # fmt: skip


@transaction.atomic
def take_in(
    *,
    plan: Plan,
    person: Person,
    side: str,
    reason: str,
    by: Person,
    now: datetime,
    revision: int | None = None,
) -> Plan:
    """
    Bring back somebody whom this plan or its cohort left out, or add somebody of the ranking to
    the cohort, on `side`, whatever the ranking said.

    :raises NoReason, NotADraft, ChangedMeanwhile, membership.NotInRanking,
        membership.SelectedAlready:
    """
    reason = membership.reason_of(reason)

    def back(wishes: Wishes) -> Wishes:
        kept = {one: why for one, why in wishes.left_out.items() if one != person.public_id}
        return replace(wishes, left_out=kept)

    what, changed = f"{person.name} takes part again", False
    member = plan.cohort.members.filter(person=person).first()
    left_out_here = person.public_id in Plan.objects.values_list("left_out", flat=True).get(
        pk=plan.pk
    )
    if Plan.objects.filter(pk=plan.pk, state=Plan.State.DRAFT).exists():
        if member is not None and member.left_out:
            changed = True
            membership.take_back(cohort=plan.cohort, person=person, reason=reason, by=by, now=now)
        elif not left_out_here:
            changed = True
            membership.admit(
                cohort=plan.cohort, person=person, side=side, reason=reason, by=by, now=now
            )
            what = (
                f"{person.name} added as a {in_english(Member.Side(side).label).lower()}: {reason}"
            )
            unknown_before(plan.cohort, [person])
    solved = steps.change(plan, what=what, by=by, now=now, revision=revision, edit=back)
    if changed:
        solve_all(plan.cohort, what=what, by=by, now=now, besides=plan)
    return solved


def unknown_before(cohort: Cohort, people: Iterable[Person]) -> None:
    """Steps back to when these people were not in the cohort leave them out again."""
    reasons = {person.public_id: "Was not in this plan at that step." for person in people}

    def edit(wishes: Wishes) -> Wishes:
        return replace(wishes, left_out={**reasons, **wishes.left_out})

    for plan in cohort.plans.filter(state=Plan.State.DRAFT):
        steps.remember(plan, edit)


def solve_all(
    cohort: Cohort,
    *,
    what: str,
    by: Person,
    now: datetime,
    besides: Plan | None = None,
) -> None:
    """Solve every draft plan of a cohort whose people changed, but one; a step in each."""
    for plan in cohort.plans.filter(state=Plan.State.DRAFT).order_by("pk"):
        if besides is None or plan.pk != besides.pk:
            steps.change(plan, what=what, by=by, now=now)


def swap(
    *,
    plan: Plan,
    one: DraftPair,
    other: DraftPair,
    by: Person,
    now: datetime,
    revision: int | None = None,
) -> Plan:
    """
    Let the two learners exchange their coaches; both new pairs become pins.

    :raises RulesContradict: when they cannot, and nothing is changed
    """
    check_swap(one, other)
    return steps.change(
        plan, what=f"{one.learner.name} and {other.learner.name} exchanged coaches",
        by=by, now=now, revision=revision, edit=swapping(one, other, by),
    )  # fmt: skip


def check_swap(one: DraftPair, other: DraftPair) -> None:
    """:raises RulesContradict:"""
    if one.learner_id == other.learner_id:
        raise RulesContradict("Choose the pairs of two different learners.")
    if one.coach_id == other.coach_id:
        raise RulesContradict(
            f"{one.learner.name} and {other.learner.name} have the same coach already."
        )


def swapping(one: DraftPair, other: DraftPair, by: Person | None = None) -> steps.Edit:
    """The wishes with both learners pinned to the other's coach, and to their own no more."""
    who = by.public_id if by else ""

    def edit(wishes: Wishes) -> Wishes:
        for mine, theirs in ((one, other), (other, one)):
            learner = mine.learner.public_id
            wishes = wishes.free(learner, mine.coach.public_id)
            wishes = wishes.ruled(Ruling(Rule.Kind.PIN.value, learner, theirs.coach.public_id, who))
        return wishes

    return edit


def wish(
    *,
    plan: Plan,
    by: Person,
    now: datetime,
    preferences: Mapping[str, int] | None = None,
    weights: Mapping[str, float] | None = None,
    floor: int | None = None,
    lot: int | None = KEEP,
    wants: Mapping[str, int] | None = None,
    revision: int | None = None,
) -> Plan:
    """
    Change any of the wishes; what is not named stays.

    preferences : points by key (`affinity.LABELS`)
    weights : by metric key, instead of the ranking's; an empty one takes the ranking's again
    floor : no pair scores less
    lot : a number draws who waits when seats are scarce; None lets the score decide
    wants : coaches by learner's public id, each for another skill

    :raises WishRefused: naming the field; nothing is changed then
    """
    changed: dict[str, object] = {}
    if preferences is not None:
        changed["preferences"] = _preferences(preferences)
    if weights is not None:
        changed["weights"] = _weights(plan, weights)
    if floor is not None:
        changed["floor"] = _whole("floor", floor, 0, HIGHEST_FLOOR, "The floor")
    if lot is not KEEP:
        changed["lot"] = lot if lot is None else _whole("lot", lot, 0, LARGEST_LOT, "The lot")
    if wants is not None:
        changed["wants"] = _wants(plan, wants)
    return steps.change(
        plan, what=_in_words(plan, changed), by=by, now=now, revision=revision,
        edit=lambda wishes: replace(wishes, **changed),
    )  # fmt: skip


def _preferences(asked: Mapping[str, int]) -> dict[str, int]:
    unknown = sorted(asked.keys() - LABELS.keys())
    if unknown:
        raise WishRefused(
            "preferences",
            f"“{unknown[0]}” is no preference; there are {', '.join(LABELS)}.",
        )
    return {
        key: _whole("preferences", asked[key], 0, MOST_POINTS, f"“{LABELS[key]}”")
        for key in LABELS
        if key in asked
    }


def _weights(plan: Plan, asked: Mapping[str, float]) -> dict[str, float]:
    rows = plan.cohort.ranking.yardsticks.filter(weight__gt=0).order_by("pk")
    known = {row.metric.key: row for row in rows.select_related("metric")}
    for key, value in asked.items():
        if key not in known:
            raise WishRefused("weights", f"The ranking has no skill “{key}”.")
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not 0 <= value <= HEAVIEST:
            raise WishRefused(
                "weights",
                f"The weight of {known[key].metric.name} is a number from 0 to {HEAVIEST:g}.",
            )
    if all(not asked.get(key, row.weight) for key, row in known.items()):
        raise WishRefused("weights", "At least one skill needs a weight above 0.")
    return {key: float(value) for key, value in asked.items() if value != known[key].weight}


def _wants(plan: Plan, asked: Mapping[str, int]) -> dict[str, int]:
    members = plan.cohort.members.filter(
        side=Member.Side.LEARNER, person__public_id__in=list(asked)
    ).select_related("person")
    known = {member.person.public_id: member.person for member in members}
    found = {}
    for public_id, number in asked.items():
        if public_id not in known:
            raise WishRefused("wants", "Only learners of this cohort can be given more coaches.")
        person = known[public_id]
        wanted = _whole("wants", number, 1, MOST_COACHES, f"Coaches for {person.name}")
        if wanted == 1:
            continue
        lacking = skills_lacking(plan, person)
        if lacking < wanted and plan.wants.get(public_id) != wanted:
            skills = "only one skill" if lacking == 1 else f"{lacking or 'no'} skills"
            raise WishRefused(
                "wants",
                f"{person.name} lacks {skills} for certain; each coach needs a skill of their "
                "own to work on.",
            )
        found[public_id] = wanted
    return found


def _whole(field: str, value: object, least: int, most: int, what: str) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise WishRefused(field, f"{what}: a whole number from {least} to {most}.")
    return value


def _in_words(plan: Plan, changed: Mapping[str, object]) -> str:
    said = []
    if "preferences" in changed:
        points = [
            f"{LABELS[key].lower()} {value}"
            for key, value in changed["preferences"].items()
            if value
        ]
        said.append(f"Preferences: {', '.join(points) or 'none'}")
    if "weights" in changed:
        weights = [f"{key} {value:g}" for key, value in changed["weights"].items()]
        said.append(f"Weights: {', '.join(weights) or 'those of the ranking'}")
    if "floor" in changed:
        said.append(f"No pair below {changed['floor']}" if changed["floor"] else "No floor")
    if "lot" in changed:
        drawn = changed["lot"] is not None
        said.append(
            f"The lot {changed['lot']} draws who waits" if drawn else "The score decides who waits"
        )
    if "wants" in changed:
        names = dict(
            Person.objects.filter(public_id__in=changed["wants"]).values_list("public_id", "name")
        )
        each = [f"{names[one]} {number}" for one, number in changed["wants"].items()]
        said.append(f"More than one coach: {', '.join(each) or 'nobody'}")
    return "; ".join(said) or "Solved again on today's people and seats"


@transaction.atomic
def copy(*, plan: Plan, name: str, by: Person, now: datetime) -> Plan:
    """
    Another plan for the same cohort with the same wishes and rules, to be changed apart.

    :raises CohortLaunched, RulesContradict:
    """
    if not Cohort.objects.filter(pk=plan.cohort_id, state=Cohort.State.DRAFT).exists():
        raise CohortLaunched
    made = Plan.objects.create(cohort=plan.cohort, name=_name(name), created_at=now)
    Wishes.of(Plan.objects.get(pk=plan.pk)).store(made, now=now)
    audit.record("plan copied", made, by=by, now=now, team=plan.cohort.team, of=plan.public_id)
    return steps.begin(made, what=f"Copied from {plan.name or 'another plan'}", by=by, now=now)


def rename(*, plan: Plan, name: str, by: Person, now: datetime) -> Plan:
    """Call a plan something else; nothing is solved."""
    with transaction.atomic():
        plan.name = _name(name)
        plan.save(update_fields=["name"])
        audit.record("plan renamed", plan, by=by, now=now, team=plan.cohort.team, name=plan.name)
    return plan


@transaction.atomic
def drop(*, plan: Plan, by: Person, now: datetime) -> None:
    """
    Throw a draft away; never the cohort's last one.

    :raises NotADraft, OnlyPlan:
    """
    cohort = Cohort.objects.select_for_update().get(pk=plan.cohort_id)
    if Plan.objects.filter(pk=plan.pk).exclude(state=Plan.State.DRAFT).exists():
        raise NotADraft
    if not cohort.plans.exclude(pk=plan.pk).exists():
        raise OnlyPlan
    audit.record("plan dropped", plan, by=by, now=now, team=plan.cohort.team, name=plan.name)
    Plan.objects.filter(pk=plan.pk).delete()


def _name(text: str) -> str:
    return " ".join(text.split())[:80]
