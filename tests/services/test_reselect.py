"""A draft cohort is selected again by another policy, and what somebody decided stays."""

import pytest

from coaching.models import Event, HandRaise, Member
from coaching.services import cohorts, members, plans
from coaching.services.membership import NotADraft
from tests.conftest import NOW


@pytest.fixture
def again(cohort, mara):
    def reselect(policy: str, **values) -> cohorts.Reselection:
        return cohorts.reselect(cohort=cohort, policy=policy, by=mara, now=NOW, **values)

    return reselect


def side(cohort, name: str) -> set[int]:
    rows = cohort.members.filter(side=name, left_out=False)
    return set(rows.values_list("person", flat=True))


def test_another_policy_selects_others(again, cohort, draft_cohort, plan):
    wanted = draft_cohort(policy="quota", quota=2)
    found = again("quota", quota=2)
    assert side(cohort, "learner") == side(wanted, "learner")
    assert side(cohort, "coach") == side(wanted, "coach")
    assert found.came == 0
    assert found.went > 0
    cohort.refresh_from_db()
    assert (cohort.policy, cohort.quota) == ("quota", 2)
    plan.refresh_from_db()
    assert plan.matched == 2
    assert plan.steps.last().what.startswith("Selected again by the policy “quota”")
    assert Event.objects.get(verb="cohort selected again").details["went"] == found.went
    wider = again("leaning", q=0.4)
    assert wider.came > 0
    assert set(cohort.members.values_list("chance", flat=True)) != {None}


def test_the_same_policy_changes_nobody(again, cohort):
    before = list(cohort.members.order_by("pk").values_list("pk", "chance"))
    found = again(cohort.policy, q=cohort.q)
    assert (found.came, found.went) == (0, 0)
    assert list(cohort.members.order_by("pk").values_list("pk", "chance")) == before


def test_additions_hands_and_removals_stay(again, cohort, crew, csat, mara):
    change = {"cohort": cohort, "by": mara, "now": NOW}
    members.add(person=crew[10], side="learner", reason="Asked", **change)
    members.leave_out(person=crew[0], reason="On leave", **change)
    HandRaise.objects.create(person=crew[12], metric=csat, raised_at=NOW)
    again("quota", quota=3)
    told = {row.person: row for row in cohort.members.select_related("person")}
    assert told[crew[10]].source == Member.Source.MANAGER
    assert (told[crew[0]].left_out, told[crew[0]].note) == (True, "On leave")
    assert told[crew[12]].source == Member.Source.HAND
    again("evidence")
    assert {crew[10], crew[12], crew[0]} <= {row.person for row in cohort.members.all()}


def test_undo_does_without_those_who_came(again, cohort, plan, mara):
    before = set(plan.draft_pairs.values_list("learner", flat=True))
    again("leaning", q=0.4)
    assert plan.draft_pairs.count() > len(before)
    plans.undo(plan=plan, by=mara, now=NOW)
    assert set(plan.draft_pairs.values_list("learner", flat=True)) == before


def test_what_makes_no_sense_is_refused(again, cohort):
    with pytest.raises(cohorts.PolicyRefused):
        again("guessing")
    with pytest.raises(cohorts.PolicyRefused):
        again("quota", quota=0)
    type(cohort).objects.filter(pk=cohort.pk).update(state="live", launched_at=NOW)
    with pytest.raises(NotADraft):
        again("leaning")
