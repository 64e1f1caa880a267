"""What a manager can wish of a plan, and what is refused in words."""

from datetime import date, time

import pytest

from coaching.models import Metric, Pair, Plan, Standing
from coaching.services import plans
from tests import factories
from tests.conftest import NOW
from tests.services.planning import make_plan, person, proposed, standing, worth


@pytest.fixture
def change(mara):
    return {"by": mara, "now": NOW}


def parts_of(plan: Plan, learner: str) -> dict[str, int]:
    pair = plan.draft_pairs.get(learner=person(learner))
    assert sum(part["points"] for part in pair.parts) == pair.score
    return {part["name"]: part["points"] for part in pair.parts}


# -- preferences -----------------------------------------------------------------------------


def test_what_two_have_in_common_is_a_part_of_the_score(team, mara, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}}, {"Ivo": {"csat": 0.8}}, by=mara,
        people={
            "Lea": {"site": "Leeds", "shift": "early", "language": "de", "team": None,
                    "started_on": date(2026, 1, 1), "day_begins": time(9), "day_ends": time(13)},
            "Ivo": {"site": "Leeds", "shift": "late", "language": "de", "team": None,
                    "started_on": date(2023, 1, 2), "day_begins": time(11), "day_ends": time(19)},
        },
    )  # fmt: skip
    assert parts_of(plan, "Lea") == {"Csat": 800}
    everything = dict.fromkeys(("site", "shift", "language", "hours", "tenure", "contact"), 100)
    plans.wish(plan=plan, preferences=everything, **change)
    assert parts_of(plan, "Lea") == {
        "Csat": 800,
        "Same site": 100,
        "Same language": 100,
        # Two of the four hours of whoever works less.
        "Common working hours": 50,
        # Three years apart: half way between one and five.
        "Similar time in the job": 50,
    }


def test_working_hours_are_compared_across_time_zones(team, mara, change):
    hours = {"day_begins": time(9), "day_ends": time(17)}
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}},
        {"Ivo": {"csat": 0.8}, "Ada": {"csat": 0.8}, "Uli": {"csat": 0.8}}, by=mara,
        people={
            "Lea": {"time_zone": "Europe/Zurich", **hours},
            "Ivo": {"time_zone": "America/New_York", **hours},
            "Ada": {"time_zone": "Europe/London", **hours},
            "Uli": {"time_zone": "Asia/Tokyo", "day_begins": time(22), "day_ends": time(6)},
        },
        preferences={"hours": 80},
    )  # fmt: skip
    scores = {
        offer.coach.name: offer.score for offer in plans.what_if.prices(plan, person("Lea")).offers
    }
    # Six hours behind leave two of eight; one hour leaves seven; the night in Tokyo from 14 to 22
    # in Zurich leaves three.
    assert scores == {"Ivo": 820, "Ada": 870, "Uli": 830}
    assert proposed(plan) == {"Lea": "Ada"}


def test_who_worked_together_knows_each_other(team, other_team, mara, csat, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}, "Max": {"csat": 0.9}, "Nia": {"csat": 0.9}},
        {"Ivo": {"csat": 0.8}}, by=mara,
        people={"Lea": {"team": other_team}, "Max": {"team": other_team},
                "Ivo": {"capacity": 3}},
    )  # fmt: skip
    before = factories.make_cohort(team, csat, now=NOW, state="closed")
    factories.make_pair(
        person("Lea"), person("Ivo"), metric=csat, cohort=before, now=NOW,
        state="passed", passed_at=NOW,
    )  # fmt: skip
    plans.wish(plan=plan, preferences={"contact": 40}, **change)
    scores = {pair.learner.name: pair.score for pair in plan.draft_pairs.all()}
    assert scores == {"Lea": 840, "Max": 800, "Nia": 840}


@pytest.mark.parametrize(
    ("wishes", "field", "words"),
    [
        ({"preferences": {"horoscope": 5}}, "preferences", "is no preference"),
        ({"preferences": {"site": -1}}, "preferences", "from 0 to 1000"),
        ({"preferences": {"site": True}}, "preferences", "whole number"),
        ({"weights": {"juggling": 1}}, "weights", "no skill “juggling”"),
        ({"weights": {"csat": -1}}, "weights", "Csat is a number from 0"),
        ({"weights": {"csat": float("nan")}}, "weights", "number from 0"),
        ({"weights": {"csat": 0}}, "weights", "At least one"),
        ({"floor": 1001}, "floor", "from 0 to 1000"),
        ({"lot": -1}, "lot", "from 0"),
        ({"wants": {"nobody": 2}}, "wants", "Only learners"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(team, mara, change, wishes, field, words):
    plan = make_plan(team, {"Lea": {"csat": 0.9}}, {"Ivo": {"csat": 0.8}}, by=mara)
    before = plan.revision
    with pytest.raises(plans.WishRefused, match=words) as refusal:
        plans.wish(plan=plan, **wishes, **change)
    assert refusal.value.field == field
    assert Plan.objects.get(pk=plan.pk).revision == before


def test_weights_of_the_plan_go_before_those_of_the_ranking(team, mara, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.8, "speed": 0.8}},
        {"Ivo": {"csat": 0.9, "speed": 0.6}, "Ada": {"csat": 0.5, "speed": 0.9}}, by=mara,
    )  # fmt: skip
    assert proposed(plan) == {"Lea": "Ivo"}
    plans.wish(plan=plan, weights={"speed": 5}, **change)
    assert proposed(plan) == {"Lea": "Ada"}
    plans.wish(plan=plan, weights={"speed": 0}, **change)
    assert plan.draft_pairs.get().metric.key == "csat"
    plans.wish(plan=plan, weights={}, **change)
    assert proposed(plan) == {"Lea": "Ivo"}


# -- two coaches ------------------------------------------------------------------------------


def test_a_learner_with_two_coaches_gets_them_for_two_skills(team, mara, change):
    plan = make_plan(
        team,
        {"Lea": {"csat": 0.9, "quality": 0.6, "speed": 0.8}, "Max": {"csat": 0.7, "quality": 0.1,
                                                                    "speed": 0.2}},
        {"Ivo": {"csat": 0.9, "quality": 0.9, "speed": 0.9},
         "Ada": {"csat": 0.6, "quality": 0.1, "speed": 0.8}}, by=mara,
    )  # fmt: skip
    plans.wish(plan=plan, wants={person("Lea").public_id: 2}, **change)
    rows = {
        (row.metric.key, row.coach.name) for row in plan.draft_pairs.filter(learner__name="Lea")
    }
    # Ivo is better in both; by going to Ada for speed Lea loses least.
    assert rows == {("csat", "Ivo"), ("speed", "Ada")}
    assert plan.matched == 3
    plans.add_rule(plan=plan, kind="forbid", learner=person("Lea"), coach=person("Ada"), **change)
    assert plan.draft_pairs.filter(learner__name="Lea").count() == 1
    reason = plan.unpaired.get().reason
    assert reason.startswith("Lea has a coach for ")
    plans.undo(plan=plan, **change)
    plans.add_rule(plan=plan, kind="pin", learner=person("Lea"), coach=person("Ada"), **change)
    assert plan.draft_pairs.get(learner__name="Lea", pinned=True).coach.name == "Ada"
    assert plan.draft_pairs.filter(learner__name="Lea").count() == 2
    plans.wish(plan=plan, wants={}, **change)
    assert proposed(plan)["Lea"] == "Ada"


def test_two_coaches_are_the_best_two_there_are(team, mara, change):
    """Every way of giving three learners two coaches each, against the one that is found."""
    from itertools import permutations, product

    coaches = {"Ivo": (0.93, 0.88), "Ada": (0.71, 0.9), "Uli": (0.84, 0.55)}
    plan = make_plan(
        team, {name: {"csat": 0.9, "speed": 0.8} for name in ("Lea", "Max", "Nia")},
        {name: {"csat": one, "speed": two} for name, (one, two) in coaches.items()},
        by=mara, people={name: {"capacity": 2} for name in coaches},
    )  # fmt: skip
    plans.wish(
        plan=plan, wants={person(name).public_id: 2 for name in ("Lea", "Max", "Nia")}, **change
    )
    best = max(
        sum(int(1000 * coaches[a][0]) + int(1000 * coaches[b][1]) for a, b in chosen)
        for chosen in product(permutations(coaches, 2), repeat=3)
        if all(sum(name in pair for pair in chosen) == 2 for name in coaches)
    )
    assert (plan.matched, plan.total) == (6, best)
    for name in ("Lea", "Max", "Nia"):
        assert len({row.coach for row in plan.draft_pairs.filter(learner__name=name)}) == 2


def test_a_second_coach_needs_a_second_skill(team, mara, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9, "speed": 0.3}}, {"Ivo": {"csat": 0.9, "speed": 0.9}}, by=mara
    )
    with pytest.raises(plans.WishRefused, match="Lea lacks only one skill for certain"):
        plans.wish(plan=plan, wants={person("Lea").public_id: 2}, **change)


# -- the lot ----------------------------------------------------------------------------------


def test_the_lot_draws_who_waits_and_says_so(team, mara, change):
    names = [f"L{at}" for at in range(8)]
    plan = make_plan(
        team, {name: {"csat": 0.5 + at / 20} for at, name in enumerate(names)},
        {"Ivo": {"csat": 0.9}}, by=mara, people={"Ivo": {"capacity": 3}},
    )  # fmt: skip
    seated = set()
    for seed in range(4):
        plans.wish(plan=plan, lot=seed, **change)
        mine = frozenset(proposed(plan))
        assert len(mine) == 3
        seated.add(mine)
        places = list(plan.unpaired.values_list("place", flat=True))
        assert sorted(places) == [4, 5, 6, 7, 8]
        waiting = plan.unpaired.first()
        assert (waiting.scarce, waiting.seats) == (True, 3)
        assert waiting.contested == [person("Ivo").public_id]
        assert f"The lot decided: place {waiting.place} of 8." in waiting.reason
        plans.solve(plan=plan, **change)
        assert frozenset(proposed(plan)) == mine
    assert len(seated) > 1
    plans.add_rule(plan=plan, kind="pin", learner=waiting.learner, coach=person("Ivo"), **change)
    assert waiting.learner.name in proposed(plan)
    plans.wish(plan=plan, lot=None, **change)
    assert set(plan.unpaired.values_list("place", flat=True)) == {None}


def test_who_only_lacks_a_seat_is_told_apart_from_who_lacks_a_coach(team, mara):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}, "Max": {"csat": 0.9}, "Nia": {"speed": 0.9}},
        {"Ivo": {"csat": 0.9}}, by=mara, people={"Ivo": {"capacity": 1}},
    )  # fmt: skip
    scarce = {row.learner.name: row.scarce for row in plan.unpaired.all()}
    assert scarce.pop("Nia") is False
    assert list(scarce.values()) == [True]
    assert "No coach here is strong" in plan.unpaired.get(learner__name="Nia").reason


# -- contradictions ---------------------------------------------------------------------------


def test_contradictions_name_people_and_rules(team, mara, change):
    plan = make_plan(
        team, {name: {"csat": 0.9} for name in ("Lea", "Max", "Nia", "Tom")},
        {"Ivo": {"csat": 0.9}, "Ada": {"csat": 0.8}, "Kim": {"csat": 0.2},
         "Uli": {"csat": 0.9}, "Zoe": {"csat": 0.9}}, by=mara,
        people={"Uli": {"group": "other"}},
    )  # fmt: skip
    team.manager = person("Zoe")
    team.save()
    csat = Metric.objects.get(key="csat")
    old = factories.make_cohort(team, csat, now=NOW)
    factories.make_pair(
        person("Tom"), person("Ada"), metric=csat, cohort=old, now=NOW,
        state=Pair.State.ENDED, ending=Pair.Ending.DECLINED, ended_at=NOW,
    )  # fmt: skip

    def refused(learner: str, coach: str) -> str:
        with pytest.raises(plans.CoachingError) as refusal:
            plans.add_rule(
                plan=plan, kind="pin", learner=person(learner), coach=person(coach), **change
            )
        assert not plan.rules.exists() or plan.rules.count() == kept
        return refusal.value.message

    kept = 0
    assert "Kim is not strong in Csat, which Lea needs" in refused("Lea", "Kim")
    assert "different peer groups" in refused("Lea", "Uli")
    assert "Zoe is the line manager of Lea" in refused("Lea", "Zoe")
    assert "Ada and Tom were a pair before" in refused("Tom", "Ada")
    assert "cannot coach themselves" in refused("Lea", "Lea")
    assert "Ivo is a coach in this cohort" in refused("Ivo", "Lea")
    for name in ("Lea", "Max"):
        plans.add_rule(plan=plan, kind="pin", learner=person(name), coach=person("Ivo"), **change)
    kept = 2
    assert refused("Nia", "Ivo") == (
        "Ivo has two seats left, but Lea, Max and Nia are pinned there. Lift a pin or add a seat."
    )
    assert "Lea is pinned with Ivo and Ada, but gets one coach" in refused("Lea", "Ada")
    with pytest.raises(plans.RulesContradict, match="Ivo and Lea score 900, and no pair shall"):
        plans.wish(plan=plan, floor=950, **change)
    assert Plan.objects.get(pk=plan.pk).floor == 0


def test_a_pair_that_ended_without_blame_may_be_paired_again(team, mara, csat, change):
    plan = make_plan(team, {"Lea": {"csat": 0.9}}, {"Ivo": {"csat": 0.9}}, by=mara)
    old = factories.make_cohort(team, csat, now=NOW)
    pair = factories.make_pair(
        person("Lea"), person("Ivo"), metric=csat, cohort=old, now=NOW,
        state=Pair.State.ENDED, ending=Pair.Ending.AWAY, ended_at=NOW,
    )  # fmt: skip
    plans.solve(plan=plan, **change)
    assert proposed(plan) == {"Lea": "Ivo"}
    pair.ending = Pair.Ending.DECLINED
    pair.save()
    plans.solve(plan=plan, **change)
    assert proposed(plan) == {}


def test_nobody_learns_and_teaches_the_same_skill(team, mara, change):
    """Elsewhere Ivo learns csat, and Lea coaches it; speed is free for both."""
    plan = make_plan(
        team, {"Lea": {"csat": 0.9, "speed": 0.8}, "Max": {"csat": 0.9, "speed": 0.8}},
        {"Ivo": {"csat": 0.9, "speed": 0.9}}, by=mara, people={"Ivo": {"capacity": 3}},
    )  # fmt: skip
    csat = Metric.objects.get(key="csat")
    other = factories.make_cohort(team, csat, now=NOW)
    some, body = (factories.make_person(team=team) for _ in range(2))
    factories.make_pair(person("Ivo"), some, metric=csat, cohort=other, now=NOW)
    factories.make_pair(body, person("Lea"), metric=csat, cohort=other, now=NOW)
    plans.solve(plan=plan, **change)
    assert {row.metric.key for row in plan.draft_pairs.all()} == {"speed"}
    assert plan.matched == 2


@pytest.mark.parametrize(("learners", "coaches"), [(0, 0), (0, 2), (2, 0)])
def test_an_empty_side_is_no_failure(team, mara, change, learners, coaches):
    plan = make_plan(
        team, {f"L{at}": {"csat": 0.9} for at in range(learners)},
        {f"C{at}": {"csat": 0.9} for at in range(coaches)}, by=mara,
    )  # fmt: skip
    assert worth(plan) == (0, 0)
    assert plan.unpaired.count() == learners
    for what in ({"floor": 10}, {"lot": 3}):
        plans.wish(plan=plan, **what, **change)
    assert [row.matched for row in plans.what_if.floors(plan)] == [0, 0]
    if learners:
        assert plans.what_if.prices(plan, person("L0")).offers == []


def test_without_a_seat_anywhere_everybody_is_told(team, mara, change):
    plan = make_plan(
        team, {"Lea": {"csat": 0.9}}, {"Ivo": {"csat": 0.9}}, by=mara,
        people={"Ivo": {"capacity": 0}},
    )  # fmt: skip
    (row,) = plan.unpaired.all()
    assert row.scarce
    assert "Ivo" in row.reason
    assert "one more seat" in row.reason


def test_somebody_new_in_the_ranking_counts_from_the_next_solving(team, mara, change):
    plan = make_plan(team, {"Lea": {"csat": 0.9}}, {"Ivo": {"csat": 0.9}}, by=mara)
    noor = factories.make_person("Noor", team=team)
    metric = Metric.objects.get(key="csat")
    Standing.objects.bulk_create([standing(plan.cohort.ranking, noor, metric, "learner", 0.8)])
    plans.take_in(plan=plan, person=noor, side="learner", reason="New", **change)
    assert proposed(plan) == {"Lea": "Ivo", "Noor": "Ivo"}
