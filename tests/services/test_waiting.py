"""Who waits is proposed the next best coach the same day; a person decides."""

from datetime import timedelta

import pytest

from coaching.models import (
    Cohort,
    Event,
    Leave,
    Letter,
    Look,
    Notice,
    Pair,
    Person,
    Plan,
    Rule,
    TargetChange,
    Waiting,
)
from coaching.notifications import outbox, rendering
from coaching.queries import waiting as waiting_queries
from coaching.services import cohorts, departures, launches, plans, waiting
from tests import factories, processes
from tests.conftest import NOW

LATER = NOW + timedelta(days=20)
SOON = LATER + timedelta(minutes=1)


@pytest.fixture
def seats(plan, mara):
    """Give each coach of the plan so many seats, solve, and launch."""

    def launch(each: int, *, first: int | None = None) -> Plan:
        coaches = [row.person for row in plan.cohort.members.filter(side="coach").order_by("pk")]
        for at, coach in enumerate(coaches):
            number = first if at == 0 and first is not None else each
            plans.set_capacity(plan=plan, coach=coach, seats=number, by=mara, now=NOW)
        plan.refresh_from_db()
        launches.launch(plan=plan, by=mara, now=NOW)
        return plan

    return launch


@pytest.fixture
def left(seats) -> Waiting:
    """Three weeks in, a learner with progress loses the coach, who ends it; others have seats."""
    pair = seats(2).cohort.pairs.order_by("pk").first()
    Look.objects.create(
        pair=pair, week=pair.counts_from, number=1, n=40, level=3.4, se=0.1, p_reached=0.3,
        taken_at=NOW,
    )  # fmt: skip
    TargetChange.objects.create(pair=pair, old=4.5, new=pair.target, reason="Nearer.", at=NOW)
    departures.end_pair(pair=pair, by=pair.coach, now=LATER)
    return Waiting.objects.get()


# -- proposals ---------------------------------------------------------------------------


def test_the_next_best_coach_is_proposed_the_same_day(left, mara):
    assert waiting.propose_due(now=SOON) == 1
    left.refresh_from_db()
    before = left.after
    coach = Person.objects.get(public_id=left.proposal["coach"])
    assert coach != before.coach
    assert left.proposal["metric"] == before.metric.key
    assert sum(part["points"] for part in left.proposal["parts"]) == left.proposal["score"]
    assert left.proposed_at == SOON
    # Nothing starts by itself.
    assert not Pair.objects.active().filter(learner=left.learner).exists()
    letter = Letter.objects.get(kind="proposal")
    assert (letter.recipient, letter.cohort) == (mara, left.cohort)
    assert coach.name in rendering.render(letter).text
    assert left.learner.name not in rendering.render(letter).subject
    assert Notice.objects.get(dedupe_key=letter.dedupe_key).person == mara


def test_it_is_proposed_once(left):
    waiting.propose_due(now=SOON)
    assert waiting.propose_due(now=SOON + timedelta(minutes=1)) == 0
    # The daily look finds the same coach and says nothing.
    assert waiting.propose_due(now=SOON + timedelta(days=2)) == 0
    assert Letter.objects.filter(kind="proposal").count() == 1


def test_who_has_found_a_coach_in_another_cohort_does_not_wait_here(left, mara, team):
    metric = left.after.metric
    cohort = factories.make_cohort(team, metric, now=SOON)
    coach = factories.make_person("Noa Elsewhere", team=team)
    pair = factories.make_pair(left.learner, coach, metric=metric, cohort=cohort, now=SOON)
    waiting.propose_due(now=SOON)
    left.refresh_from_db()
    # The other launch may still be taken back.
    assert left.settled_at is None
    other = factories.make_pair(
        left.learner, factories.make_person(team=team), metric=factories.make_metric(),
        cohort=cohort, now=SOON,
    )  # fmt: skip
    later = SOON + launches.UNDO
    Pair.objects.filter(pk=pair.pk).update(
        state=Pair.State.ENDED, ended_at=SOON, ending=Pair.Ending.AWAY
    )
    waiting.propose_due(now=later)
    left.refresh_from_db()
    assert other.metric != left.metric
    assert left.settled_at is None
    Pair.objects.filter(pk=pair.pk).update(state=Pair.State.ON_TRACK, ended_at=None, ending="")
    waiting.propose_due(now=later)
    waiting.propose_due(now=later)
    left.refresh_from_db()
    assert (left.settled_at, left.outcome) == (later, Waiting.Outcome.PAIRED)
    assert Event.objects.filter(verb="no longer waits for a coach").count() == 1


def test_looking_costs_nothing_while_nobody_waits(seats, django_assert_num_queries):
    seats(2)
    with django_assert_num_queries(3):
        assert waiting.propose_due(now=LATER) == 0


def test_who_failed_together_is_not_proposed_again(left):
    for _ in range(10):
        waiting.propose_due(now=SOON)
        left.refresh_from_db()
        if left.settled_at or left.proposal is None:
            break
        pair = waiting.accept(waiting=left, by=left.learner, now=SOON)
        earlier = Pair.objects.filter(learner=pair.learner, coach=pair.coach)
        assert earlier.count() == 1
        departures.end_pair(pair=pair, by=pair.learner, now=SOON)
        left = Waiting.objects.get(settled_at=None)
    assert left.proposal is None


def test_nobody_is_proposed_whom_a_rule_keeps_apart(left, mara):
    waiting.propose_due(now=SOON)
    left.refresh_from_db()
    first = Person.objects.get(public_id=left.proposal["coach"])
    plan = left.cohort.plans.get()
    Rule.objects.create(plan=plan, kind="forbid", learner=left.learner, coach=first, made_at=NOW)
    waiting.propose_due(now=SOON + timedelta(days=1))
    left.refresh_from_db()
    assert left.proposal["coach"] != first.public_id
    with pytest.raises(waiting.CannotCoach):
        waiting.accept(waiting=left, coach=first, by=mara, now=SOON)


def test_nobody_is_proposed_who_is_away_for_long(left):
    waiting.propose_due(now=SOON)
    left.refresh_from_db()
    first = Person.objects.get(public_id=left.proposal["coach"])
    departures.away(person=first, first_day=SOON.date(), last_day=None, by=first, now=SOON)
    left.refresh_from_db()
    assert left.proposal is None
    waiting.propose_due(now=SOON)
    left.refresh_from_db()
    assert left.proposal["coach"] != first.public_id
    Leave.objects.all().delete()


def test_seats_go_by_place_and_a_freed_one_is_proposed(seats):
    plan = seats(0, first=1)
    line = list(waiting_queries.open_in(plan.cohort))
    assert len(line) > 2
    # No seat is left, so nobody is proposed anything.
    assert waiting.propose_due(now=LATER) == 0
    pair = plan.cohort.pairs.get()
    Pair.objects.filter(pk=pair.pk).update(state="passed", passed_at=LATER, state_since=LATER)
    assert waiting.propose_due(now=LATER) == 0
    Pair.objects.filter(pk=pair.pk).update(state_since=SOON)
    assert waiting.propose_due(now=SOON) == 1
    proposed = Waiting.objects.exclude(proposal=None).get()
    assert proposed.pk == line[0].pk
    assert proposed.proposal["coach"] == pair.coach.public_id


def test_the_letter_is_not_sent_when_it_was_decided_meanwhile(left, mara, mailoutbox):
    waiting.propose_due(now=SOON)
    letter = Letter.objects.get(kind="proposal")
    left.refresh_from_db()
    waiting.drop(waiting=left, note="Has other plans.", by=mara, now=SOON)
    outbox.deliver_due(now=letter.next_attempt_at)
    letter.refresh_from_db()
    assert letter.state == Letter.State.CANCELLED


# -- accepting ---------------------------------------------------------------------------


def test_a_learner_goes_on_where_they_were(left, mara):
    waiting.propose_due(now=SOON)
    left.refresh_from_db()
    before = left.after
    pair = waiting.accept(waiting=left, by=mara, now=SOON)
    for name in waiting.CARRIED:
        assert getattr(pair, name) == getattr(before, name), name
    assert pair.follows == before
    assert (pair.state, pair.slot, pair.started_at) == ("on_track", pair.slot, SOON)
    assert pair.clocks_from == SOON.date()
    assert [(look.number, look.level) for look in pair.looks.all()] == [(1, 3.4)]
    assert pair.target_changes.get().reason == "Nearer."
    assert before.looks.count() == before.target_changes.count() == 1
    left.refresh_from_db()
    assert (left.outcome, left.settled_at) == ("paired", SOON)
    letters = Letter.objects.filter(pair=pair, kind="invitation")
    assert {letter.recipient for letter in letters} == {pair.learner, pair.coach}
    with pytest.raises(waiting.Settled):
        waiting.accept(waiting=left, by=mara, now=SOON)


def test_who_never_had_a_coach_starts_as_at_the_launch(seats, mara):
    plan = seats(0, first=1)
    coach = plan.cohort.pairs.get().coach
    Person.objects.filter(pk=coach.pk).update(capacity=2)
    Plan.objects.filter(pk=plan.pk).update(capacities={})
    waiting.propose_due(now=LATER)
    place = waiting_queries.open_in(plan.cohort).exclude(proposal=None).first()
    pair = waiting.accept(waiting=place, by=mara, now=LATER)
    standing = plan.cohort.ranking.standings.get(person=place.learner, metric=pair.metric)
    assert (pair.baseline, pair.baseline_se) == (standing.estimate, standing.se)
    assert pair.baseline < pair.target < pair.stretch
    assert pair.counts_from > LATER.date()
    assert pair.follows is None


def test_another_coach_may_be_chosen(left, mara):
    waiting.propose_due(now=SOON)
    left.refresh_from_db()
    offers = waiting.offers_in(left.cohort, now=SOON)[left.pk]
    assert offers[0].proposed
    assert offers[0].coach.public_id == left.proposal["coach"]
    assert all(not offer.proposed for offer in offers[1:])
    assert [(offer.lost_seats, offer.lost_score) for offer in offers] == sorted(
        (offer.lost_seats, offer.lost_score) for offer in offers
    )
    other = offers[-1].coach
    assert waiting.accept(waiting=left, coach=other, by=mara, now=SOON).coach == other


def test_whom_nobody_proposed_cannot_be_accepted(left, mara, ivo):
    with pytest.raises(waiting.NobodyProposed):
        waiting.accept(waiting=left, by=mara, now=SOON)
    with pytest.raises(waiting.CannotCoach, match="does not coach in this cohort"):
        waiting.accept(waiting=left, coach=ivo, by=mara, now=SOON)
    with pytest.raises(waiting.CannotCoach, match="a pair before"):
        waiting.accept(waiting=left, coach=left.after.coach, by=mara, now=SOON)
    assert not Pair.objects.active().filter(learner=left.learner).exists()


def test_a_full_coach_is_refused_and_not_proposed_to_others(left, mara, csat, team):
    waiting.propose_due(now=SOON)
    left.refresh_from_db()
    coach = Person.objects.get(public_id=left.proposal["coach"])
    other = factories.make_cohort(team, csat, now=NOW)
    taken = set(Pair.objects.active().filter(coach=coach).values_list("slot", flat=True))
    for slot in {1, 2} - taken:
        factories.make_pair(
            factories.make_person(team=team), coach, metric=csat, cohort=other, now=NOW, slot=slot
        )
    with pytest.raises(waiting.NoSeat, match=coach.name):
        waiting.accept(waiting=left, by=mara, now=SOON)
    left.refresh_from_db()
    assert left.settled_at is None


def test_a_cohort_with_somebody_waiting_does_not_close(left, mara):
    left.cohort.pairs.active().update(
        state="ended", ended_at=LATER, ending="accepted", state_since=LATER
    )
    assert cohorts.close_finished(now=SOON) == 0
    with pytest.raises(waiting.NoReason):
        waiting.drop(waiting=left, note=" ", by=mara, now=SOON)
    waiting.drop(waiting=left, note="Changes to another team.", by=mara, now=SOON)
    assert Cohort.objects.get(pk=left.cohort_id).state == Cohort.State.CLOSED
    event = Event.objects.get(verb="no longer waits for a coach")
    assert event.details["note"] == "Changes to another team."
    assert Notice.objects.filter(person=left.learner, dedupe_key__startswith="drp:").exists()
    with pytest.raises(waiting.Settled):
        waiting.drop(waiting=left, note="Again.", by=mara, now=SOON)
    with pytest.raises(waiting.NotRunning):
        waiting.accept(waiting=left, by=mara, now=SOON)


ACCEPT = """
from coaching.models import Person, Waiting
from coaching.services import waiting
place, mara = Waiting.objects.get(pk=sys.argv[1]), Person.objects.get(pk=sys.argv[2])
coach = Person.objects.get(pk=sys.argv[4])
try:
    waiting.accept(waiting=place, coach=coach, by=mara, now=datetime.fromisoformat(sys.argv[3]))
    print("paired")
except (waiting.NoSeat, waiting.Settled):
    print("refused")
"""


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_want_the_last_seat_get_it_once(seats, mara):
    plan = seats(0, first=1)
    coach = plan.cohort.pairs.get().coach
    Plan.objects.filter(pk=plan.pk).update(capacities={coach.public_id: 2})
    line = list(waiting_queries.open_in(plan.cohort))[:3]
    assert len(line) == 3
    people = [(line[0], coach), (line[1], coach), (line[2], coach), (line[0], coach)]
    said = processes.race(
        [
            processes.start(ACCEPT, row.pk, mara.pk, LATER.isoformat(), coach.pk)
            for row, coach in people
        ],
        timeout=60,
    )
    assert sorted(said) == ["paired\n", "refused\n", "refused\n", "refused\n"]
    assert Pair.objects.active().filter(coach=coach).count() == 2
    assert Waiting.objects.filter(outcome="paired").count() == 1
    assert Letter.objects.filter(kind="invitation").count() == 4


PROPOSE = """
from coaching.services import waiting
print(waiting.propose_due(now=datetime.fromisoformat(sys.argv[1])))
"""


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_propose_once(left):
    said = processes.race([processes.start(PROPOSE, SOON.isoformat()) for _ in range(3)])
    assert sorted(said) == ["0\n", "0\n", "1\n"]
    assert Letter.objects.filter(kind="proposal").count() == 1
