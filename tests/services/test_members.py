"""A manager adds to a draft cohort and leaves people out of it, and says why."""

import pytest

from coaching.models import Event, Member
from coaching.services import members, plans
from coaching.services.members import NoReason, NotADraft, NotInRanking, NotSelected
from tests import factories
from tests.conftest import NOW


@pytest.fixture
def change(cohort, mara):
    def change(what, person, *, reason="Asked for it in her review", **values):
        return what(cohort=cohort, person=person, reason=reason, by=mara, now=NOW, **values)

    return change


def ranked(cohort) -> set[int]:
    return set(cohort.members.filter(source="ranking").values_list("person", flat=True))


def test_an_addition_is_marked_and_replaces_nobody(change, cohort, crew, mara):
    before = ranked(cohort)
    member = change(members.add, crew[12], side="learner")
    assert (member.source, member.note) == ("manager", "Asked for it in her review")
    assert ranked(cohort) == before
    event = Event.objects.get(verb="member added")
    assert (event.actor, event.subject_id) == (mara, cohort.public_id)
    assert event.details == {
        "person": crew[12].public_id, "side": "learner", "reason": member.note,
    }  # fmt: skip


def test_who_is_left_out_stays_listed_with_the_reason_and_can_come_back(change, cohort, crew):
    assert cohort.members.get(person=crew[0]).side == "learner"
    change(members.leave_out, crew[0], reason="On leave until May")
    member = cohort.members.get(person=crew[0])
    assert (member.left_out, member.note, member.source) == (
        True, "On leave until May", "ranking",
    )  # fmt: skip
    assert cohort.members.filter(left_out=False).exclude(source="ranking").count() == 0
    change(members.take_back, crew[0], reason="Back earlier")
    member.refresh_from_db()
    assert (member.left_out, member.side) == (False, "learner")
    assert Event.objects.filter(subject_id=cohort.public_id, verb__startswith="member").count() == 2


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_happens(change, cohort, crew, reason):
    for what, values in (
        (members.add, {"side": "coach"}), (members.leave_out, {}), (members.take_back, {}),
    ):  # fmt: skip
        with pytest.raises(NoReason):
            change(what, crew[0], reason=reason, **values)
    assert not cohort.members.filter(left_out=True).exists()


def test_who_is_in_cannot_be_added_and_who_is_not_cannot_be_left_out(change, cohort, crew):
    with pytest.raises(members.SelectedAlready, match="already, as a learner"):
        change(members.add, crew[0], side="coach")
    with pytest.raises(NotSelected):
        change(members.leave_out, crew[12])
    with pytest.raises(NotSelected):
        change(members.take_back, crew[0])
    change(members.leave_out, crew[0])
    with pytest.raises(members.SelectedAlready, match="take them back"):
        change(members.add, crew[0], side="learner")


def test_only_somebody_of_the_ranking_can_be_added(change, team, cohort):
    with pytest.raises(NotInRanking, match="rank again"):
        change(members.add, factories.make_person("New Noor", team=team), side="learner")


def test_an_existing_plan_is_solved_again(change, plan, crew):
    learners = plan.draft_pairs.count() + plan.unpaired.count()
    change(members.leave_out, crew[0])
    change(members.add, crew[12], side="learner")
    change(members.add, crew[11], side="learner")
    revision = plan.revision
    plan.refresh_from_db()
    assert plan.draft_pairs.count() + plan.unpaired.count() == learners + 1
    assert plan.revision == revision + 3
    assert not plan.draft_pairs.filter(learner=crew[0]).exists()


def test_a_launched_cohort_is_changed_no_more(change, cohort, crew):
    type(cohort).objects.filter(pk=cohort.pk).update(state="live", launched_at=NOW)
    with pytest.raises(NotADraft):
        change(members.add, crew[12], side="learner")
    assert not Member.objects.filter(source="manager").exists()


def test_a_plan_leaves_out_for_itself_and_the_cohort_for_all_plans(plan, crew, mara, cohort):
    other = plans.draft(cohort=cohort, by=mara, now=NOW)
    plans.leave_out(plan=plan, person=crew[0], reason="Holiday", by=mara, now=NOW)
    assert not cohort.members.get(person=crew[0]).left_out
    members.leave_out(cohort=cohort, person=crew[1], reason="Leaves", by=mara, now=NOW)
    for row, learners in ((plan, {crew[0], crew[1]}), (other, {crew[1]})):
        row.refresh_from_db()
        seated = {pair.learner for pair in row.draft_pairs.all()}
        assert {person for person in crew[:2] if person not in seated} == learners
        assert row.steps.last().what == "Harbour 1 left out of the cohort: Leaves"


def test_who_learns_here_does_not_coach_here(change, cohort, crew):
    with pytest.raises(members.SelectedAlready, match="Nobody learns and coaches in the same"):
        change(members.add, crew[0], side="coach")
