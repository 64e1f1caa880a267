"""Three working days to answer, wherever and whenever somebody works."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from coaching.domain import triage

ZURICH = ZoneInfo("Europe/Zurich")
MONDAY = datetime(2027, 3, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        ("12345", date(2027, 3, 4)),
        ("135", date(2027, 3, 8)),  # Wednesday, Friday, Monday
        ("1", date(2027, 3, 22)),
        ("", date(2027, 3, 4)),  # nobody works on no day: then any will do
    ],
)
def test_only_working_days_count(days, wanted):
    found = triage.deadline(MONDAY, ZURICH, working_days=days).astimezone(ZURICH)
    assert (found.date(), found.time()) == (wanted, time(17))


def test_days_away_do_not_count():
    away = [(date(2027, 3, 2), date(2027, 3, 5))]
    found = triage.deadline(MONDAY, ZURICH, away=away).astimezone(ZURICH)
    assert found.date() == date(2027, 3, 10)


def test_it_ends_with_the_day_where_they_are():
    pacific = ZoneInfo("America/Los_Angeles")
    found = triage.deadline(MONDAY, pacific, day_ends=time(15, 30))
    assert found.astimezone(pacific).isoformat() == "2027-03-04T15:30:00-08:00"


def test_who_never_comes_back_is_not_waited_for_for_ever():
    found = triage.deadline(MONDAY, ZURICH, away=[(date(2027, 3, 1), None)])
    assert found < datetime(2027, 6, 1, tzinfo=UTC)
