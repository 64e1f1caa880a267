"""Plans: the one optimum under the manager's rules, and the words for what cannot be."""

import pytest
from django.utils import timezone

from coaching.models import DraftPair, Event, HandRaise, Member, Pair, Plan, Rule
from coaching.services import cohorts, launches, plans, rankings
from tests import factories
from tests.conftest import NOW


def side(plan: Plan, name: str) -> list:
    members = plan.cohort.members.filter(side=name, left_out=False).order_by("pk")
    return [member.person for member in members.select_related("person__team")]


def proposed(plan: Plan) -> set[tuple[str, str]]:
    return {(row.learner.name, row.coach.name) for row in plan.draft_pairs.all()}


@pytest.fixture
def change(mara):
    """What every change of a plan says besides."""
    return {"by": mara, "now": NOW}


def test_the_weak_learn_from_the_strong(plan, crew, csat):
    learners, coaches = side(plan, "learner"), side(plan, "coach")
    assert crew[0] in learners
    assert crew[-1] in coaches
    assert plan.matched == plan.draft_pairs.count() == len(learners)
    assert not plan.unpaired.exists()
    for row in plan.draft_pairs.all():
        assert row.learner in learners
        assert row.coach in coaches
        assert row.metric == csat
        assert sum(part["points"] for part in row.parts) == row.score > 0
        assert row.feasible_coaches == len(coaches)
        assert row.runner_up not in (None, row.coach)


def test_a_plan_can_be_solved_again_and_is_the_same(plan, change):
    before = proposed(plan)
    plans.solve(plan=plan, **change)
    assert proposed(plan) == before
    assert plan.revision == 1


# -- rules -----------------------------------------------------------------------------------


def test_a_pin_holds(plan, crew, change):
    learner, coach = side(plan, "learner")[0], side(plan, "coach")[-1]
    other = side(plan, "coach")[0]
    for chosen in (coach, other):
        Rule.objects.all().delete()
        plans.add_rule(plan=plan, kind="pin", learner=learner, coach=chosen, **change)
        row = plan.draft_pairs.get(learner=learner)
        assert (row.coach, row.pinned) == (chosen, True)


def test_a_forbidden_pair_is_not_proposed_and_a_rule_can_be_dropped(plan, change):
    row = plan.draft_pairs.first()
    plans.add_rule(plan=plan, kind="forbid", learner=row.learner, coach=row.coach, **change)
    assert plan.draft_pairs.get(learner=row.learner).coach != row.coach
    total = plan.total
    # A second word on the same two people replaces the first.
    plans.add_rule(plan=plan, kind="pin", learner=row.learner, coach=row.coach, **change)
    assert plan.rules.count() == 1
    assert plan.draft_pairs.get(learner=row.learner).coach == row.coach
    plans.drop_rule(rule=plan.rules.get(), **change)
    plan.refresh_from_db()
    assert plan.total >= total
    assert plan.revision == 3


def test_rules_that_contradict_each_other_name_the_people_and_change_nothing(plan, change):
    learner = side(plan, "learner")[0]
    one, other = side(plan, "coach")[:2]
    plans.add_rule(plan=plan, kind="pin", learner=learner, coach=one, **change)
    before, revision = proposed(plan), plan.revision
    events = Event.objects.count()
    with pytest.raises(plans.RulesContradict) as refusal:
        plans.add_rule(plan=plan, kind="pin", learner=learner, coach=other, **change)
    assert learner.name in refusal.value.message
    plan.refresh_from_db()
    assert (proposed(plan), plan.revision, plan.rules.count()) == (before, revision, 1)
    assert Event.objects.count() == events


def test_more_pins_than_seats_are_refused_with_the_coachs_name(plan, change):
    coach = side(plan, "coach")[0]
    learners = side(plan, "learner")
    assert coach.capacity == 2 < len(learners)
    for learner in learners[:2]:
        plans.add_rule(plan=plan, kind="pin", learner=learner, coach=coach, **change)
    with pytest.raises(plans.RulesContradict) as refusal:
        plans.add_rule(plan=plan, kind="pin", learner=learners[2], coach=coach, **change)
    assert coach.name in refusal.value.message
    with pytest.raises(plans.RulesContradict):
        plans.set_capacity(plan=plan, coach=coach, seats=1, **change)
    assert Plan.objects.get(pk=plan.pk).capacities == {}


def test_nobody_is_paired_with_oneself(plan, change):
    learner = side(plan, "learner")[0]
    for kind in Rule.Kind:
        with pytest.raises(plans.RulesContradict, match="two people"):
            plans.add_rule(plan=plan, kind=kind, learner=learner, coach=learner, **change)


def test_a_pin_that_no_skill_carries_is_refused_in_words(plan, crew, change):
    learner = side(plan, "learner")[0]
    plans.take_in(plan=plan, person=crew[10], side="coach", reason="As agreed", **change)
    with pytest.raises(plans.RulesContradict) as refusal:
        plans.add_rule(plan=plan, kind="pin", learner=learner, coach=crew[10], **change)
    assert f"{crew[10].name} is not strong in Customer satisfaction" in refusal.value.message


# -- people ----------------------------------------------------------------------------------


def test_who_is_left_out_stays_listed_and_comes_back(plan, change):
    learner = side(plan, "learner")[0]
    plans.leave_out(plan=plan, person=learner, reason="On parental leave", **change)
    assert not plan.draft_pairs.filter(learner=learner).exists()
    assert plan.left_out == {learner.public_id: "On parental leave"}
    # The cohort, and other plans for it, keep them.
    assert not plan.cohort.members.get(person=learner).left_out
    other = plans.draft(cohort=plan.cohort, **change)
    assert other.draft_pairs.filter(learner=learner).exists()
    with pytest.raises(plans.CoachingError, match="is not in this plan"):
        plans.leave_out(plan=plan, person=learner, reason="As agreed", **change)
    plans.take_in(plan=plan, person=learner, side="learner", reason="As agreed", **change)
    assert plan.draft_pairs.filter(learner=learner).exists()
    assert plan.cohort.members.get(person=learner).source == Member.Source.RANKING


def test_a_rule_about_somebody_left_out_has_nothing_to_say(plan, change):
    row = plan.draft_pairs.first()
    plans.add_rule(plan=plan, kind="pin", learner=row.learner, coach=row.coach, **change)
    plans.leave_out(plan=plan, person=row.coach, reason="As agreed", **change)
    assert plan.draft_pairs.get(learner=row.learner).coach != row.coach


def test_a_manager_may_take_somebody_of_the_middle_in(plan, crew, change):
    middle = crew[10]
    plans.take_in(plan=plan, person=middle, side="learner", reason="Asked me", **change)
    member = plan.cohort.members.get(person=middle)
    assert (member.source, member.note) == (Member.Source.MANAGER, "Asked me")
    assert plan.draft_pairs.filter(learner=middle).exists()


def test_nobody_is_taken_in_of_whom_the_ranking_knows_nothing(plan, otto, crew, change):
    with pytest.raises(plans.CoachingError, match="Otto Weiss has no standing"):
        plans.take_in(plan=plan, person=otto, side="learner", reason="As agreed", **change)
    with pytest.raises(plans.CoachingError, match="learn or coach"):
        plans.take_in(plan=plan, person=crew[5], side="both", reason="As agreed", **change)
    assert not plan.cohort.members.filter(person__in=[otto, crew[5]]).exists()


def test_the_line_manager_is_never_the_coach(plan, team, crew, change):
    boss = crew[-1]
    team.manager = boss
    team.save()
    plans.solve(plan=plan, **change)
    assert boss in side(plan, "coach")
    assert not plan.draft_pairs.filter(coach=boss).exists()
    assert not plan.draft_pairs.filter(runner_up=boss).exists()
    # Nor is the manager of a team above.
    dock = factories.make_team("Dock", parent=team)
    type(boss).objects.filter(pk=crew[0].pk).update(team=dock)
    plans.solve(plan=plan, **change)
    assert not plan.draft_pairs.filter(coach=boss).exists()


def test_a_pair_that_ended_is_never_proposed_again(plan, csat, change):
    row = plan.draft_pairs.first()
    factories.make_pair(
        row.learner, row.coach, metric=csat, cohort=plan.cohort, now=NOW,
        state="ended", ended_at=NOW, ending="accepted",
    )  # fmt: skip
    plans.solve(plan=plan, **change)
    assert plan.draft_pairs.get(learner=row.learner).coach != row.coach


def test_peers_coach_peers(fill, team, csat, mara, draft_cohort, ranking, change):
    specialists = fill(team, 12, role="Specialist")
    both = rankings.run(scorecard=ranking.scorecard, by=mara, now=NOW)
    cohort = cohorts.create(
        ranking=both, name="Both", test_date=draft_cohort().test_date, target_form="gap_top",
        by=mara, now=NOW,
    )  # fmt: skip
    plan = plans.draft(cohort=cohort, **change)
    assert plan.draft_pairs.filter(learner__in=specialists).exists()
    for row in plan.draft_pairs.all():
        assert row.learner.role == row.coach.role


# -- seats -----------------------------------------------------------------------------------


def test_seats_can_be_changed_for_one_plan(plan, change):
    coaches = side(plan, "coach")
    for coach in coaches[1:]:
        plans.set_capacity(plan=plan, coach=coach, seats=0, **change)
    assert {row.coach for row in plan.draft_pairs.all()} == {coaches[0]}
    assert plan.draft_pairs.count() == 2
    assert plan.unpaired.count() == len(side(plan, "learner")) - 2
    reason = plan.unpaired.first().reason
    assert coaches[0].name in reason or "seat" in reason
    with pytest.raises(plans.CoachingError, match="from 0 to 50"):
        plans.set_capacity(plan=plan, coach=coaches[0], seats=51, **change)


def test_two_managers_seats_do_not_overwrite_each_other(plan, change):
    one, other = side(plan, "coach")[:2]
    stale = Plan.objects.get(pk=plan.pk)
    plans.set_capacity(plan=plan, coach=one, seats=3, **change)
    plans.set_capacity(plan=stale, coach=other, seats=1, **change)
    plan.refresh_from_db()
    assert plan.capacities == {one.public_id: 3, other.public_id: 1}


def test_seats_taken_in_another_cohort_are_taken_here(plan, csat, team, change):
    coach = plan.draft_pairs.first().coach
    other = factories.make_cohort(team, csat, now=NOW)
    for _ in range(2):
        factories.make_pair(
            factories.make_person(team=team), coach, metric=csat, cohort=other, now=NOW
        )
    plans.solve(plan=plan, **change)
    assert not plan.draft_pairs.filter(coach=coach).exists()
    Pair.objects.filter(coach=coach).update(state="passed", passed_at=NOW)
    plans.solve(plan=plan, **change)
    assert plan.draft_pairs.filter(coach=coach).exists()


def test_who_has_a_coach_for_it_already_is_not_given_a_second_one(plan, csat, team, change):
    row = plan.draft_pairs.first()
    other = factories.make_cohort(team, csat, now=NOW)
    factories.make_pair(
        row.learner, factories.make_person(team=team), metric=csat, cohort=other, now=NOW
    )
    plans.solve(plan=plan, **change)
    assert not plan.draft_pairs.filter(learner=row.learner).exists()
    assert "has a coach already" in plan.unpaired.get(learner=row.learner).reason
    launches.launch(plan=plan, **change)


def test_a_plan_without_coaches_says_what_to_do(plan, change):
    for coach in side(plan, "coach"):
        plans.leave_out(plan=plan, person=coach, reason="As agreed", **change)
    assert plan.matched == 0
    assert "Add a coach" in plan.unpaired.first().reason
    with pytest.raises(launches.NothingToLaunch):
        launches.launch(plan=plan, **change)


def test_an_empty_cohort_can_be_solved(plan, change):
    for person in [*side(plan, "coach"), *side(plan, "learner")]:
        plans.leave_out(plan=plan, person=person, reason="As agreed", **change)
    assert (plan.matched, plan.total, plan.unpaired.count()) == (0, 0, 0)


# -- hands -----------------------------------------------------------------------------------


def test_a_raised_hand_is_added_and_asks_for_its_own_skill(crew, csat, draft_cohort, mara, change):
    hand = HandRaise.objects.create(
        person=crew[12], metric=csat, note="The closing part", raised_at=NOW
    )
    cohort = draft_cohort()
    member = cohort.members.get(person=crew[12])
    assert (member.source, member.side, member.note) == ("hand", "learner", "The closing part")
    assert cohort.members.filter(person=crew[0], source="ranking").exists()
    plan = plans.draft(cohort=cohort, **change)
    assert plan.draft_pairs.get(learner=crew[12]).metric == csat
    launches.launch(plan=plan, **change)
    hand.refresh_from_db()
    assert hand.lowered_at == NOW


def test_a_strong_hand_learns_and_does_not_coach(crew, csat, draft_cohort):
    HandRaise.objects.create(person=crew[-1], metric=csat, raised_at=NOW)
    assert draft_cohort().members.get(person=crew[-1]).side == "learner"


def test_a_lowered_hand_is_not_taken(crew, csat, draft_cohort):
    HandRaise.objects.create(person=crew[12], metric=csat, raised_at=NOW, lowered_at=timezone.now())
    assert not draft_cohort().members.filter(person=crew[12]).exists()


# -- after the launch --------------------------------------------------------------------------


def test_a_launched_plan_is_changed_no_more(plan, crew, change):
    launches.launch(plan=plan, **change)
    row = plan.draft_pairs.first()
    before = list(DraftPair.objects.values_list("pk", flat=True))
    for act in (
        lambda: plans.solve(plan=plan, **change),
        lambda: plans.add_rule(
            plan=plan, kind="forbid", learner=row.learner, coach=row.coach, **change
        ),
        lambda: plans.set_capacity(plan=plan, coach=row.coach, seats=5, **change),
        lambda: plans.leave_out(plan=plan, person=row.learner, reason="As agreed", **change),
        lambda: plans.take_in(
            plan=plan, person=crew[10], side="learner", reason="As agreed", **change
        ),
    ):
        with pytest.raises(plans.NotADraft):
            act()
    assert list(DraftPair.objects.values_list("pk", flat=True)) == before
    assert not Rule.objects.exists()
    assert not Member.objects.filter(left_out=True).exists()
