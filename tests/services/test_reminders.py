"""One weekly note a side until the pair passes, however often anybody sweeps."""

from datetime import UTC, datetime, timedelta

import pytest

from coaching.models import Letter, Notice, Pair
from coaching.services import reminders
from tests import factories
from tests.conftest import NOW

WEEK = timedelta(weeks=1)
HOUR = timedelta(hours=1)
# NOW is a Monday; the first note is due on Wednesday at six in Zurich.
WEDNESDAY = datetime(2027, 3, 3, 5, tzinfo=UTC)


def notes() -> list[Letter]:
    return list(Letter.objects.filter(kind="reminder").order_by("next_attempt_at", "pk"))


def test_a_week_has_one_note_for_each_side(pair, lea, ivo):
    hour = NOW
    while hour < NOW + 3 * WEEK:
        reminders.remind_due(now=hour)
        hour += 2 * HOUR
    for person in (lea, ivo):
        letters = [letter for letter in notes() if letter.recipient == person]
        assert len(letters) == 3
        times = [letter.next_attempt_at.astimezone(person.zone) for letter in letters]
        assert {(time.weekday(), 9 <= time.hour < 11) for time in times} == {(2, True)}
        assert len({(time.hour, time.minute) for time in times}) == 1
    assert Notice.objects.count() == 6


def test_it_is_not_due_before_wednesday_and_then_once(pair):
    assert reminders.remind_due(now=WEDNESDAY - timedelta(seconds=1)) == 0
    assert reminders.remind_due(now=WEDNESDAY) == 1
    assert reminders.remind_due(now=WEDNESDAY) == 0
    pair.refresh_from_db()
    assert pair.next_reminder_at == WEDNESDAY + WEEK


def test_two_sweeps_that_saw_the_same_date_promise_one_note(pair):
    seen = Pair.objects.get()
    seen.session_count = 0
    again = Pair.objects.get()
    again.session_count = 0
    assert reminders._remind(seen, now=WEDNESDAY)
    assert not reminders._remind(again, now=WEDNESDAY)
    # Even with the date put back, the promise is known by its week.
    Pair.objects.update(next_reminder_at=WEDNESDAY)
    reminders.remind_due(now=WEDNESDAY + HOUR)
    assert len(notes()) == 2


def test_five_weeks_of_silence_give_one_note(pair):
    assert reminders.remind_due(now=WEDNESDAY + 5 * WEEK + HOUR) == 1
    assert len(notes()) == 2
    pair.refresh_from_db()
    assert WEDNESDAY + 5 * WEEK < pair.next_reminder_at < WEDNESDAY + 6 * WEEK + HOUR


@pytest.mark.parametrize(
    "end", [{"state": "passed", "passed_at": NOW}, {"state": "ended", "ended_at": NOW}]
)
def test_after_the_end_nobody_is_reminded(pair, end):
    Pair.objects.update(**end)
    assert reminders.remind_due(now=WEDNESDAY) == 0
    assert notes() == []


def test_a_stuck_pair_is_reminded_all_the_same(pair):
    Pair.objects.update(state="stuck")
    assert reminders.remind_due(now=WEDNESDAY) == 1


def test_the_note_knows_what_happened(pair, lea):
    factories.hold_session(pair, NOW.date())
    pair.looks.create(
        week=NOW.date(), number=1, n=9, level=3.25, se=0.1, p_reached=0.1, taken_at=NOW
    )
    reminders.remind_due(now=WEDNESDAY)
    told = Letter.objects.get(recipient=lea).context
    assert (told["sessions"], told["level"], told["target"]) == (1, "3.25", "3.60")
    assert (told["at_target"], told["past_test_date"]) == (False, False)
    assert told["days_left"] == (pair.test_date - WEDNESDAY.date()).days


def test_a_note_expires_after_three_days(pair):
    reminders.remind_due(now=WEDNESDAY)
    for letter in notes():
        assert letter.expires_at - letter.next_attempt_at == timedelta(days=3)


@pytest.mark.parametrize(
    "zones", [("Asia/Tokyo", "America/Los_Angeles"), ("America/Los_Angeles", "Asia/Tokyo")]
)
def test_who_moves_around_the_world_gets_one_note_a_week(pair, lea, zones):
    lea.time_zone = zones[0]
    lea.save()
    Pair.objects.update(next_reminder_at=reminders.next_reminder(Pair.objects.get(), after=NOW))
    hour = NOW
    while hour < NOW + 4 * WEEK:
        if hour == NOW + WEEK + timedelta(days=1, hours=3):
            lea.time_zone = zones[1]
            lea.save()
        reminders.remind_due(now=hour)
        hour += 3 * HOUR
    weeks = [letter.dedupe_key.split(":")[2] for letter in notes() if letter.recipient == lea]
    assert weeks == sorted(set(weeks))
    assert weeks == ["2027-W09", "2027-W10", "2027-W11", "2027-W12"]


@pytest.mark.parametrize("number", [2, 20])
def test_reading_what_is_due_costs_the_same_for_any_number(
    make_pairs, number, django_assert_max_num_queries
):
    make_pairs(number)
    # Three to read and one to see the end; moving the date and the promise, in a transaction each.
    with django_assert_max_num_queries(4 + 5 * number):
        assert reminders.remind_due(now=WEDNESDAY) == number
