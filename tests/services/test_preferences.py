"""What somebody wants to be told by letter, and when."""

from datetime import date, datetime, time, timedelta

import pytest

from coaching.models import Event, Leave, Letter, OptOut, Person
from coaching.notifications import messages, outbox, rendering
from coaching.queries import leaves
from coaching.queries import preferences as queries
from coaching.services import preferences
from tests.conftest import NOW

DAY = timedelta(days=1)
Kind = Letter.Kind


def local(person: Person, moment: datetime) -> datetime:
    return moment.astimezone(person.zone).replace(tzinfo=None)


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


@pytest.fixture
def letters(pair, lea) -> dict[str, Letter]:
    """A pass and an invitation that wait for Lea since yesterday."""
    made = [messages.invitation(pair, lea), messages.passed(pair, lea)]
    outbox.promise(made, now=NOW - 1.5 * DAY)
    return {letter.kind: letter for letter in Letter.objects.all()}


def test_a_kind_turned_off_is_not_for_letters_any_more(lea):
    assert queries.next_moment(lea, Kind.PASSED, NOW + 4 * DAY / 24) == NOW + 4 * DAY / 24
    assert preferences.turn_off(person=lea, kind=Kind.PASSED, now=NOW)
    assert not preferences.turn_off(person=lea, kind=Kind.PASSED, now=NOW)
    assert queries.next_moment(fresh(lea), Kind.PASSED, NOW) is None
    assert queries.next_moment(fresh(lea), Kind.DIGEST, NOW) is not None
    assert preferences.turn_on(person=lea, kind=Kind.PASSED, now=NOW)
    assert not preferences.turn_on(person=lea, kind=Kind.PASSED, now=NOW)
    assert queries.next_moment(fresh(lea), Kind.PASSED, NOW) is not None
    assert list(Event.objects.values_list("verb", flat=True)) == [
        "letters turned on",
        "letters turned off",
    ]


@pytest.mark.parametrize("kind", [*sorted(queries.MANDATORY), "nonsense", ""])
def test_what_changes_the_week_or_asks_for_a_decision_cannot_be_turned_off(lea, kind):
    with pytest.raises(preferences.CannotTurnOff):
        preferences.turn_off(person=lea, kind=kind, now=NOW)
    assert not OptOut.objects.exists()


def test_a_row_from_elsewhere_does_not_silence_what_always_comes(lea):
    OptOut.objects.create(person=lea, kind=Kind.DECIDED, at=NOW)
    assert queries.next_moment(lea, Kind.DECIDED, NOW) is not None


def test_it_holds_for_letters_that_wait_already_and_undo_brings_them_back(letters, lea):
    preferences.turn_off(person=lea, kind=Kind.PASSED, now=NOW)
    states = dict(Letter.objects.values_list("kind", "state"))
    assert states == {"invitation": Letter.State.PENDING, "passed": Letter.State.CANCELLED}
    preferences.turn_on(person=lea, kind=Kind.PASSED, now=NOW)
    assert set(Letter.objects.values_list("state", flat=True)) == {Letter.State.PENDING}


def test_undo_after_weeks_digs_nothing_out(letters, lea):
    preferences.turn_off(person=lea, kind=Kind.PASSED, now=NOW)
    preferences.turn_on(person=lea, kind=Kind.PASSED, now=NOW + 20 * DAY)
    letters["passed"].refresh_from_db()
    assert letters["passed"].state == Letter.State.CANCELLED


def test_hours_days_and_zone_are_kept(lea):
    preferences.change(
        person=lea, now=NOW, working_days="23456", day_begins=time(12), day_ends=time(20),
        time_zone="Asia/Tokyo",
    )  # fmt: skip
    lea = fresh(lea)
    moment = local(lea, queries.next_moment(lea, Kind.PASSED, NOW))
    # NOW is Monday afternoon in Tokyo; she works from Tuesday on.
    assert moment.date() == date(2027, 3, 2)
    assert time(12) <= moment.time() < time(14)
    (event,) = Event.objects.all()
    assert event.details["fields"] == ["day_begins", "day_ends", "time_zone", "working_days"]


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"working_days": ""}, preferences.NoWorkingDay),
        ({"working_days": "21"}, preferences.NoWorkingDay),
        ({"working_days": "18"}, preferences.NoWorkingDay),
        ({"day_begins": time(18)}, preferences.NoHours),
        ({"day_begins": time(9), "day_ends": time(9)}, preferences.NoHours),
        ({"time_zone": "Europe/Atlantis"}, preferences.UnknownZone),
        ({"off": {"invitation"}}, preferences.CannotTurnOff),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(lea, wrong, refusal):
    before = Person.objects.filter(pk=lea.pk).values().get()
    with pytest.raises(refusal):
        preferences.change(person=lea, now=NOW, **{"working_days": "12", **wrong})
    assert Person.objects.filter(pk=lea.pk).values().get() == before
    assert not Event.objects.exists()


def test_letters_follow_the_language_that_is_chosen_and_sent_ones_stay(pair, lea):
    outbox.promise([messages.invitation(pair, lea), messages.left(pair, lea, waits=True)], now=NOW)
    Letter.objects.filter(kind="left").update(state=Letter.State.SENT, sent_at=NOW)
    preferences.change(person=lea, reads="de", now=NOW)
    told = {
        letter.kind: rendering.render(letter).text.splitlines()[0]
        for letter in Letter.objects.select_related("recipient")
    }
    assert told == {"invitation": "Hallo Lea,", "left": "Hello Lea,"}
    # The one that was shown in English stays so, whatever comes next.
    preferences.change(person=lea, reads="", now=NOW)
    letter = Letter.objects.get(kind="left")
    assert rendering.render(letter).text.startswith("Hello Lea,")
    assert letter.language == "en"


def test_all_kinds_at_once(lea):
    preferences.change(person=lea, now=NOW, off={"digest", "reminder"})
    assert queries.turned_off(fresh(lea)) == {"digest", "reminder"}
    preferences.change(person=lea, now=NOW, off={"reminder"})
    assert queries.turned_off(fresh(lea)) == {"reminder"}


def test_a_pause_holds_letters_back_until_its_morning(lea):
    preferences.pause(person=lea, until=date(2027, 3, 10), now=NOW)
    lea = fresh(lea)
    assert local(lea, queries.next_moment(lea, Kind.DIGEST, NOW)) == datetime(2027, 3, 10, 8)
    with pytest.raises(preferences.PausedInThePast):
        preferences.pause(person=lea, until=date(2027, 3, 1), now=NOW)


def test_ending_a_pause_brings_forward_what_waited_for_it(letters, lea):
    Letter.objects.update(next_attempt_at=NOW + 20 * DAY)
    preferences.pause(person=lea, until=date(2027, 3, 18), now=NOW)
    assert set(Letter.objects.values_list("next_attempt_at", flat=True)) == {
        queries.next_moment(lea, Kind.PASSED, NOW)
    }
    preferences.pause(person=lea, until=None, now=NOW)
    (at,) = set(Letter.objects.values_list("next_attempt_at", flat=True))
    assert local(lea, at).date() == NOW.date()


def test_who_is_away_gets_nothing_until_the_morning_after(lea, ivo):
    Leave.objects.create(
        person=lea, first_day=date(2027, 2, 25), last_day=date(2027, 3, 5), noted_at=NOW
    )
    Leave.objects.create(person=ivo, first_day=NOW.date(), noted_at=NOW)
    assert local(lea, queries.next_moment(lea, Kind.DIGEST, NOW)) == datetime(2027, 3, 8, 8)
    assert queries.next_moment(ivo, Kind.DIGEST, NOW) is None
    assert queries.outlook(ivo, NOW).why_not == "You are away until further notice."


def test_who_has_no_address_or_no_day_is_told_why_no_letter_comes(lea):
    lea.email = ""
    assert queries.next_moment(lea, Kind.INVITATION, NOW) is None
    assert "no e-mail address" in queries.outlook(lea, NOW).why_not
    lea.email, lea.working_days = "lea@example.com", ""
    assert queries.next_moment(lea, Kind.INVITATION, NOW) is None
    assert "no day" in queries.outlook(lea, NOW).why_not


def test_the_outlook_says_when(lea):
    outlook = queries.outlook(lea, NOW)
    assert local(lea, outlook.digest) == datetime(2027, 3, 8, 8)
    assert local(lea, outlook.letter).date() == NOW.date()
    preferences.turn_off(person=lea, kind=Kind.DIGEST, now=NOW)
    assert queries.outlook(fresh(lea), NOW).digest is None


@pytest.mark.parametrize("number", [2, 12])
def test_many_people_cost_three_queries(make_pairs, number, django_assert_num_queries):
    make_pairs(number)
    with django_assert_num_queries(3):
        for person in queries.with_rhythm(Person.objects.all()):
            queries.next_moment(person, Kind.REMINDER, NOW)


def test_a_letter_is_promised_for_its_readers_own_hours(pair, lea):
    preferences.change(
        person=lea, now=NOW, working_days="234", day_begins=time(13), day_ends=time(21)
    )
    pair.learner.refresh_from_db()
    outbox.promise([messages.passed(pair, pair.learner)], now=NOW)
    at = local(lea, Letter.objects.get().next_attempt_at)
    assert at.date() == date(2027, 3, 2)
    assert time(13) <= at.time() < time(15)


# -- leaves ----------------------------------------------------------------------------------


def test_who_is_away_on_a_day(lea, ivo, mara):
    Leave.objects.create(
        person=lea, first_day=date(2027, 3, 1), last_day=date(2027, 3, 3), noted_at=NOW
    )
    Leave.objects.create(person=ivo, first_day=date(2027, 3, 3), noted_at=NOW)
    everybody = [lea, ivo, mara]
    assert leaves.away_on(everybody, date(2027, 2, 28)) == set()
    assert leaves.away_on(everybody, date(2027, 3, 1)) == {lea.pk}
    assert leaves.away_on(everybody, date(2027, 3, 3)) == {lea.pk, ivo.pk}
    assert leaves.away_on([mara], date(2027, 3, 3)) == set()


def test_the_day_somebody_is_back(lea):
    assert leaves.back_on(lea, NOW.date()) == NOW.date()
    for first, last in ((1, 5), (6, 7), (20, 21)):
        Leave.objects.create(
            person=lea, first_day=date(2027, 3, first), last_day=date(2027, 3, last), noted_at=NOW
        )
    assert leaves.back_on(fresh(lea), date(2027, 3, 2)) == date(2027, 3, 8)
    Leave.objects.create(person=lea, first_day=date(2027, 3, 8), noted_at=NOW)
    assert leaves.back_on(fresh(lea), date(2027, 3, 2)) is None
