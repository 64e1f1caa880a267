"""What another choice would cost is exactly what it costs when somebody makes it."""

import random

import pytest

from coaching.models import Plan, Rule
from coaching.services import plans
from coaching.services.plans import comparison, loads, what_if
from tests import factories
from tests.conftest import NOW
from tests.services.planning import make_plan, person, proposed, worth


@pytest.fixture
def change(mara):
    return {"by": mara, "now": NOW}


def some_plan(team, mara, seed: int, **wishes) -> Plan:
    """Nine learners and four coaches with few seats, three skills, two peer groups."""
    chance = random.Random(seed)
    skills = ("csat", "quality", "speed")
    learners = {
        f"L{at}": {key: round(chance.uniform(0.3, 1), 3) for key in skills} for at in range(9)
    }
    coaches = {
        f"C{at}": {key: round(chance.uniform(0.3, 1), 3) for key in skills} for at in range(4)
    }
    people = {
        name: {"capacity": chance.randint(1, 3), "group": "a" if at % 4 else "b"}
        for at, name in enumerate([*coaches, *learners])
    }
    return make_plan(team, learners, coaches, by=mara, people=people, **wishes)


def assert_prices_hold(plan: Plan, learner, change: dict) -> None:
    """Pin each coach in turn: the plan loses what its price says, or it is refused."""
    before = worth(plan)
    prices = what_if.prices(plan, learner)
    assert len(prices.offers) == 4
    for offer in prices.offers:
        if offer.here:
            assert (offer.lost_seats, offer.lost_score, offer.moves) == (0, 0, [])
            continue
        if not offer.possible:
            assert offer.why_not
            with pytest.raises(plans.RulesContradict):
                plans.add_rule(plan=plan, kind="pin", learner=learner, coach=offer.coach, **change)
            continue
        solved = plans.add_rule(plan=plan, kind="pin", learner=learner, coach=offer.coach, **change)
        lost = (before[0] - solved.matched, before[1] - solved.total)
        assert (offer.lost_seats, offer.lost_score) == lost, offer.coach
        assert offer.exact
        assert offer.moves[0][0] == learner
        assert len(offer.left_without) >= offer.lost_seats
        plans.undo(plan=plan, **change)
    assert worth(plan) == before


@pytest.mark.parametrize("seed", range(6))
def test_a_price_is_what_pinning_costs(team, mara, change, seed):
    plan = some_plan(team, mara, seed)
    assert plan.matched
    for name in ("L0", "L1", "L5"):
        assert_prices_hold(plan, person(name), change)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_price_is_exact_when_the_lot_decides(team, mara, change, seed):
    plan = some_plan(team, mara, seed, lot=seed + 11)
    waiting = plan.unpaired.first()
    assert waiting
    for learner in (waiting.learner, plan.draft_pairs.first().learner):
        assert_prices_hold(plan, learner, change)


@pytest.mark.parametrize("seed", range(4))
def test_a_price_is_exact_when_somebody_gets_two_coaches(team, mara, change, seed):
    plan = some_plan(team, mara, seed)
    for name in ("L1", "L2"):
        try:
            plans.wish(plan=plan, wants={**plan.wants, person(name).public_id: 2}, **change)
        except plans.WishRefused:
            continue
    assert plan.wants
    assert_prices_hold(plan, person("L5"), change)


def test_offers_come_with_the_present_coach_first_then_the_cheapest(team, mara):
    plan = some_plan(team, mara, 1)
    pair = plan.draft_pairs.select_related("learner", "coach").first()
    offers = what_if.prices(plan, pair.learner).offers
    assert offers[0].coach == pair.coach
    assert offers[0].here
    assert offers[0].parts == pair.parts
    costs = [(offer.lost_seats, offer.lost_score) for offer in offers[1:] if offer.possible]
    assert costs == sorted(costs)
    stored = (pair.runner_up, pair.runner_up_cost)
    assert stored[0] in {
        offer.coach for offer in offers[1:] if (offer.lost_seats, offer.lost_score) == costs[0]
    }


def test_both_sides_have_a_runner_up(team, mara):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}, "Max": {"csat": 0.8}}, {"Ivo": {"csat": 0.9}}, by=mara,
        people={"Ivo": {"capacity": 1}, "Lea": {"site": "Leeds"}, "Ivo ": {}},
    )  # fmt: skip
    seated = plan.draft_pairs.get().learner
    other = plan.unpaired.get().learner
    (following,) = what_if.prices(plan, seated).next_learners
    assert (following.coach, following.learner) == (person("Ivo"), other)


def test_somebody_elsewhere_has_no_prices(team, mara, otto):
    plan = some_plan(team, mara, 1)
    with pytest.raises(plans.NotInPlan, match="Otto Weiss is not a learner"):
        what_if.prices(plan, otto)


def test_why_not_says_which_rule_or_fact(team, mara, change):
    plan = make_plan(
        team,
        {"Lea": {"csat": 0.9}},
        {name: {"csat": 0.9} for name in ("Ivo", "Ada", "Uli", "Tom", "Zoe")}
        | {"Kim": {"csat": 0.2}},
        by=mara, people={"Uli": {"group": "other"}, "Tom": {"capacity": 0}},
    )  # fmt: skip
    team.manager = person("Zoe")
    team.save()
    plans.add_rule(plan=plan, kind="forbid", learner=person("Lea"), coach=person("Ada"), **change)
    why = {offer.coach.name: offer.why_not for offer in what_if.prices(plan, person("Lea")).offers}
    assert why == {
        "Ivo": "",
        "Ada": "You keep Ada and Lea apart.",
        "Uli": "Uli and Lea are of different peer groups; only peers coach peers.",
        "Tom": "Tom has no seat left.",
        "Zoe": "Zoe is the line manager of Lea, and a coach is a peer.",
        "Kim": "Kim is not strong in Csat, which Lea needs.",
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_swap_costs_what_it_says(team, mara, change, seed):
    plan = some_plan(team, mara, seed)
    rows = list(plan.draft_pairs.select_related("learner", "coach"))
    before, tried = worth(plan), 0
    for one in rows[:3]:
        for other in rows[3:6]:
            price = what_if.swap_price(plan, one, other)
            if price.refused:
                with pytest.raises(plans.RulesContradict):
                    plans.swap(plan=plan, one=one, other=other, **change)
                continue
            plans.swap(plan=plan, one=one, other=other, **change)
            assert proposed(plan)[one.learner.name] == other.coach.name
            assert proposed(plan)[other.learner.name] == one.coach.name
            assert (price.lost_seats, price.lost_score) == (
                before[0] - plan.matched, before[1] - plan.total,
            )  # fmt: skip
            plans.undo(plan=plan, **change)
            tried += 1
    assert worth(plan) == before
    assert tried


def test_two_of_one_coach_have_nothing_to_swap(team, mara, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}, "Max": {"csat": 0.9}}, {"Ivo": {"csat": 0.9}}, by=mara
    )
    one, other = plan.draft_pairs.select_related("learner", "coach")
    assert "same coach already" in what_if.swap_price(plan, one, other).refused
    with pytest.raises(plans.RulesContradict, match="two different learners"):
        plans.swap(plan=plan, one=one, other=one, **change)


def test_a_rule_is_tried_without_being_made(team, mara, change):
    plan = some_plan(team, mara, 2)
    pair = plan.draft_pairs.select_related("learner", "coach").first()
    before = worth(plan), plan.revision, plan.steps.count()
    both = {"learner": pair.learner, "coach": pair.coach}
    price = what_if.rule_price(plan, kind="forbid", **both)
    assert (worth(plan), plan.revision, plan.steps.count()) == before
    assert not Rule.objects.exists()
    plans.add_rule(plan=plan, kind="forbid", **both, **change)
    assert (price.lost_seats, price.lost_score) == (
        before[0][0] - plan.matched, before[0][1] - plan.total,
    )  # fmt: skip
    assert price.moves == plan.moved
    assert what_if.rule_price(plan, kind="pin", learner=pair.learner, coach=pair.learner).refused


def test_floors_tell_what_each_would_cost(team, mara, change):
    plan = some_plan(team, mara, 3)
    floors = what_if.floors(plan)
    assert [row.floor for row in floors] == sorted({row.floor for row in floors})
    assert 4 <= len(floors) <= 10
    assert [row.floor for row in floors if row.here] == [0]
    assert (floors[0].matched, floors[0].total, floors[0].worst) == (
        plan.matched, plan.total, plan.worst,
    )  # fmt: skip
    keeps = max(row.floor for row in floors if row.matched == plan.matched)
    for row in floors:
        solved = plans.wish(plan=plan, floor=row.floor, **change)
        assert (solved.matched, solved.total, solved.worst) == (row.matched, row.total, row.worst)
        assert solved.matched == 0 or solved.worst >= row.floor
        assert not plan.draft_pairs.filter(score__lt=row.floor).exists()
    assert plans.wish(plan=plan, floor=keeps + 1, **change).matched < floors[0].matched


def test_two_plans_side_by_side(team, mara, change):
    plan = some_plan(team, mara, 1)
    other = plans.copy(plan=plan, name="B", **change)
    same = comparison.side_by_side(plan, other)
    assert same.differs == []
    assert all(one == two for _, one, two in same.rows)
    pair = plan.draft_pairs.select_related("learner", "coach").first()
    plans.add_rule(plan=other, kind="forbid", learner=pair.learner, coach=pair.coach, **change)
    told = comparison.side_by_side(plan, other)
    rows = {label: (one, two) for label, one, two in told.rows}
    assert rows["Total score"] == (plan.total, other.total)
    assert rows["Kept apart"] == (0, 1)
    mine = [row for row in told.differs if row[0] == pair.learner]
    assert mine[0][2] == pair.coach != mine[0][3]
    assert sum(row[1] for row in told.by_site) == plan.matched


def test_a_coachs_load_counts_every_cohort(team, mara, csat, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}}, {"Ivo": {"csat": 0.9}}, by=mara,
        people={"Ivo": {"capacity": 3}},
    )  # fmt: skip
    running = factories.make_cohort(team, csat, now=NOW)
    ivo = person("Ivo")
    factories.make_pair(factories.make_person(team=team), ivo, metric=csat, cohort=running, now=NOW)
    load = loads.of([ivo], plan=plan)[ivo.pk]
    assert (load.seats, load.busy, load.here, load.free, load.hours) == (3, 1, 1, 1, 3.0)
