"""Which reminders are due, day by day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from coaching.domain import reminders
from coaching.domain.progress import State
from coaching.domain.reminders import Facts, Page, Step

# A Monday.
LAUNCH = date(2027, 3, 1)
DAY = timedelta(days=1)
# Met last Friday, on track, this week's page written: nothing is due for weeks.
CALM = Facts(
    learns=True,
    started_on=LAUNCH,
    clocks_from=LAUNCH,
    first_session_days=10,
    test_date=LAUNCH + timedelta(weeks=8),
    state=State.ON_TRACK,
    state_since=LAUNCH,
    last_session=LAUNCH + 4 * DAY,
    page=Page.BOTH,
)


def days_of(step: Step, facts: Facts, *, days: int = 60) -> list[int]:
    """On which days after the launch a step is due, when somebody looks every morning."""
    found = []
    for number in range(1, days + 1):
        today = LAUNCH + number * DAY
        if step in reminders.due(facts, since=today, until=today):
            found.append(number)
    return found


def test_nothing_is_due_without_a_cause():
    for number in range(1, 40):
        today = LAUNCH + number * DAY
        assert reminders.due(CALM, since=today, until=today) == []


def test_a_first_session_is_asked_for_twice_before_its_clock_runs_out():
    waiting = replace(CALM, last_session=None)
    assert days_of(Step.FIRST_SESSION, waiting) == [3, 6]
    # A planned one is as good.
    assert days_of(Step.FIRST_SESSION, replace(waiting, next_session=LAUNCH + 9 * DAY)) == []
    assert days_of(Step.FIRST_SESSION, replace(waiting, first_session_days=20)) == [3, 16]


def test_the_day_after_a_session_somebody_says_how_it_went():
    open_ = replace(CALM, unanswered=LAUNCH + 9 * DAY)
    assert days_of(Step.LOG_SESSION, open_) == [10, 13]


def test_the_test_is_announced_two_weeks_and_one_week_before():
    assert days_of(Step.TEST_SOON, CALM) == [42, 49]


def test_after_the_test_a_swimmer_is_written_to_once_a_week():
    assert days_of(Step.STILL_SWIMMING, CALM, days=80) == [57, 64, 71, 78]


@pytest.mark.parametrize("state", [State.AT_RISK, State.STUCK])
def test_a_risk_is_told_on_the_next_day_and_once(state):
    risky = replace(CALM, state=state, state_since=LAUNCH + 11 * DAY)
    assert days_of(Step.AT_RISK, risky) == [12]


def test_a_pair_that_is_at_risk_because_of_the_test_is_told_one_thing():
    over = replace(CALM, state=State.AT_RISK, state_since=CALM.test_date + DAY)
    today = CALM.test_date + 2 * DAY
    assert reminders.due(over, since=CALM.test_date, until=today) == [Step.STILL_SWIMMING]


def test_the_learner_is_asked_for_the_page_on_wednesday_and_the_coach_answers_on_thursday():
    empty = replace(CALM, page=Page.EMPTY)
    written = replace(CALM, learns=False, page=Page.LEARNER)
    # Not in the week of the launch.
    assert days_of(Step.WORKSHEET, empty, days=20) == [9, 16]
    assert days_of(Step.WORKSHEET, written, days=20) == [10, 17]
    # What is written, or not yet to be answered, is not asked for.
    assert days_of(Step.WORKSHEET, replace(empty, page=Page.LEARNER)) == []
    assert days_of(Step.WORKSHEET, replace(written, page=Page.EMPTY)) == []


def test_a_day_off_moves_it_to_the_next_working_day():
    waiting = replace(CALM, last_session=None, working_days="15")
    # Day 3 is a Thursday, day 6 a Sunday.
    assert days_of(Step.FIRST_SESSION, waiting) == [4, 7]
    page = replace(CALM, page=Page.EMPTY, working_days="12")
    assert days_of(Step.WORKSHEET, page, days=30) == []


def test_the_most_urgent_comes_first_and_the_others_with_it():
    busy = replace(
        CALM,
        state=State.AT_RISK,
        state_since=LAUNCH + 8 * DAY,
        last_session=None,
        unanswered=LAUNCH + 8 * DAY,
        page=Page.EMPTY,
    )
    today = LAUNCH + 9 * DAY
    assert reminders.due(busy, since=today, until=today) == [
        Step.AT_RISK, Step.LOG_SESSION, Step.WORKSHEET,
    ]  # fmt: skip


def test_days_on_which_nobody_asked_are_caught_up_with_once():
    waiting = replace(CALM, last_session=None)
    found = reminders.due(waiting, since=LAUNCH + DAY, until=LAUNCH + 7 * DAY)
    assert found == [Step.FIRST_SESSION]


@pytest.mark.parametrize("zone", ["Europe/Zurich", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_every_day_has_one_morning(zone):
    now, mornings = datetime(2027, 1, 1, tzinfo=UTC), []
    for _ in range(366):
        now = reminders.next_morning(ZoneInfo(zone), now)
        mornings.append(now.astimezone(ZoneInfo(zone)))
    assert len({morning.date() for morning in mornings}) == 366
    assert {morning.hour for morning in mornings} == {6}
