"""Plans too large for one request: independent parts, solved by whichever worker comes."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from coaching.models import DraftPair, Person, Plan, PlanPart, Unpaired
from coaching.services.plans import sentences, steps
from coaching.services.plans.moves import Before, moves
from coaching.services.plans.question import independent_parts, question_of
from coaching.services.plans.refusals import RulesContradict
from coaching.services.plans.solving import draft_pairs, solve_question, unpaired
from coaching.services.plans.wishes import Wishes

# A worker that has not answered by then is taken for dead; its part is solved by another one.
LEASE = timedelta(minutes=10)
# Small parts are solved together, up to so many candidate pairs.
WORTH_A_PART = 200_000

PAIR = (
    "public_id", "learner_id", "coach_id", "metric_id", "score", "parts", "feasible_coaches",
    "runner_up_id", "runner_up_score", "runner_up_cost", "runner_up_unmatches", "pinned",
)  # fmt: skip
WAITING = ("learner_id", "reason", "scarce", "competing", "contested", "seats", "place")


def work_off(*, now: datetime) -> int:
    """
    Solve what waits, part by part, and put plans together; returns how many plans got ready.

    Any number of workers do this side by side: a part is claimed by a guarded update, and the
    plan is put together by whoever answers last.
    """
    split_queued(now=now)
    done = 0
    while (part := _claim(now)) is not None:
        done += _work(part, now=now)
    # Whoever answered last may have died before putting the plan together.
    for plan in Plan.objects.filter(queued_at__isnull=False).order_by("queued_at", "pk"):
        done += _assemble(plan.pk, now=now)
    return done


def parts_waiting() -> int:
    """Parts that nobody has answered."""
    return PlanPart.objects.filter(answer__isnull=True, plan__queued_at__isnull=False).count()


def split_queued(*, now: datetime) -> None:
    """Split every plan that waits and is not split yet."""
    for pk in _unsplit().order_by("queued_at", "pk").values_list("pk", flat=True):
        with transaction.atomic():
            # Locked, so that of two workers the second finds the parts.
            plan = Plan.objects.select_for_update().filter(pk=pk, queued_at__isnull=False).first()
            if plan is not None and not plan.parts.filter(revision=plan.revision).exists():
                _split(plan)


def _unsplit():
    return Plan.objects.filter(queued_at__isnull=False).exclude(parts__revision=F("revision"))


def _split(plan: Plan) -> None:
    plan.parts.all().delete()
    bundles: list[tuple[list[int], int]] = []
    for learners, coaches in independent_parts(plan, Wishes.of(plan)):
        people, pairs = [*learners, *coaches], len(learners) * len(coaches)
        if bundles and bundles[-1][1] + pairs <= WORTH_A_PART:
            bundles[-1] = (bundles[-1][0] + people, bundles[-1][1] + pairs)
        else:
            bundles.append((people, pairs))
    PlanPart.objects.bulk_create(
        PlanPart(plan=plan, number=number, revision=plan.revision, learners=people)
        for number, (people, _) in enumerate(bundles or [([], 0)], start=1)
    )


def people_beside(plan: Plan, person: Person) -> list[int]:
    """Ids of everybody in the part of the plan that somebody is in."""
    for learners, coaches in independent_parts(plan, Wishes.of(plan)):
        if person.pk in learners or person.pk in coaches:
            return [*learners, *coaches]
    return [person.pk]


def _claim(now: datetime) -> PlanPart | None:
    """The first part that waits, taken for a while; None when there is none."""
    open_ = PlanPart.objects.filter(answer__isnull=True, plan__queued_at__isnull=False).filter(
        Q(taken_until=None) | Q(taken_until__lt=now)
    )
    while (part := open_.order_by("plan", "number").first()) is not None:
        mine = PlanPart.objects.filter(
            pk=part.pk, taken_until=part.taken_until, answer__isnull=True
        )
        if mine.update(taken_until=now + LEASE) == 1:
            return part
    return None


def _work(part: PlanPart, *, now: datetime) -> int:
    plan = Plan.objects.select_related("cohort__team").get(pk=part.plan_id)
    try:
        answer = _answer(plan, part, now=plan.queued_at or now)
    except RulesContradict as refusal:
        answer = {"refused": refusal.message, "pairs": [], "unpaired": [], "moves": []}
    # Nothing is written for a plan that was changed meanwhile: its parts are gone.
    if PlanPart.objects.filter(pk=part.pk).update(answer=answer, taken_until=None) != 1:
        return 0
    return _assemble(part.plan_id, now=now)


def _answer(plan: Plan, part: PlanPart, *, now: datetime) -> dict[str, Any]:
    wishes = Wishes.of(plan)
    solved = solve_question(question_of(plan, wishes, now=now, only=part.learners))
    step = plan.steps.filter(number=plan.step - 1).first()
    before = Before.of(plan, Wishes.read(step.wishes) if step else wishes, only=part.learners)
    return {
        "pairs": [[getattr(row, name) for name in PAIR] for row in draft_pairs(plan, solved)],
        "unpaired": [[getattr(row, name) for name in WAITING] for row in unpaired(plan, solved)],
        "moves": moves(before, solved) if step else [],
    }


@transaction.atomic
def _assemble(pk: int, *, now: datetime) -> int:
    """Put a plan together when all its parts are answered; 1 when that was done here."""
    plan = (
        Plan.objects.select_for_update(of=("self",))
        .select_related("cohort__team")
        .filter(pk=pk, queued_at__isnull=False)
        .first()
    )
    if plan is None:
        return 0
    parts = list(plan.parts.filter(revision=plan.revision))
    if not parts or any(part.answer is None for part in parts):
        return 0
    step = plan.steps.filter(number=plan.step).first()
    refused = [part.answer["refused"] for part in parts if part.answer.get("refused")]
    if refused:
        # What stood before stays; the step says why.
        plan.parts.all().delete()
        plan.queued_at = None
        plan.save(update_fields=["queued_at"])
        outcome, moved = {**steps.outcome_of(plan), "refused": " ".join(refused)}, []
    else:
        gone = _gone(plan, parts)
        pairs = [
            DraftPair(plan=plan, **dict(zip(PAIR, row, strict=True)))
            for part in parts
            for row in part.answer["pairs"]
        ]
        waiting = [
            Unpaired(plan=plan, **dict(zip(WAITING, row, strict=True)))
            for part in parts
            for row in part.answer["unpaired"]
        ]
        worst = min((pair.score for pair in pairs), default=0)
        steps.write(plan, pairs, waiting, worst=worst, now=now)
        moved = [move for part in parts for move in part.answer["moves"]] + gone
        outcome = steps.outcome_of(plan)
    if step is not None:
        step.outcome, step.moves = outcome, moved
        step.save(update_fields=["outcome", "moves"])
    return 1


def _gone(plan: Plan, parts: list[PlanPart]) -> list[dict]:
    """Moves of those who are in no part any more."""
    people = {pk for part in parts for pk in part.learners}
    rows = plan.draft_pairs.order_by("learner__name", "pk").values_list(
        "learner_id", "learner__name", "metric__name", "coach__name"
    )
    return [
        {
            "learner": who, "metric": metric, "from": coach, "to": None,
            "why": sentences.GONE % {"person": who},
        }
        for pk, who, metric, coach in rows
        if pk not in people
    ]  # fmt: skip
