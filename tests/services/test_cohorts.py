"""A cohort's life: drafted, launched once with frozen numbers, closed when nobody swims."""

import math
from datetime import timedelta

import pytest

from coaching.domain import cadence, progress
from coaching.models import (
    Cohort,
    Event,
    Letter,
    Member,
    Metric,
    Notice,
    Pair,
    Plan,
    Standing,
    Yardstick,
)
from coaching.services import cohorts, people, plans
from tests import factories, processes
from tests.conftest import NOW


@pytest.fixture
def launched(plan, mara) -> Plan:
    cohorts.launch(plan=plan, by=mara, now=NOW)
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


# -- launch ------------------------------------------------------------------------------


def test_a_launch_writes_pairs_letters_and_the_audit_row(launched, mara):
    cohort = launched.cohort
    cohort.refresh_from_db()
    assert (launched.state, launched.launched_at) == (Plan.State.LAUNCHED, NOW)
    assert (cohort.state, cohort.launched_at) == (Cohort.State.LIVE, NOW)
    pairs = list(cohort.pairs.all())
    assert len(pairs) == launched.draft_pairs.count() > 2
    assert {(row.learner_id, row.coach_id) for row in pairs} == set(
        launched.draft_pairs.values_list("learner", "coach")
    )
    assert Letter.objects.filter(kind="invitation").count() == 2 * len(pairs)
    assert Notice.objects.count() == 2 * len(pairs)
    event = Event.objects.get(verb="cohort launched")
    assert (event.actor, event.details) == (mara, {"pairs": len(pairs)})


def test_only_whole_weeks_after_the_launch_count(launched):
    monday = cadence.week_of(NOW.date()) + cadence.WEEK
    for pair in launched.cohort.pairs.all():
        assert pair.counts_from == monday
        assert pair.clocks_from == NOW.date()
        assert pair.test_date == launched.cohort.test_date
        assert pair.next_check_at == NOW + timedelta(days=1)
        assert NOW < pair.next_reminder_at < NOW + cadence.WEEK


def test_seats_are_numbered_from_one(launched):
    seats: dict[int, list[int]] = {}
    for coach, slot in launched.cohort.pairs.values_list("coach", "slot"):
        seats.setdefault(coach, []).append(slot)
    assert all(sorted(slots) == list(range(1, len(slots) + 1)) for slots in seats.values())


def test_what_is_frozen_does_not_move_with_new_readings(launched, csat):
    frozen = ("baseline", "baseline_se", "peer_mean", "tau2", "sigma2", "target", "stretch")
    before = list(Pair.objects.values_list("pk", *frozen))
    for pair in Pair.objects.all():
        assert pair.baseline < pair.target < pair.stretch
        yardstick = pair.cohort.ranking.yardsticks.get()
        assert pair.target == pytest.approx((pair.baseline + yardstick.top_quartile) / 2)
        assert pair.stretch - pair.baseline == pytest.approx(1.1 * (pair.target - pair.baseline))
        factories.add_reading(pair.learner, csat, pair.counts_from, mean=5, n=500)
    launched.cohort.ranking.yardsticks.update(top_quartile=9)
    assert list(Pair.objects.values_list("pk", *frozen)) == before


def test_a_plan_is_launched_once(launched, mara):
    pairs, letters = Pair.objects.count(), Letter.objects.count()
    with pytest.raises(cohorts.AlreadyLaunched):
        cohorts.launch(plan=launched, by=mara, now=NOW)
    # Nor is another plan of the same cohort.
    other = Plan.objects.create(cohort=launched.cohort, created_at=NOW)
    with pytest.raises(cohorts.AlreadyLaunched):
        cohorts.launch(plan=other, by=mara, now=NOW)
    other.refresh_from_db()
    assert other.state == Plan.State.DRAFT
    assert (Pair.objects.count(), Letter.objects.count()) == (pairs, letters)


def test_nobody_launches_what_they_have_not_seen(plan, mara):
    seen = plan.revision
    plans.solve(plan=plan, by=mara, now=NOW)
    with pytest.raises(cohorts.NotReady):
        cohorts.launch(plan=plan, by=mara, now=NOW, revision=seen)
    plan.refresh_from_db()
    assert plan.state == Plan.State.DRAFT
    assert not Pair.objects.exists()
    cohorts.launch(plan=plan, by=mara, now=NOW, revision=plan.revision)


def test_a_coach_filled_elsewhere_in_the_meantime_is_not_overbooked(plan, mara, csat, team):
    coach = plan.draft_pairs.first().coach
    wanted = plan.draft_pairs.filter(coach=coach).count()
    other = factories.make_cohort(team, csat, now=NOW)
    for _ in range(coach.capacity):
        factories.make_pair(
            factories.make_person(team=team), coach, metric=csat, cohort=other, now=NOW
        )
    with pytest.raises(cohorts.SeatTaken) as refusal:
        cohorts.launch(plan=plan, by=mara, now=NOW)
    assert f"{coach.name} has fewer free seats by now (0)" in refusal.value.message
    assert not plan.cohort.pairs.exists()
    plans.solve(plan=plan, by=mara, now=NOW)
    cohorts.launch(plan=plan, by=mara, now=NOW)
    assert coach.pairs_as_coach.count() == coach.capacity
    assert wanted > 0


def test_a_learner_paired_elsewhere_in_the_meantime_is_said(plan, mara, csat, team):
    learner = plan.draft_pairs.first().learner
    other = factories.make_cohort(team, csat, now=NOW)
    factories.make_pair(
        learner, factories.make_person(team=team), metric=csat, cohort=other, now=NOW
    )
    with pytest.raises(cohorts.SeatTaken):
        cohorts.launch(plan=plan, by=mara, now=NOW)
    plans.solve(plan=plan, by=mara, now=NOW)
    cohorts.launch(plan=plan, by=mara, now=NOW)
    assert learner.pairs_as_learner.count() == 1


def test_who_left_since_the_plan_was_solved_is_not_paired(plan, mara):
    coach = plan.draft_pairs.first().coach
    type(coach).objects.filter(pk=coach.pk).update(active=False)
    with pytest.raises(cohorts.SomebodyLeft, match=coach.name):
        cohorts.launch(plan=plan, by=mara, now=NOW)
    assert not Pair.objects.exists()


def test_lowered_seats_end_no_pair_and_stop_new_ones(launched, mara, csat, team, draft_cohort):
    coach = launched.cohort.pairs.first().coach
    coach.capacity = 0
    coach.save()
    assert coach.pairs_as_coach.filter(state__in=Pair.ACTIVE).exists()
    plan = plans.draft(cohort=draft_cohort(), by=mara, now=NOW)
    assert not plan.draft_pairs.filter(coach=coach).exists()


LAUNCH = """
from coaching.models import Person, Plan
from coaching.services import cohorts
plan, mara = Plan.objects.get(pk=sys.argv[1]), Person.objects.get(pk=sys.argv[2])
try:
    cohorts.launch(plan=plan, by=mara, now=datetime.fromisoformat(sys.argv[3]))
    print("launched")
except cohorts.AlreadyLaunched:
    print("refused")
except cohorts.SeatTaken:
    print("seat taken")
"""


@pytest.mark.django_db(transaction=True)
def test_a_button_pressed_in_three_processes_at_once_launches_once(plan, mara):
    arguments = (str(plan.pk), str(mara.pk), NOW.isoformat())
    said = processes.race([processes.start(LAUNCH, *arguments) for _ in range(3)])
    assert sorted(said) == ["launched\n", "refused\n", "refused\n"]
    pairs = plan.draft_pairs.count()
    assert Pair.objects.count() == pairs
    assert Letter.objects.count() == Notice.objects.count() == 2 * pairs
    assert Event.objects.filter(verb="cohort launched").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_cohorts_of_the_same_people_launched_at_once_share_nobody(plan, draft_cohort, mara):
    other = plans.draft(cohort=draft_cohort(name="Winter"), by=mara, now=NOW)
    said = processes.race(
        [
            processes.start(LAUNCH, str(one.pk), str(mara.pk), NOW.isoformat())
            for one in (plan, other)
        ]
    )
    assert sorted(said) == ["launched\n", "seat taken\n"]
    assert Pair.objects.count() == plan.draft_pairs.count()
    assert Pair.objects.values("cohort").distinct().count() == 1
    assert sorted(Cohort.objects.values_list("state", flat=True)) == ["draft", "live"]


# -- targets -----------------------------------------------------------------------------


def target(form: str, *, baseline: float, kind: str = "mean", **metric) -> float:
    """Peers around 3.5 with their best quarter at 4 and their worst below 3.2."""
    metric = Metric(kind=kind, **metric)
    better = metric.sign
    yardstick = Yardstick(
        mean=3.5, top_quartile=3.5 + 0.5 * better, low_cut=3.5 - 0.3 * better, scale=0.4
    )
    return cohorts.target_for(form, Standing(se=0.0, estimate=baseline), yardstick, metric)


@pytest.mark.parametrize(
    ("form", "up", "down"), [("gap_top", 3.5, 3.5), ("gap_mean", 3.25, 3.75), ("middle", 3.2, 3.8)]
)
def test_a_target_closes_its_gap_in_both_directions(form, up, down):
    assert target(form, baseline=3.0) == pytest.approx(up)
    assert target(form, baseline=4.0, direction="lower") == pytest.approx(down)
    log = {"kind": "duration", "direction": "lower"}
    assert target(form, baseline=4.0, **log) == pytest.approx(down)


@pytest.mark.parametrize("form", Cohort.Target.values)
def test_who_is_past_the_benchmark_still_has_a_way_to_go(form):
    assert target(form, baseline=4.2) == pytest.approx(4.28)
    assert target(form, baseline=2.8, direction="lower") == pytest.approx(2.72)


def share(baseline: float, *, direction: str, spread: float = 0.1, kind: str = "proportion"):
    metric = Metric(kind=kind, direction=direction)
    yardstick = Yardstick(mean=0.5, top_quartile=0.5, low_cut=0.5, scale=spread)
    return cohorts.target_for("gap_top", Standing(se=0.0, estimate=baseline), yardstick, metric)


def test_an_uncertain_baseline_is_not_likely_past_its_target(csat):
    from_the_top = Standing(se=0.4, estimate=4.2)
    yardstick = Yardstick(mean=3.5, top_quartile=4.0, low_cut=3.2, scale=0.3)
    target = cohorts.target_for("gap_mean", from_the_top, yardstick, csat)
    met = progress.p_at_target(level=4.2, se=0.4, target=target, sign=1)
    assert met == pytest.approx(0.2)


def test_a_target_can_be_reached():
    # Nobody solves more than all cases, or fewer than none.
    assert share(0.99, direction="higher") == pytest.approx(0.995)
    assert share(0.01, direction="lower") == pytest.approx(0.005)
    assert share(0.01, direction="lower", kind="rate") == pytest.approx(0.005)
    assert target("gap_top", baseline=4.95, upper=5) == pytest.approx(4.975)
    assert target("gap_top", baseline=1.02, lower=1, direction="lower") == pytest.approx(1.01)
    assert math.isclose(share(0.6, direction="higher"), 0.62)


# -- closing -----------------------------------------------------------------------------


def finish(pairs, state: str) -> None:
    end = {"passed": {"passed_at": NOW}, "ended": {"ended_at": NOW}}[state]
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
