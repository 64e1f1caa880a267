"""The one way in which a plan changes: a step with its wishes, its outcome and who moved."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from coaching.domain.said import said, said_together
from coaching.models import Cohort, DraftPair, Member, Person, Plan, PlanStep, Unpaired
from coaching.services import audit
from coaching.services.plans import sentences
from coaching.services.plans.moves import Before, moves
from coaching.services.plans.question import question_of
from coaching.services.plans.refusals import (
    ChangedMeanwhile,
    CohortLaunched,
    NotADraft,
    NothingToRedo,
    NothingToUndo,
    RulesContradict,
)
from coaching.services.plans.solving import draft_pairs, solve_question, unpaired
from coaching.services.plans.wishes import Wishes

# Learners times coaches; beyond, a plan is solved in the background.
MOST_AT_ONCE = 400_000

Edit = Callable[[Wishes], Wishes]


@transaction.atomic
def change(
    plan: Plan,
    *,
    what: str,
    by: Person | None,
    now: datetime,
    edit: Edit | None = None,
    revision: int | None = None,
) -> Plan:
    """
    Make one step: change the wishes, solve, and keep what was wished, what came of it and who
    moved. Steps that were undone are dropped.

    1. the plan is locked until the end, so that nobody's change is overwritten unseen,
    2. rules that cannot hold are refused, and nothing is changed,
    3. pairs, step and audit row are written together.

    The plan that was handed in is brought up to date; `plan.moved` tells the moves.

    what : in words, as the list of steps says it
    edit : from the wishes as they are to those that are asked for
    revision : the state that was looked at, when there was one

    :raises RulesContradict, NotADraft, CohortLaunched, ChangedMeanwhile:
    """
    fresh = _locked(plan, revision)
    before = Before.of(fresh, Wishes.of(fresh))
    wishes = edit(before.wishes) if edit else before.wishes
    fresh.revision += 1
    if fresh.step == 0:
        _keep(fresh, before.wishes, what=sentences.DRAFTED, by=None, now=now)
    fresh.steps.filter(number__gt=fresh.step).delete()
    if wishes != before.wishes:
        wishes.store(fresh, now=now)
    step = _keep(fresh, wishes, what=what, by=by, now=now)
    _solve(fresh, step, wishes, before, now=now)
    audit.record("plan changed", fresh, by=by, now=now, team=fresh.cohort.team, what=what[:300])
    return _told(plan, fresh)


def begin(plan: Plan, *, what: str, by: Person | None, now: datetime) -> Plan:
    """The first step of a new plan, solved."""
    wishes = Wishes.of(plan)
    step = _keep(plan, wishes, what=what, by=by, now=now)
    _solve(plan, step, wishes, Before(wishes, {}, {}), now=now)
    return plan


@transaction.atomic
def undo(*, plan: Plan, by: Person, now: datetime, revision: int | None = None) -> Plan:
    """
    Put the wishes of the step before back, rules too, and solve.

    People who were added to the cohort stay in it; this plan does without them again.

    :raises NothingToUndo, NotADraft, CohortLaunched, ChangedMeanwhile, RulesContradict:
    """
    fresh = _locked(plan, revision)
    here = fresh.steps.filter(number=fresh.step).first()
    if fresh.step <= 1 or here is None:
        raise NothingToUndo
    return _go(plan, fresh, fresh.step - 1, what=f"Undone: {here.what}", by=by, now=now)


@transaction.atomic
def redo(*, plan: Plan, by: Person, now: datetime, revision: int | None = None) -> Plan:
    """
    Make the step that was undone again.

    :raises NothingToRedo, NotADraft, CohortLaunched, ChangedMeanwhile, RulesContradict:
    """
    fresh = _locked(plan, revision)
    later = fresh.steps.filter(number=fresh.step + 1).first()
    if later is None:
        raise NothingToRedo
    return _go(plan, fresh, later.number, what=f"Done again: {later.what}", by=by, now=now)


def remember(plan: Plan, edit: Edit) -> None:
    """Rewrite the wishes of all steps so far, so that going back does not bring somebody in."""
    for step in plan.steps.all():
        step.wishes = edit(Wishes.read(step.wishes)).as_json()
        step.save(update_fields=["wishes"])


def _go(plan: Plan, fresh: Plan, number: int, *, what: str, by: Person, now: datetime) -> Plan:
    step = fresh.steps.get(number=number)
    before, wishes = Before.of(fresh, Wishes.of(fresh)), Wishes.read(step.wishes)
    wishes.store(fresh, now=now)
    fresh.step = number
    fresh.revision += 1
    _solve(fresh, step, wishes, before, now=now, keep_moves=False)
    audit.record("plan changed", fresh, by=by, now=now, team=fresh.cohort.team, what=what[:300])
    return _told(plan, fresh)


def _locked(plan: Plan, revision: int | None) -> Plan:
    rows = Plan.objects.select_related("cohort__team").select_for_update(of=("self",))
    fresh = rows.get(pk=plan.pk)
    if fresh.state != Plan.State.DRAFT:
        raise NotADraft
    if fresh.cohort.state != Cohort.State.DRAFT:
        raise CohortLaunched
    if revision is not None and fresh.revision != revision:
        raise ChangedMeanwhile(who_was_quicker(fresh))
    return fresh


def who_was_quicker(plan: Plan) -> str:
    """For somebody whose view of a plan is not the newest: who changed it last, and how."""
    step = plan.steps.filter(number=plan.step).select_related("by").first()
    if step is None:
        return ChangedMeanwhile.message
    if step.by is None:
        return said(
            "Somebody changed this plan while you were looking at it, last with “%(what)s”. Look "
            "again, then repeat your change.",
            what=step.what,
        )
    return said(
        "%(who)s changed this plan while you were looking at it, last with “%(what)s”. Look again, "
        "then repeat your change.",
        who=step.by.name,
        what=step.what,
    )


def _keep(plan: Plan, wishes: Wishes, *, what: str, by: Person | None, now: datetime) -> PlanStep:
    plan.step += 1
    return PlanStep.objects.create(
        plan=plan, number=plan.step, what=what[:300], by=by, at=now, wishes=wishes.as_json()
    )


def _solve(
    plan: Plan,
    step: PlanStep,
    wishes: Wishes,
    before: Before,
    *,
    now: datetime,
    keep_moves: bool = True,
) -> None:
    """Solve at once, or leave a large plan to the background."""
    if size_of(plan) > MOST_AT_ONCE:
        _refuse_contradictions(plan, wishes, now=now)
        plan.queued_at, plan.moved = now, []
        plan.parts.all().delete()
        plan.save(update_fields=["revision", "step", "queued_at"])
        return
    solved = solve_question(question_of(plan, wishes, now=now))
    write(
        plan, draft_pairs(plan, solved), unpaired(plan, solved), worst=solved.answer.worst, now=now
    )
    plan.moved = moves(before, solved)
    step.outcome = outcome_of(plan)
    if keep_moves:
        step.moves = plan.moved
    step.save(update_fields=["outcome", "moves"])


def write(
    plan: Plan,
    pairs: list[DraftPair],
    waiting: list[Unpaired],
    *,
    worst: int | None,
    now: datetime,
) -> None:
    """Replace what a plan proposes, and its sums. A pair that stays keeps its public id."""
    named = plan.draft_pairs.order_by().values_list(
        "learner_id", "coach_id", "metric_id", "public_id"
    )
    kept = {tuple(pair): public_id for *pair, public_id in named}
    for pair in pairs:
        key = (pair.learner_id, pair.coach_id, pair.metric_id)
        pair.public_id = kept.get(key, pair.public_id)
    if plan.queued_at is not None:
        plan.parts.all().delete()
    plan.draft_pairs.all().delete()
    plan.unpaired.all().delete()
    DraftPair.objects.bulk_create(pairs, batch_size=500)
    Unpaired.objects.bulk_create(waiting, batch_size=500)
    plan.matched, plan.total = len(pairs), sum(pair.score for pair in pairs)
    plan.worst = worst or 0
    plan.solved_at, plan.queued_at = now, None
    plan.save(
        update_fields=["matched", "total", "worst", "solved_at", "queued_at", "revision", "step"]
    )


def outcome_of(plan: Plan) -> dict[str, int]:
    return {"matched": plan.matched, "total": plan.total, "worst": plan.worst}


def size_of(plan: Plan) -> int:
    """Learners times coaches."""
    sides = plan.cohort.members.filter(left_out=False, person__active=True).order_by()
    numbers = list(sides.values_list("side", flat=True))
    learners = numbers.count(Member.Side.LEARNER)
    return learners * (len(numbers) - learners)


def _refuse_contradictions(plan: Plan, wishes: Wishes, *, now: datetime) -> None:
    """:raises RulesContradict: before a large plan is queued; only the people of rules count"""
    named = {name for rule in wishes.rules for name in (rule.learner, rule.coach)}
    people = Person.objects.filter(public_id__in=named).values_list("pk", flat=True)
    wrong = question_of(plan, wishes, now=now, only=list(people)).contradictions()
    if wrong:
        raise RulesContradict(said_together(wrong))


# What a change writes; the rest of the caller's plan, with its cohort, stays as it is.
FRESH = (
    "preferences", "weights", "capacities", "left_out", "wants", "floor", "lot", "matched",
    "total", "worst", "solved_at", "revision", "step", "queued_at", "moved",
)  # fmt: skip


def _told(plan: Plan, fresh: Plan) -> Plan:
    for name in FRESH:
        setattr(plan, name, getattr(fresh, name))
    return plan
