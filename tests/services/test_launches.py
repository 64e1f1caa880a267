"""From plan to live pairs, once; the letters shown before; and back, for an hour."""

import math
from datetime import timedelta
from uuid import uuid4

import pytest

from coaching.domain import cadence, progress
from coaching.models import (
    Cohort,
    Event,
    Letter,
    Metric,
    Notice,
    Pair,
    Plan,
    Standing,
    Waiting,
    Yardstick,
)
from coaching.notifications import outbox, rendering
from coaching.services import cohorts, launches, people, plans
from tests import factories, processes
from tests.conftest import NOW


@pytest.fixture
def launched(plan, mara) -> Plan:
    launches.launch(plan=plan, by=mara, now=NOW)
    plan.refresh_from_db()
    return plan


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
    assert (event.actor, event.details) == (mara, {"pairs": len(pairs), "waiting": 0})


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
    with pytest.raises(launches.AlreadyLaunched):
        launches.launch(plan=launched, by=mara, now=NOW)
    # Nor is another plan of the same cohort.
    other = Plan.objects.create(cohort=launched.cohort, created_at=NOW)
    with pytest.raises(launches.AlreadyLaunched):
        launches.launch(plan=other, by=mara, now=NOW)
    other.refresh_from_db()
    assert other.state == Plan.State.DRAFT
    assert (Pair.objects.count(), Letter.objects.count()) == (pairs, letters)


def test_nobody_launches_what_they_have_not_seen(plan, mara):
    seen = plan.revision
    plans.solve(plan=plan, by=mara, now=NOW)
    with pytest.raises(launches.NotReady):
        launches.launch(plan=plan, by=mara, now=NOW, revision=seen)
    plan.refresh_from_db()
    assert plan.state == Plan.State.DRAFT
    assert not Pair.objects.exists()
    launches.launch(plan=plan, by=mara, now=NOW, revision=plan.revision)


def test_a_coach_filled_elsewhere_in_the_meantime_is_not_overbooked(plan, mara, csat, team):
    coach = plan.draft_pairs.first().coach
    wanted = plan.draft_pairs.filter(coach=coach).count()
    other = factories.make_cohort(team, csat, now=NOW)
    for _ in range(coach.capacity):
        factories.make_pair(
            factories.make_person(team=team), coach, metric=csat, cohort=other, now=NOW
        )
    with pytest.raises(launches.SeatTaken) as refusal:
        launches.launch(plan=plan, by=mara, now=NOW)
    assert f"{coach.name} has fewer free seats by now (0)" in refusal.value.message
    assert not plan.cohort.pairs.exists()
    plans.solve(plan=plan, by=mara, now=NOW)
    launches.launch(plan=plan, by=mara, now=NOW)
    assert coach.pairs_as_coach.count() == coach.capacity
    assert wanted > 0


def test_a_learner_paired_elsewhere_in_the_meantime_is_said(plan, mara, csat, team):
    learner = plan.draft_pairs.first().learner
    other = factories.make_cohort(team, csat, now=NOW)
    factories.make_pair(
        learner, factories.make_person(team=team), metric=csat, cohort=other, now=NOW
    )
    with pytest.raises(launches.SeatTaken):
        launches.launch(plan=plan, by=mara, now=NOW)
    plans.solve(plan=plan, by=mara, now=NOW)
    launches.launch(plan=plan, by=mara, now=NOW)
    assert learner.pairs_as_learner.count() == 1


def test_who_left_since_the_plan_was_solved_is_not_paired(plan, mara):
    coach = plan.draft_pairs.first().coach
    type(coach).objects.filter(pk=coach.pk).update(active=False)
    with pytest.raises(launches.SomebodyLeft, match=coach.name):
        launches.launch(plan=plan, by=mara, now=NOW)
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
from coaching.services import launches
plan, mara = Plan.objects.get(pk=sys.argv[1]), Person.objects.get(pk=sys.argv[2])
try:
    launches.launch(plan=plan, by=mara, now=datetime.fromisoformat(sys.argv[3]))
    print("launched")
except launches.AlreadyLaunched:
    print("refused")
except launches.SeatTaken:
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
    return launches.target_for(form, Standing(se=0.0, estimate=baseline), yardstick, metric)


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
    return launches.target_for("gap_top", Standing(se=0.0, estimate=baseline), yardstick, metric)


def test_an_uncertain_baseline_is_not_likely_past_its_target(csat):
    from_the_top = Standing(se=0.4, estimate=4.2)
    yardstick = Yardstick(mean=3.5, top_quartile=4.0, low_cut=3.2, scale=0.3)
    target = launches.target_for("gap_mean", from_the_top, yardstick, csat)
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


# -- who waits ---------------------------------------------------------------------------


@pytest.fixture
def scarce(plan, mara) -> Plan:
    """A plan with too few seats: two learners go without."""
    coaches = [member.person for member in plan.cohort.members.filter(side="coach")]
    seats = plan.matched - 2
    for number, coach in enumerate(coaches):
        plans.set_capacity(plan=plan, coach=coach, seats=int(number < seats), by=mara, now=NOW)
    plan.refresh_from_db()
    return plan


def test_who_only_lacks_a_seat_waits_for_one(scarce, mara):
    without = list(scarce.unpaired.order_by("pk").values_list("learner", flat=True))
    assert len(without) == 2
    launches.launch(plan=scarce, by=mara, now=NOW)
    rows = list(Waiting.objects.order_by("place"))
    assert [(row.place, row.why, row.by_lot, row.after) for row in rows] == [
        (1, "no_seat", False, None),
        (2, "no_seat", False, None),
    ]
    assert {row.learner_id for row in rows} == set(without)
    assert Event.objects.get(verb="cohort launched").details["waiting"] == 2
    # They are not written to before there is a coach.
    assert not Letter.objects.filter(recipient__in=without).exists()
    assert cohorts.close_finished(now=NOW) == 0


def test_the_lot_says_who_comes_first(scarce, mara):
    rows = list(scarce.unpaired.order_by("pk"))
    for place, row in zip((9, 4), rows, strict=True):
        row.place = place
        row.save()
    launches.launch(plan=scarce, by=mara, now=NOW)
    found = Waiting.objects.order_by("place").values_list("learner", "place", "by_lot")
    assert list(found) == [(rows[1].learner_id, 1, True), (rows[0].learner_id, 2, True)]


def test_who_has_no_possible_coach_does_not_wait(scarce, mara):
    scarce.unpaired.update(scarce=False)
    launches.launch(plan=scarce, by=mara, now=NOW)
    assert not Waiting.objects.exists()


# -- the letters, before -----------------------------------------------------------------


def test_the_preview_is_what_is_sent(plan, mara, mailoutbox):
    seen = {}
    for letter in launches.preview(plan, NOW):
        assert letter.pk is None
        key = letter.dedupe_key
        seen[key] = (letter.recipient, letter.next_attempt_at, rendering.render(letter))
    assert not Letter.objects.exists()
    launches.launch(plan=plan, by=mara, now=NOW)
    for letter in Letter.objects.select_related("recipient"):
        assert seen.pop(letter.dedupe_key) == (
            letter.recipient,
            letter.next_attempt_at,
            rendering.render(letter),
        )
    assert not seen
    letter = Letter.objects.order_by("pk").first()
    outbox.deliver_due(now=letter.next_attempt_at)
    sent = next(mail for mail in mailoutbox if mail.to == [letter.recipient.email])
    rendered = rendering.render(letter)
    assert (sent.subject, sent.body) == (rendered.subject, rendered.text)


def test_a_pair_takes_over_the_public_id_of_its_draft(launched):
    drafts = launched.draft_pairs.values_list("public_id", "learner", "coach")
    assert set(launched.cohort.pairs.values_list("public_id", "learner", "coach")) == set(drafts)


# -- taking it back ----------------------------------------------------------------------

SOON = NOW + timedelta(minutes=40)


def test_a_launch_taken_back_is_as_if_it_had_not_been(plan, mara, csat):
    learner = plan.draft_pairs.first().learner
    people.raise_hand(person=learner, metric=csat, note="", now=NOW - timedelta(days=1))
    launches.launch(plan=plan, by=mara, now=NOW)
    launches.undo(cohort=plan.cohort, by=mara, now=SOON)
    plan.refresh_from_db()
    cohort = Cohort.objects.get(pk=plan.cohort_id)
    assert (cohort.state, cohort.launched_at) == (Cohort.State.DRAFT, None)
    assert (plan.state, plan.launched_at) == (Plan.State.DRAFT, None)
    assert set(Pair.objects.values_list("state", "ending", "ended_by")) == {
        ("ended", "undone", mara.pk)
    }
    assert set(Letter.objects.values_list("kind", "state")) == {
        ("invitation", Letter.State.CANCELLED)
    }
    assert not Notice.objects.exists()
    assert learner.hand_raises.get().lowered_at is None
    assert not cohort.pairs.counted().exists()
    event = Event.objects.get(verb="launch taken back")
    assert (event.actor, event.details) == (mara, {"pairs": plan.matched, "corrected": 0})


def test_nobody_waits_after_a_launch_was_taken_back(scarce, mara):
    launches.launch(plan=scarce, by=mara, now=NOW)
    launches.undo(cohort=scarce.cohort, by=mara, now=SOON)
    assert not Waiting.objects.exists()


@pytest.mark.parametrize("state", ["SENT", "SENDING", "UNCERTAIN"])
def test_whom_a_letter_may_have_reached_gets_one_correction(launched, mara, state):
    coach = launched.cohort.pairs.first().coach
    second = launched.cohort.pairs.exclude(coach=coach).first()
    Pair.objects.filter(pk=second.pk).update(coach=coach, slot=2)
    Letter.objects.filter(pair=second, recipient=second.coach_id).update(recipient=coach)
    gone = Letter.objects.filter(recipient=coach)
    assert gone.count() == 2
    gone.update(**{
        "SENT": {"state": Letter.State.SENT, "sent_at": NOW},
        "SENDING": {
            "state": Letter.State.SENDING, "lease_token": uuid4(),
            "lease_until": SOON + timedelta(minutes=5),
        },
        "UNCERTAIN": {"state": Letter.State.UNCERTAIN},
    }[state])  # fmt: skip
    launches.undo(cohort=launched.cohort, by=mara, now=SOON)
    letter = Letter.objects.get(kind="correction")
    assert letter.recipient == coach
    assert len(letter.context["partners"]) == 2
    assert Notice.objects.get(dedupe_key=letter.dedupe_key).person == coach
    assert set(gone.exclude(pk=letter.pk).values_list("state", flat=True)) == {
        getattr(Letter.State, state)
    }
    assert Event.objects.get(verb="launch taken back").details["corrected"] == 1


def test_who_has_read_it_inside_lanemate_is_told_there(launched, mara):
    pair = launched.cohort.pairs.first()
    Notice.objects.filter(person=pair.learner).update(read_at=NOW)
    launches.undo(cohort=launched.cohort, by=mara, now=SOON)
    assert not Letter.objects.filter(kind="correction").exists()
    told = Notice.objects.get(dedupe_key__startswith="cor:")
    assert told.person == pair.learner


def test_a_letter_in_a_workers_hand_does_not_leave(launched, mara, mailoutbox):
    due = NOW + timedelta(days=1)
    (held,) = outbox.claim(now=due, limit=1)
    launches.undo(cohort=launched.cohort, by=mara, now=SOON)
    held.refresh_from_db()
    assert (held.state, held.outcome) == (Letter.State.CANCELLED, "The launch was taken back.")
    outbox.deliver_due(now=due)
    assert mailoutbox == []


def test_it_can_be_launched_again(launched, mara):
    before = set(Pair.objects.values_list("public_id", flat=True))
    Letter.objects.update(state=Letter.State.SENT, sent_at=NOW)
    launches.undo(cohort=launched.cohort, by=mara, now=SOON)
    launched.refresh_from_db()
    launches.launch(plan=launched, by=mara, now=SOON)
    pairs = Pair.objects.active()
    assert pairs.count() == launched.matched
    assert not before & set(pairs.values_list("public_id", flat=True))
    # New promises, whatever was promised before.
    assert Letter.objects.filter(kind="invitation", state=Letter.State.PENDING).count() == (
        2 * launched.matched
    )
    launches.undo(cohort=launched.cohort, by=mara, now=SOON + timedelta(minutes=1))
    assert not Pair.objects.active().exists()


def test_people_of_an_undone_launch_may_be_paired_again(launched, mara):
    launches.undo(cohort=launched.cohort, by=mara, now=SOON)
    launched.refresh_from_db()
    matched = launched.matched
    plans.solve(plan=launched, by=mara, now=SOON)
    launched.refresh_from_db()
    assert launched.matched == matched


def test_after_an_hour_a_launch_stands(launched, mara):
    hour = NOW + launches.UNDO
    assert launches.undo_until(Cohort.objects.get(pk=launched.cohort_id)) == hour
    with pytest.raises(launches.TooLate, match="for an hour"):
        launches.undo(cohort=launched.cohort, by=mara, now=hour + timedelta(seconds=1))
    assert Pair.objects.active().count() == launched.matched
    launches.undo(cohort=launched.cohort, by=mara, now=hour)
    with pytest.raises(launches.NotRunning):
        launches.undo(cohort=launched.cohort, by=mara, now=hour)


def test_a_launch_stands_once_two_have_met(launched, mara):
    factories.hold_session(launched.cohort.pairs.first(), NOW.date())
    with pytest.raises(launches.SessionHeld):
        launches.undo(cohort=launched.cohort, by=mara, now=SOON)
    assert Pair.objects.active().count() == launched.matched
    assert Letter.objects.filter(state=Letter.State.PENDING).count() == 2 * launched.matched


def test_a_pair_that_ended_since_the_plan_was_solved_is_not_made_again(plan, mara, csat, team):
    draft = plan.draft_pairs.first()
    other = factories.make_cohort(team, csat, now=NOW)
    factories.make_pair(
        draft.learner, draft.coach, metric=csat, cohort=other, now=NOW,
        state="ended", ended_at=NOW, ending="declined",
    )  # fmt: skip
    with pytest.raises(launches.NotAgain, match="not paired again"):
        launches.launch(plan=plan, by=mara, now=NOW)
    Pair.objects.update(ending="away")
    launches.launch(plan=plan, by=mara, now=NOW)


UNDO = """
from coaching.models import Cohort, Person
from coaching.services import launches
cohort, mara = Cohort.objects.get(pk=sys.argv[1]), Person.objects.get(pk=sys.argv[2])
for _ in range(int(sys.argv[4])):
    try:
        launches.undo(cohort=cohort, by=mara, now=datetime.fromisoformat(sys.argv[3]))
        print("undone")
    except launches.NotRunning:
        print("refused")
"""
LAUNCH_OFTEN = """
from coaching.models import Person, Plan
from coaching.services import launches
plan, mara = Plan.objects.get(pk=sys.argv[1]), Person.objects.get(pk=sys.argv[2])
for _ in range(int(sys.argv[4])):
    try:
        launches.launch(plan=plan, by=mara, now=datetime.fromisoformat(sys.argv[3]))
        print("launched")
    except launches.AlreadyLaunched:
        print("refused")
"""


@pytest.mark.django_db(transaction=True)
def test_launching_and_taking_back_at_once_breaks_nothing(plan, mara):
    """Two press the one button, two the other, twelve times each; every state is a whole one."""
    launch = (plan.pk, mara.pk, NOW.isoformat(), 12)
    undo = (plan.cohort_id, mara.pk, SOON.isoformat(), 12)
    said = processes.race(
        [
            processes.start(LAUNCH_OFTEN, *launch),
            processes.start(UNDO, *undo),
            processes.start(LAUNCH_OFTEN, *launch),
            processes.start(UNDO, *undo),
        ],
        timeout=120,
    )
    words = " ".join(said).split()
    assert len(words) == 48
    launched, undone = words.count("launched"), words.count("undone")
    assert launched - undone in (0, 1)
    plan.refresh_from_db()
    cohort = Cohort.objects.get(pk=plan.cohort_id)
    live = launched > undone
    assert (cohort.state, plan.state) == (("live", "launched") if live else ("draft", "draft"))
    assert Pair.objects.active().count() == (plan.matched if live else 0)
    assert Pair.objects.filter(ending="undone").count() == undone * plan.matched
    waiting = Letter.objects.filter(kind="invitation", state=Letter.State.PENDING)
    assert waiting.count() == (2 * plan.matched if live else 0)
    assert Event.objects.filter(verb="cohort launched").count() == launched
    assert Event.objects.filter(verb="launch taken back").count() == undone
