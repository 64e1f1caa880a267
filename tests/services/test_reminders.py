"""At most one letter a side and day, with all that is due, until the pair passes."""

from datetime import UTC, datetime, timedelta

import pytest

from coaching.models import Leave, Letter, Pair, Session, Worksheet
from coaching.notifications import words
from coaching.services import reminders
from tests import factories
from tests.conftest import NOW

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
HOUR = timedelta(hours=1)
# NOW is a Monday. Three days after it at six in Zurich, a first session is asked for.
THURSDAY = datetime(2027, 3, 4, 5, tzinfo=UTC)


def letters(**values) -> list[Letter]:
    return list(Letter.objects.filter(kind="reminder", **values).order_by("pk"))


def sweep(*, days: float, every: timedelta = 3 * HOUR) -> None:
    hour = NOW
    while hour < NOW + days * DAY:
        reminders.remind_due(now=hour)
        hour += every


def steps_of(person) -> list[tuple[str, str]]:
    return [tuple(letter.dedupe_key.split(":")[2:4]) for letter in letters(recipient=person)]


def test_each_side_is_asked_for_a_first_session_at_their_own_minute(pair, lea, ivo):
    sweep(days=5)
    assert steps_of(lea) == steps_of(ivo) == [("2027-03-04", "first_session")]
    for person in (lea, ivo):
        (letter,) = letters(recipient=person)
        local = letter.next_attempt_at.astimezone(person.zone)
        assert (local.date().isoformat(), 9 <= local.hour < 11) == ("2027-03-04", True)
        assert letter.expires_at - letter.next_attempt_at == 2 * DAY


def test_nothing_is_promised_before_its_morning_and_then_once(pair):
    sweep(days=2.5)
    assert reminders.remind_due(now=THURSDAY - timedelta(seconds=1)) == 0
    assert reminders.remind_due(now=THURSDAY) == 2
    assert reminders.remind_due(now=THURSDAY) == 0
    pair.refresh_from_db()
    assert pair.next_reminder_at == THURSDAY + DAY


def test_two_sweeps_that_saw_the_same_date_promise_one_letter(pair):
    Pair.objects.update(next_reminder_at=THURSDAY)
    rows = reminders.pair_queries.with_record(Pair.objects.all())
    seen, again = rows.get(), rows.get()
    due = reminders.due_letters(seen, now=THURSDAY)
    assert reminders._promise([(seen, due)], now=THURSDAY) == 2
    assert reminders._promise([(again, due)], now=THURSDAY) == 0
    # Even with the date put back, the day has had its letter.
    Pair.objects.update(next_reminder_at=THURSDAY, state="at_risk", state_since=NOW + 2 * DAY)
    reminders.remind_due(now=THURSDAY + HOUR)
    assert len(letters()) == 2


def test_what_is_due_on_one_day_is_one_letter(pair, lea):
    starts_at = NOW + 8 * DAY
    Session.objects.create(
        pair=pair, state="planned", starts_at=starts_at, logged_by=lea, logged_at=NOW
    )
    Pair.objects.update(state="at_risk", state_since=starts_at, next_reminder_at=THURSDAY + 6 * DAY)
    reminders.remind_due(now=THURSDAY + 6 * DAY)
    (letter,) = letters(recipient=lea)
    told = words.tell(letter.context)
    assert (told["step"], told["also"]) == ("at_risk", ["log_session", "worksheet"])
    assert told["asked"].startswith("Tuesday, 9 March 2027")
    assert told["answer"].startswith("/answers/")


def test_after_a_long_silence_there_is_one_letter(pair):
    assert reminders.remind_due(now=NOW + 5 * WEEK) == len(letters()) <= 2
    pair.refresh_from_db()
    assert pair.next_reminder_at > NOW + 5 * WEEK


@pytest.mark.parametrize(
    "end",
    [
        {"state": "passed", "passed_at": NOW},
        {"state": "ended", "ended_at": NOW, "ending": "accepted"},
    ],
)
def test_after_the_end_nobody_is_reminded(pair, end):
    Pair.objects.update(**end)
    sweep(days=14, every=DAY)
    assert letters() == []


@pytest.mark.parametrize("who", ["lea", "ivo"])
def test_while_one_is_away_neither_is_reminded(pair, request, who, mara):
    person = request.getfixturevalue(who)
    Leave.objects.create(
        person=person, first_day=NOW.date(), last_day=NOW.date() + 4 * DAY,
        noted_by=mara, noted_at=NOW,
    )  # fmt: skip
    sweep(days=5)
    assert letters() == []
    sweep(days=8)
    assert {letter.dedupe_key.split(":")[2] for letter in letters()} == {"2027-03-08"}


def test_a_day_off_waits_for_the_next_working_day(pair, lea, ivo):
    lea.working_days = "15"
    lea.save()
    sweep(days=5)
    assert steps_of(ivo) == [("2027-03-04", "first_session")]
    assert steps_of(lea) == [("2027-03-05", "first_session")]


def test_the_page_of_the_week_is_asked_for_until_it_is_written(pair, lea, ivo):
    factories.hold_session(pair, NOW.date() + DAY)
    Worksheet.objects.create(pair=pair, week=NOW.date() + 2 * WEEK, went="-", learner_at=NOW)
    sweep(days=25, every=6 * HOUR)
    pages = {"lea": [], "ivo": []}
    for letter in letters():
        if "worksheet" in letter.context["steps"]:
            pages[letter.recipient.first_name.casefold()].append(letter.dedupe_key.split(":")[2])
    # The week of 15 March has Lea's part: there Ivo is asked for his.
    assert pages == {"lea": ["2027-03-10", "2027-03-24"], "ivo": ["2027-03-18"]}


def test_the_letter_knows_what_happened_last(pair, lea):
    factories.hold_session(pair, NOW.date() + DAY)
    pair.looks.create(
        week=NOW.date(), number=1, n=9, level=3.25, se=0.1, p_reached=0.1, taken_at=NOW
    )
    wednesday = THURSDAY + 6 * DAY
    Pair.objects.update(next_reminder_at=wednesday)
    reminders.remind_due(now=wednesday)
    told = words.tell(Letter.objects.get(recipient=lea).context)
    assert (told["step"], told["page"]) == ("worksheet", "empty")
    assert (told["sessions"], told["last_session"]) == (1, "2 March 2027")
    assert (told["level"], told["target"]) == ("3.25", "3.60")
    assert (told["at_target"], told["past_test_date"]) == (False, False)
    assert told["days_left"] == (pair.test_date - wednesday.date()).days


def test_before_the_test_and_after_it(pair, lea):
    for week in range(12):
        factories.hold_session(pair, NOW.date() + week * WEEK)
        Worksheet.objects.create(
            pair=pair, week=NOW.date() + week * WEEK, went="-", learner_at=NOW, coach_at=NOW
        )
    sweep(days=75, every=6 * HOUR)
    test = pair.test_date
    assert steps_of(lea) == [
        ((test - 14 * DAY).isoformat(), "test_soon"),
        ((test - 7 * DAY).isoformat(), "test_soon"),
        ((test + DAY).isoformat(), "still_swimming"),
        ((test + 8 * DAY).isoformat(), "still_swimming"),
        ((test + 15 * DAY).isoformat(), "still_swimming"),
    ]


@pytest.mark.parametrize(
    "zones", [("Asia/Tokyo", "America/Los_Angeles"), ("America/Los_Angeles", "Asia/Tokyo")]
)
def test_who_moves_around_the_world_gets_no_day_twice(pair, lea, zones):
    lea.time_zone = zones[0]
    lea.save()
    Pair.objects.update(next_reminder_at=reminders.next_reminder(Pair.objects.get(), after=NOW))
    hour = NOW
    while hour < NOW + 4 * WEEK:
        if hour == NOW + WEEK + 2 * DAY + 6 * HOUR:
            lea.time_zone = zones[1]
            lea.save()
        reminders.remind_due(now=hour)
        hour += 3 * HOUR
    days = [day for day, _ in steps_of(lea)]
    assert days == sorted(set(days))
    assert len(days) >= 4


@pytest.mark.parametrize("number", [2, 20])
def test_a_quiet_morning_costs_the_same_for_any_number(
    make_pairs, number, django_assert_max_num_queries
):
    make_pairs(number)
    Pair.objects.update(next_reminder_at=NOW + DAY)
    # The pairs, their looks, sessions, targets, leaves and pages; one write; no more due.
    with django_assert_max_num_queries(10):
        assert reminders.remind_due(now=NOW + DAY) == 0
