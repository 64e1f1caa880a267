"""Every change of a plan is a step: kept with what came of it, taken back and made again."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coaching.models import Event, Plan, Rule
from coaching.services import members, plans
from tests.conftest import NOW
from tests.services.planning import make_cohort, make_plan, person, proposed

LEARNERS = {"Lea": {"csat": 0.9}, "Max": {"csat": 0.8}, "Nia": {"csat": 0.7}}
COACHES = {"Ivo": {"csat": 0.95}, "Ada": {"csat": 0.7}, "Uli": {"csat": 0.6}}
SEATS = {name: {"capacity": 1} for name in COACHES}


@pytest.fixture
def change(mara):
    return {"by": mara, "now": NOW}


@pytest.fixture
def plan(team, mara) -> Plan:
    """Everybody has a seat; Ivo is the best for all three."""
    return make_plan(team, LEARNERS, COACHES, by=mara, people=SEATS)


def pin(plan: Plan, learner: str, coach: str, change: dict, kind: str = "pin") -> Plan:
    return plans.add_rule(
        plan=plan, kind=kind, learner=person(learner), coach=person(coach), **change
    )


def why(plan: Plan) -> dict[str, str]:
    return {move["learner"]: move["why"] for move in plan.moved}


def test_a_step_says_what_was_done_and_what_came_of_it(plan, mara, change):
    coach = proposed(plan)["Lea"]
    other = next(name for name in COACHES if name != coach)
    pin(plan, "Lea", other, change)
    step = plan.steps.last()
    assert (step.number, step.what, step.by) == (
        plan.step, f"{other} and Lea pinned together", mara,
    )  # fmt: skip
    assert step.outcome == {"matched": 3, "total": plan.total, "worst": plan.worst}
    assert step.wishes["rules"] == [
        ["pin", person("Lea").public_id, person(other).public_id, mara.public_id]
    ]
    assert Event.objects.filter(verb="plan changed", details__what=step.what).exists()


def test_every_move_has_a_reason_that_names_people(plan, change):
    pin(plan, "Nia", "Ivo", change)
    pin(plan, "Max", "Ada", change)
    assert proposed(plan) == {"Nia": "Ivo", "Max": "Ada", "Lea": "Uli"}
    plans.leave_out(plan=plan, person=person("Nia"), reason="Ill", **change)
    told = why(plan)
    assert told.pop("Nia") == "Nia takes no part any more."
    assert told == {"Lea": "Nia left a seat with Ivo; Lea is strongest with Ivo next."}
    plans.take_in(plan=plan, person=person("Nia"), side="", reason="Well", **change)
    told = why(plan)
    assert told["Nia"] == "You pinned Nia with Ivo."
    assert told["Lea"].startswith("Ivo's seat went to Nia")
    pin(plan, "Max", "Ada", change, kind="forbid")
    assert why(plan)["Max"].startswith("You keep Ada and Max apart; ")


def test_the_seat_that_went_to_somebody_else_is_named(team, mara, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}, "Max": {"csat": 0.9}},
        {"Ivo": {"csat": 0.9}, "Ada": {"csat": 0.7}}, by=mara,
        people={"Ivo": {"capacity": 1, "site": "Leeds"}, "Max": {"site": "Leeds"}},
        preferences={"site": 50},
    )  # fmt: skip
    assert proposed(plan) == {"Max": "Ivo", "Lea": "Ada"}
    pin(plan, "Lea", "Ivo", change)
    assert plan.moved == [
        {
            "learner": "Lea", "metric": "Csat", "from": "Ada", "to": "Ivo",
            "why": "You pinned Lea with Ivo.",
        },
        {
            "learner": "Max", "metric": "Csat", "from": "Ivo", "to": "Ada",
            "why": "Ivo's seat went to Lea, whom you pinned; Max is strongest with Ada next.",
        },
    ]  # fmt: skip
    assert plan.steps.last().moves == plan.moved


def test_who_loses_a_seat_to_fewer_seats_is_told_so(plan, change):
    last = proposed(plan)
    plans.set_capacity(plan=plan, coach=person("Uli"), seats=0, **change)
    gone = next(name for name, coach in last.items() if name not in proposed(plan))
    assert "no other seat is left" in why(plan)[gone]
    plans.set_capacity(plan=plan, coach=person("Uli"), seats=1, **change)
    assert any("Uli has more seats now" in sentence for sentence in why(plan).values())


def test_a_step_is_undone_and_done_again_with_its_rules(plan, change):
    before = proposed(plan), plan.step
    other = next(name for name in COACHES if name != before[0]["Lea"])
    pin(plan, "Lea", other, change)
    after = proposed(plan), plan.step
    plans.undo(plan=plan, **change)
    assert (proposed(plan), plan.step) == before
    assert not Rule.objects.exists()
    assert why(plan)
    plans.redo(plan=plan, **change)
    assert (proposed(plan), plan.step) == after
    assert Rule.objects.get().learner == person("Lea")
    with pytest.raises(plans.NothingToRedo):
        plans.redo(plan=plan, **change)


def test_everything_can_be_undone_down_to_the_draft(plan, change):
    plans.set_capacity(plan=plan, coach=person("Ivo"), seats=3, **change)
    plans.leave_out(plan=plan, person=person("Max"), reason="Holiday", **change)
    plans.wish(plan=plan, floor=100, lot=7, weights={"csat": 2.0}, **change)
    while plan.step > 1:
        plans.undo(plan=plan, **change)
    stored = Plan.objects.get(pk=plan.pk)
    assert (stored.capacities, stored.left_out, stored.floor, stored.lot, stored.weights) == (
        {}, {}, 0, None, {},
    )  # fmt: skip
    assert stored.preferences == {"site": 100, "shift": 50}
    with pytest.raises(plans.NothingToUndo, match="drafted"):
        plans.undo(plan=plan, **change)
    for _ in range(4):
        plans.redo(plan=plan, **change)
    stored.refresh_from_db()
    assert (stored.capacities, stored.floor, stored.lot) == ({person("Ivo").public_id: 3}, 100, 7)
    assert list(stored.left_out.values()) == ["Holiday"]


def test_a_new_change_drops_what_was_undone(plan, change):
    pin(plan, "Lea", "Uli", change)
    plans.undo(plan=plan, **change)
    pin(plan, "Max", "Uli", change)
    assert [step.number for step in plan.steps.all()] == list(range(1, plan.step + 1))
    with pytest.raises(plans.NothingToRedo):
        plans.redo(plan=plan, **change)


def test_undo_does_without_who_was_added(plan, change, mara):
    cohort = plan.cohort
    from coaching.models import Metric, Standing
    from tests import factories
    from tests.services.planning import standing

    noor = factories.make_person("Noor", team=cohort.team)
    Standing.objects.bulk_create(
        [standing(cohort.ranking, noor, Metric.objects.get(key="csat"), "learner", 0.9)]
    )
    plans.set_capacity(plan=plan, coach=person("Ivo"), seats=4, **change)
    plans.take_in(plan=plan, person=noor, side="learner", reason="Asked me", **change)
    assert proposed(plan)["Noor"] == "Ivo"
    plans.undo(plan=plan, **change)
    assert "Noor" not in proposed(plan)
    plans.redo(plan=plan, **change)
    assert proposed(plan)["Noor"] == "Ivo"


def test_who_was_too_late_learns_who_was_quicker(plan, mara, hanna):
    seen = plan.revision
    pin(plan, "Lea", "Uli", {"by": mara, "now": NOW})
    with pytest.raises(plans.ChangedMeanwhile) as refusal:
        plans.undo(plan=plan, by=hanna, now=NOW, revision=seen)
    assert "Mara Lindqvist changed this plan" in refusal.value.message
    assert "“Uli and Lea pinned together”" in refusal.value.message
    assert plans.solve(plan=plan, by=hanna, now=NOW, revision=plan.revision).revision == seen + 2


def test_another_plan_of_a_launched_cohort_is_changed_no_more(plan, change):
    other = plans.copy(plan=plan, name="Plan B", **change)
    type(plan.cohort).objects.filter(pk=plan.cohort_id).update(state="live", launched_at=NOW)
    for act in (plans.solve, plans.undo):
        with pytest.raises(plans.CohortLaunched):
            act(plan=other, **change)


def test_a_copy_goes_its_own_way(plan, change):
    pin(plan, "Lea", "Uli", change)
    other = plans.copy(plan=plan, name="  Plan   B ", **change)
    assert (other.name, proposed(other), other.step) == ("Plan B", proposed(plan), 1)
    assert other.steps.get().what == "Copied from another plan"
    plans.drop_rule(rule=other.rules.get(), **change)
    assert plan.rules.count() == 1
    plans.rename(plan=other, name="Without Uli", **change)
    assert Plan.objects.get(pk=other.pk).name == "Without Uli"
    plans.drop(plan=other, **change)
    with pytest.raises(plans.OnlyPlan):
        plans.drop(plan=plan, **change)
    assert list(plan.cohort.plans.all()) == [plan]


@pytest.mark.parametrize("size", [4, 24])
def test_solving_costs_the_same_for_any_number_of_people(team, mara, change, size):
    names = [f"Person {number}" for number in range(size)]
    cohort = make_cohort(
        team, {name: {"csat": 0.9} for name in names},
        {f"Coach {name}": {"csat": 0.8} for name in names[: size // 2]}, by=mara,
    )  # fmt: skip
    plan = plans.draft(cohort=cohort, **change)
    with CaptureQueriesContext(connection) as queries:
        plans.solve(plan=plan, **change)
    assert plan.matched == size
    assert len(queries) <= 30
    test_solving_costs_the_same_for_any_number_of_people.costs = {
        *getattr(test_solving_costs_the_same_for_any_number_of_people, "costs", ()),
        len(queries),
    }
    assert len(test_solving_costs_the_same_for_any_number_of_people.costs) == 1


def test_leaving_somebody_out_of_the_cohort_solves_every_plan(plan, change):
    other = plans.copy(plan=plan, name="B", **change)
    members.leave_out(cohort=plan.cohort, person=person("Max"), reason="Leaves", **change)
    for row in (plan, other):
        assert "Max" not in proposed(row)
