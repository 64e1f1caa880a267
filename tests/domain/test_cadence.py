"""When the next letter is due, wherever its reader lives."""

import os
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coaching.domain import cadence

ZONES = sorted(zoneinfo.available_timezones())
# LANEMATE_FULL=1 asks in every zone; otherwise in those with ways of their own, and some others.
FULL = bool(os.environ.get("LANEMATE_FULL"))
OWN_WAYS = """
Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Juba America/Asuncion America/Havana
America/New_York America/Nuuk America/Santiago America/Scoresbysund America/St_Johns
Antarctica/Casey Antarctica/Troll Asia/Beirut Asia/Gaza Asia/Kathmandu Asia/Tehran
Atlantic/Azores Australia/Lord_Howe Europe/Dublin Europe/Volgograd Europe/Zurich
Pacific/Apia Pacific/Chatham Pacific/Kiritimati Pacific/Norfolk
""".split()
SOME = ZONES if FULL else sorted({*OWN_WAYS, *ZONES[::12]})
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows."""
    return instant.astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize("start", [datetime(2024, 1, 1), datetime(2026, 1, 1)])
def test_each_zone_reads_its_digest_at_eight_on_monday(start):
    for name in SOME:
        zone = ZoneInfo(name)
        for week in range(104):
            now = (start + timedelta(weeks=week, hours=7 * week % 168)).replace(tzinfo=UTC)
            due = cadence.latest_weekly(cadence.MONDAY, time(8), zone, now)
            local = shown(due, zone)
            assert (local.weekday(), local.time()) == (0, time(8)), (name, now)
            assert timedelta(0) <= now - due < cadence.WEEK + 3 * HOUR, (name, now)


@pytest.mark.parametrize("weekday", [cadence.SATURDAY, cadence.SUNDAY])
@pytest.mark.parametrize("at", [time(0), time(2, 30), time(23, 30)])
def test_the_next_one_follows_the_latest_one_in_each_zone(weekday, at):
    # Half past two on Sunday, and around midnight: where clocks jump.
    for name in SOME:
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
    opens = cadence.quiet_minute("bcdfghjkmnpq")
    due = cadence.next_moment(cadence.Rhythm(ZURICH), opens, now)
    assert shown(due, ZURICH) == datetime.combine(day, cadence.quiet_minute("bcdfghjkmnpq"))
    assert due > now


@pytest.mark.parametrize("at", [time(11), time(12, 30), time(16, 59)])
def test_once_the_morning_is_over_it_comes_at_once(at):
    now = datetime.combine(date(2027, 3, 3), at, ZURICH)
    opens = cadence.quiet_minute("anybody")
    assert cadence.next_moment(cadence.Rhythm(ZURICH), opens, now) == now


@pytest.mark.parametrize(
    ("begins", "ends", "minute"),
    [
        (time(8), time(17), time(9, 44)),
        (time(9), time(17), time(9, 44)),
        (time(13), time(22), time(13, 44)),
        (time(14), time(15), time(14, 11)),
        (time(5), time(7), time(5, 22)),
        (time(12), time(9), time(12)),
    ],
)
def test_ones_own_minute_lies_early_in_ones_own_day(begins, ends, minute):
    assert cadence.quiet_minute("bcdfghjkmnpq", begins, ends) == minute


# -- every zone, against a rule of its own ---------------------------------------------------


def wall(instant: datetime, zone: ZoneInfo) -> timedelta:
    """How far clocks in a zone are from UTC; `instant` is UTC without saying so."""
    return instant.replace(tzinfo=UTC).astimezone(zone).utcoffset()


def second_opinion(local: datetime, zone: ZoneInfo) -> datetime:
    """The same moment by trial: only ever from UTC to the wall, never back."""
    before, after = wall(local - 26 * HOUR, zone), wall(local + 26 * HOUR, zone)
    if before == after:
        return local - before
    fits = [local - offset for offset in (before, after) if wall(local - offset, zone) == offset]
    return min(fits) if fits else local - before


RULES = [
    (cadence.MONDAY, time(8)),
    (cadence.MONDAY, time(0)),
    (cadence.MONDAY, time(23, 30)),
    (cadence.SUNDAY, time(2, 30)),
]
# Every week against the second opinion; of the sweep's own question every 13th, unless asked.
STEP = 1 if FULL else 13


@pytest.mark.parametrize(("weekday", "at"), RULES)
def test_520_weeks_in_each_zone_have_one_right_moment_each(weekday, at):
    wrong, double = [], []
    first = date(2020, 1, 6) + timedelta(days=weekday)
    for name in SOME:
        zone = ZoneInfo(name)
        days = [first + week * cadence.WEEK for week in range(520)]
        found = [cadence.occurrence(day, at, zone) for day in days]
        for place, (day, due) in enumerate(zip(days, found, strict=True)):
            told = second_opinion(datetime.combine(day, at), zone)
            if due.replace(tzinfo=None) != told:
                wrong.append((name, day, due, told))
            if not place or (place + len(name)) % STEP:
                continue
            # The sweep sees this one from its first moment to the last before the next.
            seen = {
                cadence.latest_weekly(weekday, at, zone, due),
                cadence.next_weekly(weekday, at, zone, due - timedelta(microseconds=1)),
            }
            before = cadence.latest_weekly(weekday, at, zone, due - timedelta(microseconds=1))
            if seen != {due} or before != found[place - 1]:
                double.append((name, day, seen, before))
        weeks = {cadence.week_name(day) for day in days}
        assert len(weeks) == 520
    assert wrong == []
    assert double == []


# -- when a letter may come ------------------------------------------------------------------


days_around = st.dates(date(2026, 1, 1), date(2028, 12, 31))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
minutes = st.builds(time, st.integers(0, 23), st.integers(0, 59))
leaves = st.builds(
    lambda first, length: (first, None if length is None else first + length * DAY),
    days_around,
    st.none() | st.integers(0, 40),
)
rhythms = st.builds(
    cadence.Rhythm,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    days=st.frozensets(st.integers(0, 6)),
    begins=minutes,
    ends=minutes,
    paused_until=st.none() | days_around,
    away=st.lists(leaves, max_size=3).map(tuple),
)


@settings(max_examples=400, deadline=None)
@given(rhythms, minutes, moments)
def test_a_letter_never_comes_when_it_must_not(rhythm, opens, now):
    moment = cadence.next_moment(rhythm, opens, now)
    if moment is None:
        return
    local = shown(moment, rhythm.zone)
    assert moment >= now
    assert max(opens, rhythm.begins) <= local.time() < rhythm.ends
    assert local.weekday() in rhythm.days
    assert rhythm.paused_until is None or local.date() >= rhythm.paused_until
    assert not rhythm.away_on(local.date())
    # Asked again at that moment, it may go: the one who sends comes to the same answer.
    assert cadence.next_moment(rhythm, opens, moment) == moment


@settings(max_examples=400, deadline=None)
@given(rhythms, minutes, moments, st.timedeltas(timedelta(0), timedelta(days=10)))
def test_what_is_promised_later_never_comes_earlier(rhythm, opens, now, later):
    first = cadence.next_moment(rhythm, opens, now)
    second = cadence.next_moment(rhythm, opens, now + later)
    if first is None:
        # Only a day at the far end of the horizon can have come into sight.
        assert second is None or second - now > timedelta(days=cadence.HORIZON - 3)
    elif second is not None:
        assert first <= second
    # And never later than the next possible moment: between the two nothing was allowed.
    if first is not None and first > now + later:
        assert second == first


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ZONES).map(ZoneInfo), moments)
def test_an_ordinary_reader_waits_a_long_weekend_at_most(zone, now):
    moment = cadence.next_moment(cadence.Rhythm(zone), time(11), now)
    assert moment - now <= timedelta(days=3)


@pytest.mark.parametrize(
    "changes",
    [
        {"days": frozenset()},
        {"begins": time(17), "ends": time(9)},
        {"begins": time(12), "ends": time(12)},
        {"away": ((date(2027, 2, 1), None),)},
        {"paused_until": date(2029, 1, 1)},
    ],
)
def test_who_can_never_be_reached_is_not_waited_for(changes):
    rhythm = cadence.Rhythm(ZURICH, **changes)
    assert cadence.next_moment(rhythm, time(9), datetime(2027, 3, 1, tzinfo=UTC)) is None


def test_a_pause_ends_in_the_morning_of_its_day_and_a_leave_after_its_last():
    now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    paused = cadence.Rhythm(ZURICH, paused_until=date(2027, 3, 4))
    away = cadence.Rhythm(ZURICH, away=((date(2027, 2, 22), date(2027, 3, 5)),))
    nine = time(9)
    assert shown(cadence.next_moment(paused, nine, now), ZURICH) == datetime(2027, 3, 4, 9)
    assert shown(cadence.next_moment(away, nine, now), ZURICH) == datetime(2027, 3, 8, 9)


def test_in_the_night_of_the_change_quiet_hours_stay_quiet():
    nights = cadence.Rhythm(ZURICH, days=frozenset(range(7)), begins=time(2, 30), ends=time(5))
    spring = cadence.next_moment(nights, time(0), datetime(2027, 3, 27, 22, tzinfo=UTC))
    assert shown(spring, ZURICH) == datetime(2027, 3, 28, 3, 30)
    autumn = cadence.next_moment(nights, time(0), datetime(2027, 10, 30, 22, tzinfo=UTC))
    # The second half past two: after the first one the clock showed two again.
    assert autumn == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
