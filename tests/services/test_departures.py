"""Somebody leaves, goes on leave or ends a pair; the other one is looked after at once."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from coaching.models import (
    Case,
    Cohort,
    Event,
    HandRaise,
    Helper,
    Leave,
    Letter,
    Notice,
    Pair,
    Session,
    Waiting,
)
from coaching.notifications import messages, outbox
from coaching.queries import leaves
from coaching.services import departures
from tests import factories, processes
from tests.conftest import NOW

LATER = NOW + timedelta(days=9)


@pytest.fixture
def swimming(pair, mara, lea, ivo) -> Pair:
    """Lea and Ivo with everything a pair can have pending."""
    pair.cohort.team.manager = mara
    outbox.promise([messages.invitation(pair, reader) for reader in (lea, ivo)], now=NOW)
    Session.objects.create(
        pair=pair, state="planned", starts_at=LATER + timedelta(days=2), logged_by=lea,
        logged_at=NOW,
    )  # fmt: skip
    Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW)
    Helper.objects.create(pair=pair, person=factories.make_person(), since=NOW)
    return pair


def test_a_released_pair_leaves_nothing_pending(swimming, ivo, lea):
    departures.release(
        pair=swimming, ending=Pair.Ending.LEFT, why="Ivo has left.", by=None, now=LATER
    )
    swimming.refresh_from_db()
    assert (swimming.state, swimming.ending, swimming.ended_at) == ("ended", "left", LATER)
    assert not Pair.objects.active().filter(coach=ivo).exists()
    invitations = Letter.objects.filter(kind="invitation")
    assert set(invitations.values_list("state", flat=True)) == {Letter.State.CANCELLED}
    assert swimming.sessions.get().state == Session.State.WITHDRAWN
    assert Helper.objects.get().until == LATER
    case = Case.objects.get()
    assert (case.decision, case.decided_at, case.note) == ("redirect", LATER, "Ivo has left.")
    place = Waiting.objects.get()
    assert (place.learner, place.metric, place.why, place.after) == (
        lea, swimming.metric, "left", swimming,
    )  # fmt: skip
    assert (place.place, place.since, place.settled_at) == (1, LATER, None)
    event = Event.objects.get(verb="pair ended: somebody left")
    assert event.details == {"why": "Ivo has left."}
    with pytest.raises(departures.NotActive):
        departures.release(pair=swimming, ending=Pair.Ending.LEFT, why="", by=None, now=LATER)


def test_the_cohort_waits_with_the_learner(swimming, mara):
    departures.release(pair=swimming, ending=Pair.Ending.LEFT, why="", by=None, now=LATER)
    assert swimming.cohort.state == Cohort.State.LIVE
    told = Notice.objects.get(person=mara, dedupe_key__startswith="wai:")
    assert told.text == "Lea Brandt waits for a coach."


def test_an_open_end_makes_nobody_wait_and_closes_the_cohort(swimming, mara):
    departures.release(
        pair=swimming, ending=Pair.Ending.ACCEPTED, why="Enough.", by=mara, now=LATER
    )
    assert not Waiting.objects.exists()
    assert Case.objects.get().decision == "accept"
    # Both are told by the decision, not by a letter of its own.
    assert not Letter.objects.filter(kind="left").exists()
    assert Cohort.objects.get().state == Cohort.State.CLOSED


@pytest.mark.parametrize("who", ["lea", "ivo"])
def test_either_side_ends_a_pair_without_a_reason(swimming, who, request):
    person = request.getfixturevalue(who)
    departures.end_pair(pair=swimming, by=person, now=LATER)
    swimming.refresh_from_db()
    assert (swimming.ending, swimming.ended_by) == ("declined", person)
    letter = Letter.objects.get(kind="left")
    assert letter.recipient == swimming.partner_of(person)
    assert letter.context["waits"]
    assert Waiting.objects.get().why == "declined"


def test_nobody_else_ends_a_pair(swimming, mara, otto):
    for person in (mara, otto):
        with pytest.raises(departures.NotYours):
            departures.end_pair(pair=swimming, by=person, now=LATER)
    assert Pair.objects.active().exists()


# -- leaving for good --------------------------------------------------------------------


def test_a_coach_who_leaves_frees_the_learner(swimming, ivo, lea, mara, csat):
    HandRaise.objects.create(person=ivo, metric=csat, raised_at=NOW)
    assert departures.leaves(person=ivo, by=mara, now=LATER) == 1
    ivo.refresh_from_db()
    assert not ivo.active
    assert [letter.recipient for letter in Letter.objects.filter(kind="left")] == [lea]
    assert Waiting.objects.get().learner == lea
    assert HandRaise.objects.get().lowered_at == LATER
    assert Event.objects.get(verb="person left").details == {"pairs": 1}
    # Again, and nothing more happens.
    assert departures.leaves(person=ivo, by=mara, now=LATER) == 0
    assert Event.objects.filter(verb="person left").count() == 1


def test_a_learner_who_leaves_waits_for_nobody(swimming, lea, ivo, mara):
    departures.leaves(person=lea, by=mara, now=LATER)
    assert not Waiting.objects.exists()
    assert [letter.recipient for letter in Letter.objects.filter(kind="left")] == [ivo]
    assert Cohort.objects.get().state == Cohort.State.CLOSED


def test_who_waits_and_leaves_does_not_hold_up_the_cohort(swimming, lea, ivo, mara):
    departures.end_pair(pair=swimming, by=ivo, now=LATER)
    departures.leaves(person=lea, by=mara, now=LATER)
    place = Waiting.objects.get()
    assert (place.outcome, place.note) == ("dropped", "Lea Brandt has left.")
    assert Cohort.objects.get().state == Cohort.State.CLOSED


def test_who_left_is_not_proposed_any_more(swimming, lea, mara):
    other = factories.make_person(team=lea.team)
    departures.release(pair=swimming, ending=Pair.Ending.LEFT, why="", by=None, now=LATER)
    Waiting.objects.update(proposal={"coach": other.public_id}, proposed_at=LATER)
    departures.leaves(person=other, by=mara, now=LATER)
    place = Waiting.objects.get()
    assert (place.proposal, place.proposed_at) == (None, None)


def test_whoever_was_made_inactive_elsewhere_is_followed_up(swimming, ivo, lea):
    type(ivo).objects.filter(pk=ivo.pk).update(active=False)
    assert departures.follow_up(now=LATER) == 1
    assert Waiting.objects.get().learner == lea
    assert departures.follow_up(now=LATER) == 0
    type(lea).objects.filter(pk=lea.pk).update(active=False)
    departures.follow_up(now=LATER)
    assert Waiting.objects.get().outcome == "dropped"


# -- days away ---------------------------------------------------------------------------

MONDAY = NOW.date()


def away(person, first: date, last: date | None, *, now=NOW) -> Leave:
    return departures.away(person=person, first_day=first, last_day=last, by=person, now=now)


def test_a_short_leave_only_stops_the_clocks(swimming, ivo, lea):
    away(ivo, MONDAY, MONDAY + timedelta(days=13))
    assert leaves.away_on([ivo, lea], MONDAY) == {ivo.pk}
    assert departures.follow_up(now=NOW) == 0
    assert Pair.objects.active().exists()


def test_a_coach_away_for_long_gives_the_learner_free(swimming, ivo, lea):
    away(ivo, MONDAY, MONDAY + timedelta(days=14))
    swimming.refresh_from_db()
    assert swimming.ending == "away"
    assert Waiting.objects.get().why == "away"
    assert Letter.objects.get(kind="left").recipient == lea


def test_a_learner_may_be_away_for_long(swimming, lea):
    away(lea, MONDAY, None)
    departures.follow_up(now=NOW)
    assert Pair.objects.active().exists()


def test_a_long_leave_to_come_ends_the_pair_on_its_first_day(swimming, ivo):
    away(ivo, MONDAY + timedelta(days=5), None)
    for day in range(5):
        assert departures.follow_up(now=NOW + timedelta(days=day)) == 0
    assert departures.follow_up(now=NOW + timedelta(days=5)) == 1
    assert departures.follow_up(now=NOW + timedelta(days=6)) == 0


def test_days_away_that_make_no_sense_are_refused_in_words(ivo):
    with pytest.raises(departures.WrongWay):
        away(ivo, MONDAY, MONDAY - timedelta(days=1))
    with pytest.raises(departures.Over):
        away(ivo, MONDAY - timedelta(days=9), MONDAY - timedelta(days=1))
    first = away(ivo, MONDAY, MONDAY + timedelta(days=4))
    # The same form sent twice is one leave.
    assert away(ivo, MONDAY, MONDAY + timedelta(days=4)) == first
    with pytest.raises(departures.Noted, match="from 1 March 2027 to 5 March 2027 already"):
        away(ivo, MONDAY + timedelta(days=4), None)
    away(ivo, MONDAY + timedelta(days=5), None)
    with pytest.raises(departures.Noted, match="until further notice"):
        away(ivo, MONDAY + timedelta(days=80), MONDAY + timedelta(days=90))


def test_who_is_back_early_is_back(ivo):
    leave = away(ivo, MONDAY, None)
    departures.back(leave=leave, by=ivo, now=NOW + timedelta(days=3))
    leave.refresh_from_db()
    assert leave.last_day == MONDAY + timedelta(days=2)
    with pytest.raises(departures.Over):
        departures.back(leave=leave, by=ivo, now=NOW + timedelta(days=3))
    to_come = away(ivo, MONDAY + timedelta(days=20), None)
    departures.back(leave=to_come, by=ivo, now=NOW)
    assert Leave.objects.get() == leave


RELEASE = """
from coaching.models import Pair, Person
from coaching.services import departures
pair, person = Pair.objects.get(pk=sys.argv[1]), Person.objects.get(pk=sys.argv[2])
now = datetime.fromisoformat(sys.argv[3])
try:
    if sys.argv[4] == "leaves":
        print(departures.leaves(person=person, by=None, now=now))
    else:
        departures.end_pair(pair=pair, by=person, now=now)
        print(1)
except departures.NotActive:
    print(0)
"""


@pytest.mark.django_db(transaction=True)
def test_two_departures_at_once_end_a_pair_once(pair, lea, ivo, mara):
    arguments = [(lea, "ends"), (ivo, "ends"), (ivo, "leaves")]
    said = processes.race(
        [
            processes.start(RELEASE, pair.pk, person.pk, LATER.isoformat(), how)
            for person, how in arguments
        ]
    )
    assert sorted(said) == ["0\n", "0\n", "1\n"]
    assert Waiting.objects.count() == 1
    assert Event.objects.filter(verb__startswith="pair ended").count() == 1


def test_the_letter_in_flight_counts_as_told(swimming, lea, ivo):
    """What a worker is just sending is not called back; the news follows it."""
    Letter.objects.filter(recipient=lea, kind="invitation").update(
        state=Letter.State.SENDING, lease_token=uuid4(), lease_until=LATER + timedelta(minutes=5)
    )
    departures.end_pair(pair=swimming, by=ivo, now=LATER)
    states = dict(Letter.objects.filter(recipient=lea).values_list("kind", "state"))
    assert states["invitation"] == Letter.State.SENDING
    assert states["left"] == Letter.State.PENDING
