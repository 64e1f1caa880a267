"""A plan too large for one request is solved in parts, and is the plan it would have been."""

from datetime import timedelta

import pytest

from coaching.models import Plan, PlanPart
from coaching.services import plans
from coaching.services.plans import background, steps
from tests.conftest import NOW
from tests.services.planning import make_plan, person, proposed, worth


@pytest.fixture
def change(mara):
    return {"by": mara, "now": NOW}


@pytest.fixture
def plan(team, mara) -> Plan:
    """Three peer groups that have nothing to do with each other, and one whom nobody can coach."""
    learners = {f"L{at}": {"csat": 0.55 + at / 40} for at in range(9)} | {"Nia": {"speed": 0.9}}
    coaches = {f"C{at}": {"csat": 0.6 + at / 20} for at in range(6)}
    people = {
        name: {"group": f"g{at % 3}", "capacity": 1 + at % 2}
        for at, name in enumerate([*coaches, *learners])
    }
    return make_plan(team, learners, coaches, by=mara, people=people)


@pytest.fixture
def large(monkeypatch):
    """Nothing is small enough for a request any more."""
    monkeypatch.setattr(steps, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(background, "WORTH_A_PART", 1)


def everything(plan: Plan) -> list:
    pairs = plan.draft_pairs.order_by("learner").values_list(
        "learner", "coach", "metric", "score", "parts", "feasible_coaches", "runner_up",
        "runner_up_score", "runner_up_cost", "runner_up_unmatches", "pinned",
    )  # fmt: skip
    waiting = plan.unpaired.order_by("learner").values_list(
        "learner", "reason", "scarce", "competing", "contested", "seats", "place"
    )
    return [list(pairs), list(waiting), plan.matched, plan.total, plan.worst]


@pytest.mark.parametrize("wishes", [{}, {"lot": 3}, {"floor": 700}])
def test_the_parts_together_are_the_plan(plan, change, large, monkeypatch, wishes):
    with monkeypatch.context() as at_once:
        at_once.setattr(steps, "MOST_AT_ONCE", 10**6)
        plans.wish(plan=plan, **wishes, **change)
        wanted = everything(plan)
    plans.solve(plan=plan, **change)
    assert plan.queued_at == NOW
    # What stood before is still there to be looked at.
    assert everything(plan) == wanted
    assert plans.work_off(now=NOW) == 1
    plan.refresh_from_db()
    assert plan.queued_at is None
    assert everything(plan) == wanted
    assert not plan.parts.exists()
    assert plan.steps.get(number=plan.step).outcome["matched"] == plan.matched
    assert plans.work_off(now=NOW) == 0


def test_moves_are_told_from_the_background_too(plan, change, large):
    pair = plan.draft_pairs.select_related("learner", "coach").first()
    plans.add_rule(plan=plan, kind="forbid", learner=pair.learner, coach=pair.coach, **change)
    gone = plan.draft_pairs.exclude(learner=pair.learner).first().learner
    plans.work_off(now=NOW)
    step = plan.steps.last()
    told = {move["learner"]: move["why"] for move in step.moves}
    assert told[pair.learner.name].startswith(f"You keep {pair.coach} and {pair.learner} apart;")
    plans.leave_out(plan=plan, person=gone, reason="Ill", **change)
    plans.work_off(now=NOW)
    told = {move["learner"]: move["why"] for move in plan.steps.last().moves}
    assert told[gone.name] == f"{gone.name} takes no part any more."


def test_contradictions_are_refused_before_anything_waits(plan, change, large):
    before = plan.revision
    with pytest.raises(plans.RulesContradict, match="different peer groups"):
        plans.add_rule(plan=plan, kind="pin", learner=person("L0"), coach=person("C1"), **change)
    stored = Plan.objects.get(pk=plan.pk)
    assert (stored.revision, stored.queued_at) == (before, None)


def test_parts_are_shared_out_and_a_dead_workers_part_is_done_by_another(plan, change, large):
    plans.solve(plan=plan, **change)
    plans.split_queued(now=NOW)
    plans.split_queued(now=NOW)
    assert plans.parts_waiting() == plan.parts.count() == 4
    mine, yours = background._claim(NOW), background._claim(NOW)
    assert mine.pk != yours.pk
    assert background._work(mine, now=NOW) == 0
    # `yours` died. The others do what is left, but nothing twice.
    assert plans.work_off(now=NOW) == 0
    assert plans.parts_waiting() == 1
    assert plans.work_off(now=NOW + background.LEASE / 2) == 0
    assert plans.work_off(now=NOW + background.LEASE + timedelta(seconds=1)) == 1
    assert Plan.objects.get(pk=plan.pk).queued_at is None


def test_a_change_meanwhile_begins_again(plan, change, large):
    plans.solve(plan=plan, **change)
    plans.split_queued(now=NOW)
    part = background._claim(NOW)
    plans.set_capacity(plan=plan, coach=person("C0"), seats=0, **change)
    assert not PlanPart.objects.filter(pk=part.pk).exists()
    assert background._work(part, now=NOW) == 0
    assert plans.work_off(now=NOW) == 1
    assert "C0" not in proposed(plan).values()


def test_looking_at_one_learner_needs_only_their_part(plan, change, monkeypatch):
    monkeypatch.setattr(steps, "MOST_AT_ONCE", 10**6)
    learner = plan.draft_pairs.first().learner
    told = plans.what_if.prices(plan, learner)
    monkeypatch.setattr(steps, "MOST_AT_ONCE", 1)
    mine = {offer.coach: offer.lost_score for offer in told.offers if offer.possible}
    there = {
        offer.coach: offer.lost_score
        for offer in plans.what_if.prices(plan, learner).offers
        if offer.possible
    }
    assert there == mine
    with pytest.raises(plans.TooLarge):
        plans.what_if.floors(plan)


def test_a_queued_plan_answers_no_questions(plan, change, large):
    before = worth(plan)
    plans.solve(plan=plan, **change)
    assert worth(plan) == before
    with pytest.raises(plans.BeingSolved):
        plans.what_if.prices(plan, person("L0"))
