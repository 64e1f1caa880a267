"""When the next letter is due, wherever its reader lives."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from coaching.domain import cadence

ZONES = sorted(zoneinfo.available_timezones())
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows."""
    return instant.astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize("start", [datetime(2024, 1, 1), datetime(2026, 1, 1)])
def test_every_zone_reads_its_digest_at_eight_on_monday(start):
    for name in ZONES:
        zone = ZoneInfo(name)
        for week in range(104):
            now = (start + timedelta(weeks=week, hours=7 * week % 168)).replace(tzinfo=UTC)
            due = cadence.latest_weekly(cadence.MONDAY, time(8), zone, now)
            local = shown(due, zone)
            assert (local.weekday(), local.time()) == (0, time(8)), (name, now)
            assert timedelta(0) <= now - due < cadence.WEEK + 3 * HOUR, (name, now)


@pytest.mark.parametrize("weekday", [cadence.SATURDAY, cadence.SUNDAY])
@pytest.mark.parametrize("at", [time(0), time(2, 30), time(23, 30)])
def test_the_next_one_follows_the_latest_one_in_every_zone(weekday, at):
    # Half past two on Sunday, and around midnight: where clocks jump.
    for name in ZONES:
        zone = ZoneInfo(name)
        for week in range(0, 104, 4):
            now = datetime(2026, 1, 3, 22, 0, tzinfo=UTC) + week * 84 * HOUR
            latest = cadence.latest_weekly(weekday, at, zone, now)
            following = cadence.next_weekly(weekday, at, zone, now)
            assert latest <= now < following, (name, now)
            assert cadence.latest_weekly(weekday, at, zone, following) == following, (name, now)
            just_before = following - timedelta(seconds=1)
            assert cadence.latest_weekly(weekday, at, zone, just_before) == latest, (name, now)


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Zurich",
        "America/New_York",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "Africa/Casablanca",
        "America/Nuuk",
        "Asia/Kathmandu",
        "Africa/Cairo",
    ],
)
@pytest.mark.parametrize("at", [time(2, 30), time(0, 15)])
def test_sunday_night_comes_exactly_once_a_week(name, at):
    zone = ZoneInfo(name)
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    seen = []
    while instant < datetime(2028, 1, 1, tzinfo=UTC):
        due = cadence.latest_weekly(cadence.SUNDAY, at, zone, instant)
        if not seen or due != seen[-1]:
            assert not seen or due > seen[-1]
            seen.append(due)
        instant += 3 * HOUR
    # One in each week from the last one of 2025 to the last one of 2027.
    assert len(seen) == 105
    assert len({cadence.week_name(shown(due, zone).date()) for due in seen}) == 105


def test_the_gap_in_spring_is_stepped_over():
    zone = ZoneInfo("Europe/Zurich")
    due = cadence.occurrence(date(2027, 3, 28), time(2, 30), zone)
    assert shown(due, zone) == datetime(2027, 3, 28, 3, 30)


def test_the_hour_that_comes_twice_is_taken_the_first_time():
    zone = ZoneInfo("Europe/Zurich")
    due = cadence.occurrence(date(2027, 10, 31), time(2, 30), zone)
    assert due == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_a_weekday_that_a_zone_skipped_does_not_move_the_weeks_after_it():
    # Samoa went from Thursday, 29 December 2011, straight to Saturday.
    zone = ZoneInfo("Pacific/Apia")
    now = datetime(2011, 12, 31, 3, tzinfo=UTC)
    following = cadence.next_weekly(cadence.FRIDAY, time(8), zone, now)
    assert shown(following, zone) == datetime(2012, 1, 6, 8)


def test_an_occurrence_counts_although_the_clock_went_back_to_the_day_before():
    # Newfoundland used to turn its clocks back at one minute past midnight.
    zone = ZoneInfo("America/St_Johns")
    midnight = cadence.occurrence(date(2010, 11, 7), time(0), zone)
    later = midnight + 30 * MINUTE
    assert shown(later, zone).date() == date(2010, 11, 6)
    assert cadence.latest_weekly(cadence.SUNDAY, time(0), zone, later) == midnight
    assert cadence.next_weekly(cadence.SUNDAY, time(0), zone, later) > later


def test_five_weeks_of_silence_give_one_occurrence():
    zone = ZoneInfo("America/Halifax")
    last_done = cadence.latest_weekly(0, time(8), zone, datetime(2027, 2, 1, 15, tzinfo=UTC))
    due = cadence.latest_weekly(0, time(8), zone, datetime(2027, 3, 10, 15, tzinfo=UTC))
    assert due - last_done == 5 * cadence.WEEK
    assert shown(due, zone) == datetime(2027, 3, 8, 8)


def test_a_quiet_minute_lies_between_nine_and_eleven_and_stays():
    minutes = [cadence.quiet_minute(f"person{number}") for number in range(2000)]
    assert all(time(9) <= minute < time(11) for minute in minutes)
    assert minutes == [cadence.quiet_minute(f"person{number}") for number in range(2000)]
    # People are spread: no minute has more than three times its share.
    assert max(minutes.count(minute) for minute in set(minutes)) < 3 * 2000 / 120
    assert cadence.quiet_minute("bcdfghjkmnpq") == time(9, 44)


ZURICH = ZoneInfo("Europe/Zurich")


@pytest.mark.parametrize(
    ("local", "day"),
    [
        (datetime(2027, 3, 1, 6), date(2027, 3, 1)),  # Monday, before work
        (datetime(2027, 3, 1, 17), date(2027, 3, 2)),  # Monday evening
        (datetime(2027, 3, 5, 20), date(2027, 3, 8)),  # Friday evening
        (datetime(2027, 3, 6, 10), date(2027, 3, 8)),  # Saturday
        (datetime(2027, 3, 7, 23, 59), date(2027, 3, 8)),  # Sunday, just before midnight
        (datetime(2027, 3, 26, 18), date(2027, 3, 29)),  # over the change of clocks
    ],
)
def test_what_can_wait_comes_at_ones_own_minute_of_the_next_working_morning(local, day):
    now = local.replace(tzinfo=ZURICH).astimezone(UTC)
    due = cadence.next_working_morning("bcdfghjkmnpq", ZURICH, now)
    assert shown(due, ZURICH) == datetime.combine(day, cadence.quiet_minute("bcdfghjkmnpq"))
    assert due > now


@pytest.mark.parametrize("at", [time(9), time(12, 30), time(16, 59)])
def test_within_working_hours_it_comes_at_once(at):
    now = datetime.combine(date(2027, 3, 3), at, ZURICH)
    assert cadence.next_working_morning("anybody", ZURICH, now) == now
