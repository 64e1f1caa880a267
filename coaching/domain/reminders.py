"""
Which reminders a pair's side is due, as pure functions of what is known about the pair.

A step is due on certain days and only while its cause lasts. What falls on a day off moves to
the reader's next working day; what falls on one day is one letter.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from coaching.domain import cadence
from coaching.domain.progress import State

# Days after the clocks started, and days before the clock of the first session runs out.
FIRST_ASKED, LAST_ASKED = 3, 4
TEST_SOON = (timedelta(days=14), timedelta(days=7))
SESSION_ASKED = (timedelta(days=1), timedelta(days=4))
# The learner writes first; the coach answers a day later.
LEARNER_PAGE, COACH_PAGE = cadence.WEDNESDAY, cadence.THURSDAY
EVERY_DAY = "1234567"


def next_morning(zone: ZoneInfo, now: datetime) -> datetime:
    """
    When a pair is looked at next: the first time after `now` (UTC) that a day has come to
    `cadence.REMINDER_HOUR` in `zone`.

    >>> from datetime import UTC
    >>> next_morning(ZoneInfo("Europe/Zurich"), datetime(2027, 3, 1, 5, tzinfo=UTC)).isoformat()
    '2027-03-02T05:00:00+00:00'
    """
    # From yesterday on: where clocks went back over midnight, today comes twice.
    day = now.astimezone(zone).date() - timedelta(days=1)
    while cadence.occurrence(day, cadence.REMINDER_HOUR, zone) <= now:
        day += timedelta(days=1)
    return cadence.occurrence(day, cadence.REMINDER_HOUR, zone)


class Step(StrEnum):
    """The most urgent first: it writes the letter, and the others stand below."""

    STILL_SWIMMING = "still_swimming"
    AT_RISK = "at_risk"
    FIRST_SESSION = "first_session"
    TEST_SOON = "test_soon"
    LOG_SESSION = "log_session"
    WORKSHEET = "worksheet"


class Page(StrEnum):
    """How far this week's worksheet is."""

    EMPTY = "empty"
    LEARNER = "learner"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What is known this morning, for one side of an active pair.

    last_session : the newest one held since the clocks were started
    next_session : the next one planned
    unanswered : the day of the newest planned session of which nobody has said how it went
    """

    learns: bool
    started_on: date
    clocks_from: date
    first_session_days: int
    test_date: date
    state: State
    state_since: date
    last_session: date | None = None
    next_session: date | None = None
    unanswered: date | None = None
    page: Page = Page.EMPTY
    working_days: str = EVERY_DAY


def due(facts: Facts, *, since: date, until: date) -> list[Step]:
    """
    The steps that fell due from `since` to `until` (today) and whose cause still lasts.

    However long nobody asked, each is there once: five weeks of silence are one letter.
    """
    days = {since + timedelta(days=day) for day in range((until - since).days + 1)}
    return [step for step in Step if days & _days_of(step, facts, until)]


def _days_of(step: Step, facts: Facts, today: date) -> set[date]:
    """The days around today on which a step is due; none when it has no cause."""
    if step == Step.WORKSHEET:
        return _page_day(facts, today)
    return {_working_day(day, facts) for day in _causes(step, facts, today)}


def _causes(step: Step, facts: Facts, today: date) -> list[date]:
    over = today > facts.test_date
    if step == Step.STILL_SWIMMING and over:
        weeks = (today - facts.test_date - timedelta(days=1)).days // 7
        return [facts.test_date + timedelta(days=1 + 7 * week) for week in (weeks, weeks - 1)
                if week >= 0]  # fmt: skip
    if step == Step.AT_RISK and not over and facts.state in (State.AT_RISK, State.STUCK):
        return [facts.state_since + timedelta(days=1)]
    if step == Step.FIRST_SESSION and not (facts.last_session or facts.next_session):
        days = {FIRST_ASKED, max(facts.first_session_days - LAST_ASKED, FIRST_ASKED)}
        return [facts.clocks_from + timedelta(days=day) for day in days]
    if step == Step.TEST_SOON and not over:
        return [facts.test_date - before for before in TEST_SOON]
    if step == Step.LOG_SESSION and facts.unanswered:
        return [facts.unanswered + after for after in SESSION_ASKED]
    return []


def _page_day(facts: Facts, today: date) -> set[date]:
    week = cadence.week_of(today)
    wanted = Page.EMPTY if facts.learns else Page.LEARNER
    if facts.page != wanted or week <= cadence.week_of(facts.started_on):
        return set()
    day = week + timedelta(days=LEARNER_PAGE if facts.learns else COACH_PAGE)
    # Who does not work any more this week is not asked for its page.
    return {_working_day(day, facts)} & {week + timedelta(days=number) for number in range(7)}


def _working_day(day: date, facts: Facts) -> date:
    """This day, or the reader's next working day."""
    for _ in range(7):
        if str(day.isoweekday()) in (facts.working_days or EVERY_DAY):
            break
        day += timedelta(days=1)
    return day
