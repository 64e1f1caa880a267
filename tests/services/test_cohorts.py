"""A cohort's life: drafted, launched once with frozen numbers, closed when nobody swims."""

from datetime import timedelta

import pytest

from coaching.models import (
    Cohort,
    Event,
    Letter,
    Member,
    Plan,
)
from coaching.services import cohorts, launches, people
from tests import factories
from tests.conftest import NOW


@pytest.fixture
def launched(plan, mara) -> Plan:
    launches.launch(plan=plan, by=mara, now=NOW)
    plan.refresh_from_db()
    return plan


# -- selection ---------------------------------------------------------------------------


def sides(cohort: Cohort) -> tuple[int, int]:
    members = list(cohort.members.values_list("side", flat=True))
    return members.count("learner"), members.count("coach")


def test_the_weak_and_the_strong_are_selected_and_the_middle_is_left_alone(cohort, crew, ranking):
    labelled = ranking.standings.filter(metric=None, band__in=["weak", "strong"])
    assert {member.person_id for member in cohort.members.all()} == {
        row.person_id for row in labelled
    }
    assert not cohort.members.filter(person__in=crew[8:16]).exists()
    assert set(cohort.members.values_list("source", flat=True)) == {Member.Source.RANKING}


def test_a_quota_takes_a_quarter_from_each_end(ranking, draft_cohort):
    ranking.scorecard.policy = "quota"
    ranking.scorecard.save()
    placed = ranking.standings.filter(metric=None).exclude(band="cannot tell").count()
    assert sides(draft_cohort()) == (round(placed / 4),) * 2


def test_leaning_takes_more_than_the_evidence(ranking, draft_cohort):
    careful = sides(draft_cohort())
    ranking.scorecard.policy = "leaning"
    ranking.scorecard.save()
    learners, coaches = sides(draft_cohort())
    assert learners > careful[0]
    assert coaches >= careful[1]


def test_who_swims_or_has_left_is_not_selected(crew, csat, team, ranking, draft_cohort):
    other = factories.make_cohort(team, csat, now=NOW)
    factories.make_pair(crew[0], crew[12], metric=csat, cohort=other, now=NOW)
    type(crew[1]).objects.filter(pk=crew[1].pk).update(active=False)
    chosen = {member.person for member in draft_cohort().members.all()}
    assert not chosen & {crew[0], crew[1]}
    assert crew[2] in chosen


def test_a_cohort_keeps_the_policy_it_was_selected_with(ranking, draft_cohort):
    usual = draft_cohort()
    assert (usual.policy, usual.q, usual.quota) == ("evidence", 0.25, None)
    wide = draft_cohort(policy="leaning", q=0.4)
    assert (wide.policy, wide.q) == ("leaning", 0.4)
    assert sides(wide)[0] > sides(usual)[0]
    three = draft_cohort(policy="quota", quota=3)
    assert (sides(three), three.quota) == ((3, 3), 3)
    ranking.scorecard.refresh_from_db()
    assert (ranking.scorecard.policy, ranking.scorecard.q) == ("evidence", 0.25)


def test_everybody_selected_carries_the_chance_they_were_selected_for(draft_cohort, crew):
    cohort = draft_cohort()
    assert {member.source for member in cohort.members.all()} == {"ranking"}
    assert all(0.8 <= member.chance <= 1 for member in cohort.members.all())
    weakest = draft_cohort(policy="quota", quota=1).members.get(side="learner")
    assert weakest.person == crew[0]


@pytest.mark.parametrize("policy", ["evidence", "leaning", "quota"])
def test_a_raised_hand_never_displaces_a_ranked_learner(policy, draft_cohort, crew, csat):
    def learners(cohort) -> set[int]:
        ranked = cohort.members.filter(side="learner", source="ranking")
        return set(ranked.values_list("person", flat=True))

    before = learners(draft_cohort(policy=policy))
    for person in crew[8:16]:
        people.raise_hand(person=person, metric=csat, note="", now=NOW)
    cohort = draft_cohort(policy=policy)
    assert learners(cohort) == before
    hands = cohort.members.filter(source="hand")
    assert {member.person for member in hands} == {
        person for person in crew[8:16] if person.pk not in before
    }
    assert {member.chance for member in hands} == {None}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("policy", {"policy": "gut"}),
        ("q", {"q": 0.04}),
        ("q", {"q": 0.6}),
        ("quota", {"policy": "quota", "quota": 0}),
        ("quota", {"policy": "quota", "quota": 100_001}),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_at_its_field(draft_cohort, field, values):
    with pytest.raises(cohorts.PolicyRefused) as refusal:
        draft_cohort(**values)
    assert refusal.value.field == field
    assert not Cohort.objects.exists()


@pytest.mark.parametrize("subject", ["teams", "segments"])
def test_only_people_are_coached(ranking, draft_cohort, subject):
    type(ranking).objects.filter(pk=ranking.pk).update(subject=subject)
    ranking.refresh_from_db()
    with pytest.raises(cohorts.OnlyPeople, match="drivers"):
        draft_cohort()


def test_a_cohort_needs_a_name_and_four_weeks(draft_cohort):
    with pytest.raises(cohorts.NoName):
        draft_cohort(name="  ")
    with pytest.raises(cohorts.TooSoon):
        draft_cohort(test_date=NOW.date() + timedelta(days=27))
    assert draft_cohort(test_date=NOW.date() + timedelta(days=28)).state == Cohort.State.DRAFT


# -- closing -----------------------------------------------------------------------------


def finish(pairs, state: str) -> None:
    end = {"passed": {"passed_at": NOW}, "ended": {"ended_at": NOW, "ending": "accepted"}}[state]
    pairs.update(state=state, **end)


def test_a_cohort_closes_when_nobody_swims_any_more(launched, mara):
    cohort = launched.cohort
    pairs = list(cohort.pairs.order_by("pk"))
    finish(cohort.pairs.exclude(pk=pairs[0].pk), "passed")
    assert not cohorts.close_if_finished(cohort, now=NOW)
    assert cohorts.close_finished(now=NOW) == 0
    finish(cohort.pairs.filter(pk=pairs[0].pk), "ended")
    assert cohorts.close_finished(now=NOW) == 1
    assert cohorts.close_finished(now=NOW) == 0
    assert not cohorts.close_if_finished(cohort, now=NOW)
    cohort.refresh_from_db()
    assert (cohort.state, cohort.closed_at) == (Cohort.State.CLOSED, NOW)
    letters = Letter.objects.filter(kind="closed")
    staff = {person for pair in pairs for person in (pair.learner_id, pair.coach_id)}
    assert set(letters.values_list("recipient", flat=True)) == staff | {mara.pk}
    told = letters.get(recipient=mara).context
    assert (told["pairs"], told["passed"], told["is_manager"]) == (len(pairs), len(pairs) - 1, True)
    assert Event.objects.filter(verb="cohort closed").count() == 1


def test_a_draft_does_not_close(cohort):
    assert cohorts.close_finished(now=NOW) == 0
    assert not cohorts.close_if_finished(cohort, now=NOW)
