"""Sessions are planned in both calendars, moved, withdrawn, and held once."""

from datetime import datetime, timedelta

import icalendar
import pytest

from coaching.models import Event, Letter, Notice, Pair, Session
from coaching.notifications import words
from coaching.queries import pairs
from coaching.services import sessions
from tests import factories, processes
from tests.conftest import NOW

DAY = timedelta(days=1)
WEDNESDAY = NOW + 2 * DAY + timedelta(hours=6)


@pytest.fixture
def planned(pair, lea) -> Session:
    return sessions.plan(pair=pair, starts_at=WEDNESDAY, place="Room 3", by=lea, now=NOW)


def letters(**values) -> list[Letter]:
    return list(Letter.objects.filter(kind="session", **values).order_by("pk"))


def event_of(letter: Letter) -> tuple[str, icalendar.Event]:
    calendar = icalendar.Calendar.from_ical(letter.context["ics"])
    (event,) = calendar.walk("VEVENT")
    return str(calendar["method"]), event


# -- planning --------------------------------------------------------------------------------


def test_both_get_a_planned_session_for_their_calendars(planned, lea, ivo):
    assert (planned.state, planned.held_on, planned.sequence) == ("planned", None, 0)
    hers, his = letters(recipient=lea), letters(recipient=ivo)
    assert len(hers) == len(his) == 1
    method, event = event_of(his[0])
    assert method == "REQUEST"
    assert str(event["summary"]) == "Coaching session"
    assert event.decoded("dtstart") == WEDNESDAY
    assert event.decoded("dtend") == WEDNESDAY + timedelta(minutes=45)
    assert str(event["uid"]).startswith(str(planned.uid))
    assert str(event["organizer"]) == f"mailto:{lea.email}"
    assert {str(who) for who in event["attendee"]} == {
        f"mailto:{lea.email}", f"mailto:{ivo.email}",
    }  # fmt: skip
    # The calendar names no skill and no target: somebody may look over a shoulder.
    assert "satisfaction" not in his[0].context["ics"].casefold()
    assert Notice.objects.filter(person=ivo, text__startswith="You and Lea meet on").exists()


def test_each_reads_the_hour_on_their_own_clock(pair, lea, ivo):
    ivo.time_zone = "America/New_York"
    ivo.save()
    pair.refresh_from_db()
    sessions.plan(pair=pair, starts_at=WEDNESDAY, by=lea, now=NOW)
    told = {letter.recipient_id: words.tell(letter.context["at"]) for letter in letters()}
    assert told[lea.pk].endswith("14:30")
    assert told[ivo.pk].endswith("08:30")


@pytest.mark.parametrize(
    ("starts_at", "minutes", "refusal"),
    [
        (NOW - timedelta(minutes=1), 45, sessions.NotAhead),
        (NOW, 45, sessions.NotAhead),
        (NOW + timedelta(weeks=27), 45, sessions.NotAhead),
        (WEDNESDAY, 4, sessions.TooLong),
        (WEDNESDAY, 481, sessions.TooLong),
    ],
)
def test_it_is_ahead_and_of_a_sensible_length(pair, lea, starts_at, minutes, refusal):
    with pytest.raises(refusal):
        sessions.plan(pair=pair, starts_at=starts_at, minutes=minutes, by=lea, now=NOW)
    assert not letters()


def test_two_sessions_do_not_begin_at_the_same_time(planned, pair, ivo):
    for minutes in (-14, 0, 14):
        with pytest.raises(sessions.AlreadyPlanned):
            sessions.plan(
                pair=pair, starts_at=WEDNESDAY + timedelta(minutes=minutes), by=ivo, now=NOW
            )
    sessions.plan(pair=pair, starts_at=WEDNESDAY + DAY, by=ivo, now=NOW)


@pytest.mark.parametrize("hours", [5, 60])
def test_a_letter_about_a_session_that_is_near_does_not_wait_for_the_morning(pair, lea, hours):
    evening = NOW + timedelta(hours=12)
    sessions.plan(pair=pair, starts_at=evening + timedelta(hours=hours), by=lea, now=evening)
    assert {letter.next_attempt_at == evening for letter in letters()} == {hours == 5}


# -- moving and withdrawing ------------------------------------------------------------------


def test_a_move_is_the_same_event_with_the_next_number(planned, ivo):
    later = WEDNESDAY + DAY
    moved = sessions.move(session=planned, starts_at=later, by=ivo, now=NOW + DAY)
    assert (moved.sequence, moved.starts_at, moved.place) == (1, later, "Room 3")
    first, second = letters(recipient=ivo)
    (_, before), (method, after) = event_of(first), event_of(second)
    assert (method, after["uid"], int(after["sequence"])) == ("REQUEST", before["uid"], 1)
    assert after.decoded("dtstart") == later
    # What had not left yet would only confuse.
    assert first.state == Letter.State.CANCELLED


def test_the_same_time_again_tells_nobody(planned, ivo):
    sessions.move(session=planned, starts_at=WEDNESDAY, by=ivo, now=NOW)
    assert len(letters()) == 2


def test_what_is_withdrawn_leaves_the_calendars(planned, lea, ivo):
    for _ in range(2):
        sessions.withdraw(session=planned, by=ivo, why="Back to back calls", now=NOW)
    planned.refresh_from_db()
    assert (planned.state, planned.sequence) == ("withdrawn", 1)
    method, event = event_of(letters(recipient=lea)[-1])
    assert (method, str(event["status"]), int(event["sequence"])) == ("CANCEL", "CANCELLED", 1)
    assert len(letters(recipient=lea)) == 2
    with pytest.raises(sessions.NotPlanned):
        sessions.move(session=planned, starts_at=WEDNESDAY + DAY, by=ivo, now=NOW)


def test_when_a_pair_ends_everything_planned_is_withdrawn(planned, pair, lea):
    sessions.plan(pair=pair, starts_at=WEDNESDAY + 7 * DAY, by=lea, now=NOW)
    assert sessions.withdraw_all(pair, "The pair has ended.", NOW + DAY) == 2
    assert sessions.withdraw_all(pair, "The pair has ended.", NOW + DAY) == 0
    live = [row for row in letters(recipient=lea) if row.state == Letter.State.PENDING]
    assert [event_of(letter)[0] for letter in live] == ["CANCEL", "CANCEL"]


def test_what_is_over_is_withdrawn_without_a_letter(planned, pair):
    before = len(letters())
    sessions.withdraw_all(pair, "The pair has passed.", WEDNESDAY + DAY)
    assert len(letters()) == before


# -- afterwards ------------------------------------------------------------------------------


def test_it_took_place_however_often_anybody_says_so(planned, lea, ivo):
    for by in (lea, ivo, lea):
        sessions.hold(session=planned, by=by, now=WEDNESDAY + timedelta(hours=1))
    planned.refresh_from_db()
    assert (planned.state, planned.held_on, planned.logged_by) == ("held", WEDNESDAY.date(), lea)
    assert Event.objects.filter(verb="session logged").count() == 1


def test_a_later_note_is_kept(planned, lea, ivo):
    later = WEDNESDAY + timedelta(hours=1)
    sessions.hold(session=planned, by=lea, now=later)
    sessions.hold(session=planned, by=ivo, note="Pauses", now=later)
    planned.refresh_from_db()
    assert planned.note == "Pauses"


def test_nothing_has_taken_place_before_it_began(planned, lea):
    for say in (sessions.hold, sessions.miss):
        with pytest.raises(sessions.NotYet):
            say(session=planned, by=lea, now=WEDNESDAY - timedelta(minutes=1))


def test_a_missed_session_can_be_put_right_or_moved(planned, lea, ivo):
    later = WEDNESDAY + timedelta(hours=2)
    sessions.miss(session=planned, by=lea, now=later)
    sessions.miss(session=planned, by=ivo, now=later)
    planned.refresh_from_db()
    assert (planned.state, planned.held_on) == ("missed", None)
    sessions.move(session=planned, starts_at=later + DAY, by=ivo, now=later)
    sessions.hold(session=planned, by=ivo, now=later + 2 * DAY)
    planned.refresh_from_db()
    assert planned.state == "held"
    with pytest.raises(sessions.NotPlanned):
        sessions.miss(session=planned, by=lea, now=later + 2 * DAY)


def test_a_session_logged_by_hand_is_the_planned_one_of_that_day(planned, pair, ivo):
    later = WEDNESDAY + timedelta(hours=2)
    logged = sessions.log(pair=pair, held_on=WEDNESDAY.date(), note="Tone", by=ivo, now=later)
    assert logged == planned
    assert pair.sessions.get().state == "held"


def test_a_planned_one_is_the_session_already_logged_on_that_day(planned, pair, lea, ivo):
    morning = WEDNESDAY - timedelta(hours=3)
    sessions.log(pair=pair, held_on=WEDNESDAY.date(), note="Tone", by=lea, now=morning)
    sessions.hold(session=planned, by=ivo, now=WEDNESDAY + timedelta(hours=1))
    held = pair.sessions.get()
    assert (held, held.note) == (planned, "Tone")


# -- logging ---------------------------------------------------------------------------------


def test_a_session_is_logged_once_a_day_and_looked_at_at_once(pair, lea, ivo):
    later = NOW + 3 * DAY
    for by, note in ((lea, "Listening"), (ivo, "Listening, and closing")):
        sessions.log(pair=pair, held_on=later.date(), note=note, by=by, now=later)
    session = pair.sessions.get()
    assert (session.note, session.logged_by) == ("Listening, and closing", ivo)
    pair.refresh_from_db()
    assert pair.next_check_at == later
    assert Event.objects.filter(verb="session logged").count() == 2


@pytest.mark.parametrize("days", [-1, 4])
def test_a_session_has_taken_place_and_not_before_the_pair_began(pair, lea, days):
    with pytest.raises(sessions.NotYet):
        sessions.log(pair=pair, held_on=NOW.date() + days * DAY, note="", by=lea, now=NOW + 3 * DAY)


def test_the_first_session_may_be_on_the_evening_of_the_launch(pair, lea):
    # 00:30 in London is still the day before in Los Angeles.
    lea.time_zone = "America/Los_Angeles"
    launched = NOW.replace(hour=0, minute=30) + DAY
    Pair.objects.update(started_at=launched)
    pair.refresh_from_db()
    evening = launched + timedelta(hours=2)
    session = sessions.log(pair=pair, held_on=NOW.date(), note="", by=lea, now=evening)
    assert session.held_on == NOW.date()


def test_after_the_end_there_is_nothing_to_plan_or_to_say(planned, pair, lea):
    Pair.objects.update(state="ended", ended_at=NOW, ending="left")
    later = WEDNESDAY + DAY
    for refused in (
        lambda: sessions.plan(pair=pair, starts_at=later + DAY, by=lea, now=later),
        lambda: sessions.move(session=planned, starts_at=later + DAY, by=lea, now=later),
        lambda: sessions.hold(session=planned, by=lea, now=later),
        lambda: sessions.miss(session=planned, by=lea, now=later),
        lambda: sessions.log(pair=pair, held_on=NOW.date(), note="", by=lea, now=later),
    ):
        with pytest.raises(sessions.NotSwimming):
            refused()
    planned.refresh_from_db()
    assert planned.state == "planned"


# -- at the same time --------------------------------------------------------------------------

HOLD = """
from coaching.models import Person, Session
from coaching.services import sessions
session = Session.objects.select_related("pair__learner__team").get(pk=int(sys.argv[1]))
by = Person.objects.get(pk=int(sys.argv[2]))
now = datetime.fromisoformat(sys.argv[3])
if sys.argv[4] == "hold":
    sessions.hold(session=session, by=by, now=now)
else:
    sessions.log(pair=session.pair, held_on=session.starts_at.date(), note="", by=by, now=now)
print("done")
"""


@pytest.mark.django_db(transaction=True)
def test_both_say_it_at_the_same_moment_and_it_is_one_session(lea, ivo, pair):
    later = WEDNESDAY + timedelta(hours=2)
    for week in range(3):
        starts_at = WEDNESDAY + week * 7 * DAY
        session = sessions.plan(pair=pair, starts_at=starts_at, by=lea, now=NOW)
        told = datetime.isoformat(later + week * 7 * DAY)
        crowd = [
            processes.start(HOLD, session.pk, by.pk, told, how)
            for by, how in ((lea, "hold"), (ivo, "hold"), (lea, "log"), (ivo, "log"))
        ]
        assert processes.race(crowd, timeout=90) == ["done\n"] * 4
    held = pair.sessions.filter(state="held")
    assert held.count() == pair.sessions.count() == 3
    assert len(set(held.values_list("held_on", flat=True))) == 3


def test_counting_sessions_counts_the_held_ones(planned, pair):
    factories.hold_session(pair, NOW.date())
    row = pairs.with_progress(Pair.objects.all()).get()
    assert (row.last_session, row.planned_at) == (NOW.date(), WEDNESDAY)
