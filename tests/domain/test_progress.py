"""What a pair's looks and sessions say: on track, at risk, stuck or passed."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from coaching.domain import progress
from coaching.domain.progress import Clock, Look, Start, State

LAUNCH = date(2027, 3, 1)
COUNTS_FROM = date(2027, 3, 8)
TEST = date(2027, 4, 26)
UP = Start(baseline=3.0, baseline_se=0.1, tau2=0.09, sigma2=0.9, target=4.0, sign=1)
# Handle time falls from 400 to 320 seconds; durations are kept as logarithms.
DOWN = Start(
    baseline=math.log(400),
    baseline_se=0.05,
    tau2=0.02,
    sigma2=0.36,
    target=math.log(320),
    sign=-1,
)


def week_end(number: int) -> date:
    """The Monday after the look's week, when it is taken."""
    return COUNTS_FROM + timedelta(weeks=number)


def looks(*chances: float | None, level: float = 3.6) -> list[Look]:
    """One look a week from the first on; None is a week without readings."""
    return [
        Look(number, level, chance)
        for number, chance in enumerate(chances, start=1)
        if chance is not None
    ]


def weekly(until: date) -> list[date]:
    """Sessions every Thursday since the launch."""
    return [LAUNCH + timedelta(days=3 + 7 * week) for week in range((until - LAUNCH).days // 7 + 1)]


def judge(seen: list[Look], *, today: date | None = None, start: Start = UP, **values):
    today = today or week_end(seen[-1].number if seen else 0)
    values = {
        "sessions": weekly(today),
        "started_on": COUNTS_FROM,
        "clocks_from": LAUNCH,
        "test_date": TEST,
        **values,
    }
    return progress.judge(start, looks=seen, today=today, **values)


# -- passing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chances", "passed"),
    [
        ((0.9, 0.9, 0.9), False),  # three, but only the third week
        ((0.9, 0.9, 0.9, 0.9), True),
        ((0.1, 0.8, 0.8, 0.8), True),
        ((0.1, 0.8, 0.8, 0.79), False),
        ((0.9, 0.9, 0.1, 0.9), False),  # one bad week, and they begin anew
        ((0.9, 0.9, 0.1, 0.9, 0.9), False),
        ((0.9, 0.9, 0.1, 0.9, 0.9, 0.9), True),
        ((0.9, 0.9, None, None, 0.9), True),  # two weeks away are no setback
        ((0.9, None, 0.9, None, 0.9), True),
        ((0.9, 0.9, None, None, None, 0.9), False),  # three are
        ((0.9, None, 0.9, None, None, 0.9), False),
        ((None, None, None, 0.99), False),
        ((None, None, None, 0.99, 0.99), False),
    ],
)
def test_a_pass_takes_three_looks_in_a_row_from_the_fourth_week_on(chances, passed):
    assert (judge(looks(*chances)).state == State.PASSED) == passed


def test_no_look_is_never_a_pass():
    for weeks in range(30):
        assert judge([], today=week_end(weeks)).state != State.PASSED


def test_who_is_there_needs_no_sessions():
    there = looks(0.9, 0.9, 0.9, 0.9)
    assert judge(there, sessions=[]).state == State.PASSED
    assert judge(there, today=TEST + timedelta(weeks=9)).state == State.PASSED


# -- the activity clock ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "state"),
    [(6, State.ON_TRACK), (7, State.AT_RISK), (9, State.AT_RISK), (10, State.STUCK)],
)
def test_the_first_session_has_ten_days(days, state):
    verdict = judge([], sessions=[], today=LAUNCH + timedelta(days=days))
    assert verdict.state == state
    if state == State.STUCK:
        assert verdict.clock == Clock.ACTIVITY
        assert verdict.why == "No first session after 10 days."


@pytest.mark.parametrize(
    ("days", "state"),
    [(10, State.ON_TRACK), (11, State.AT_RISK), (13, State.AT_RISK), (14, State.STUCK)],
)
def test_every_further_session_has_fourteen_days(days, state):
    session = LAUNCH + timedelta(days=4)
    seen = looks(0.3, 0.3)
    verdict = judge(seen, sessions=[session], today=session + timedelta(days=days))
    assert verdict.state == state
    if state == State.STUCK:
        assert (verdict.clock, verdict.why) == (Clock.ACTIVITY, "No session for 14 days.")


def test_a_session_in_the_future_has_not_taken_place():
    today = LAUNCH + timedelta(days=10)
    assert judge([], sessions=[today + timedelta(days=1)], today=today).state == State.STUCK
    assert judge([], sessions=[today], today=today).state == State.ON_TRACK


# -- the readings clock ----------------------------------------------------------------


def test_three_weeks_without_readings_are_a_problem_of_their_own():
    seen = looks(0.3)
    for days, state in ((20, State.ON_TRACK), (21, State.STUCK)):
        verdict = judge(seen, today=week_end(1) + timedelta(days=days))
        assert verdict.state == state
    assert verdict.clock == Clock.READINGS
    assert verdict.why == "No readings for 21 days: nobody can tell."


def test_nobody_can_tell_when_there_never_was_a_reading():
    assert judge([], today=LAUNCH + timedelta(days=20)).state == State.ON_TRACK
    verdict = judge([], today=LAUNCH + timedelta(days=21))
    assert (verdict.state, verdict.clock) == (State.STUCK, Clock.READINGS)


# -- the outcome clock -----------------------------------------------------------------


def moving(levels: list[float], *, start: Start = UP, **values):
    seen = [Look(number, level, 0.3) for number, level in enumerate(levels, start=1)]
    return judge(seen, start=start, **values)


def test_six_looks_without_movement_are_stuck_although_they_meet():
    assert moving([3.05] * 5).clock is None
    verdict = moving([3.05] * 6)
    assert (verdict.state, verdict.clock) == (State.STUCK, Clock.OUTCOME)
    assert "not moved in 6 weeks" in verdict.why


def test_a_tenth_of_the_way_within_six_looks_is_movement():
    assert moving([3.0, 3.0, 3.0, 3.0, 3.0, 3.11]).clock is None
    assert moving([3.5] + [3.55] * 6).clock == Clock.OUTCOME
    assert moving([3.5] + [3.61] * 6).clock is None


def test_less_time_is_movement_where_lower_is_better():
    better = [math.log(seconds) for seconds in (400, 395, 390, 380, 370, 360)]
    assert moving(better, start=DOWN).clock is None
    worse = [math.log(seconds) for seconds in (400, 405, 410, 420, 430, 440)]
    assert moving(worse, start=DOWN).clock == Clock.OUTCOME


def test_who_stands_still_at_the_target_is_not_stuck():
    seen = looks(0.1, *[0.85, 0.1, 0.85] * 2, 0.85, level=4.1)
    assert judge(seen).clock is None


def test_the_clocks_differ_in_what_they_ask_for():
    # No sessions and no movement: first they have to meet.
    seen = [Look(number, 3.0, 0.0) for number in range(1, 8)]
    assert judge(seen, sessions=[]).clock == Clock.ACTIVITY
    assert judge(seen).clock == Clock.OUTCOME


# -- a decision starts them again --------------------------------------------------------


def test_a_decision_gives_each_clock_its_full_time_again():
    seen = [Look(number, 3.0, 0.0) for number in range(1, 8)]
    decided = week_end(7) + timedelta(days=2)
    later = TEST + timedelta(weeks=4)
    again = {"clocks_from": decided, "test_date": later}

    def state_after(days: int, **values):
        return judge(seen, today=decided + timedelta(days=days), **again, **values)

    # Sessions from before the decision do not count: a first one has ten days.
    assert state_after(0).state != State.STUCK
    assert state_after(9, sessions=[decided - timedelta(days=1)]).state != State.STUCK
    assert state_after(10, sessions=[decided - timedelta(days=1)]).clock == Clock.ACTIVITY
    # Readings have three weeks.
    assert state_after(20).clock is None
    assert state_after(21).clock == Clock.READINGS


def test_movement_is_asked_for_only_after_six_looks_since_the_decision():
    decided = week_end(7)
    again = {"clocks_from": decided, "test_date": TEST + timedelta(weeks=8)}
    for total, clock in ((12, None), (13, Clock.OUTCOME)):
        seen = [Look(number, 3.0, 0.0) for number in range(1, total + 1)]
        assert judge(seen, **again).clock == clock


# -- at risk -----------------------------------------------------------------------------


def test_after_the_test_date_they_are_still_swimming():
    seen = looks(None, None, None, 0.5, 0.5, 0.5, 0.5, level=3.9)
    verdict = judge(seen, today=TEST + timedelta(days=1))
    assert verdict.state == State.AT_RISK
    assert "still swimming" in verdict.why
    assert judge(seen, today=TEST).state == State.ON_TRACK


@pytest.mark.parametrize(
    ("levels", "state"),
    [
        # Of seven weeks three have gone: half of three sevenths of the way is 0.214.
        ([3.0, 3.1, 3.21], State.AT_RISK),
        ([3.0, 3.1, 3.22], State.ON_TRACK),
        ([3.0, 3.0], State.ON_TRACK),  # too early to say
    ],
)
def test_less_than_half_of_the_way_it_should_be_is_a_risk(levels, state):
    assert moving(levels).state == state


def test_a_long_handle_time_is_a_risk_too():
    levels = [math.log(seconds) for seconds in (400, 398, 395)]
    assert moving(levels, start=DOWN).state == State.AT_RISK
    assert moving([*levels[:2], math.log(370)], start=DOWN).state == State.ON_TRACK


# -- levels and targets ------------------------------------------------------------------


def test_without_readings_the_level_is_the_baseline_with_its_room_to_move():
    level, se = progress.level_now(UP, value=9.0, n=0)
    assert (level, se) == (3.0, pytest.approx(math.sqrt(0.1**2 + 0.09)))


def test_readings_pull_the_level_to_themselves_the_more_there_are():
    few, many = (progress.level_now(UP, value=4.0, n=n) for n in (5, 500))
    assert 3.0 < few[0] < many[0] < 4.0
    assert few[1] > many[1]
    # The usual rule for two normal sources: precisions add up.
    precision = 1 / (0.1**2 + 0.09) + 5 / 0.9
    assert few[1] == pytest.approx(precision**-0.5)
    assert few[0] == pytest.approx((3.0 / (0.1**2 + 0.09) + 4.0 * 5 / 0.9) / precision)


def test_a_world_without_noise_is_certain():
    sure = replace(UP, baseline_se=0.0, tau2=0.0, sigma2=0.0)
    assert progress.level_now(sure, value=4.0, n=1) == (4.0, 0.0)
    assert progress.p_at_target(level=4.0, se=0.0, target=4.0, sign=1) == 1.0
    assert progress.p_at_target(level=3.9, se=0.0, target=4.0, sign=1) == 0.0


@pytest.mark.parametrize("sign", [1, -1])
def test_chances_know_the_direction(sign):
    at = progress.p_at_target(level=1.0, se=0.5, target=1.0, sign=sign)
    better = progress.p_at_target(level=1.0 + sign, se=0.5, target=1.0, sign=sign)
    assert (at, better) == (0.5, pytest.approx(0.97725, abs=1e-5))


def test_half_of_the_gap_and_the_extra_ten_yards_in_both_directions():
    assert progress.gap_target(baseline=400, benchmark=300) == 350
    assert progress.stretch_line(baseline=400, target=350) == 345
    assert progress.gap_target(baseline=3.0, benchmark=3.6, share=1.0) == 3.6


def test_the_way_is_counted_from_baseline_to_target():
    assert progress.share_of_way(DOWN, DOWN.baseline) == 0
    assert progress.share_of_way(DOWN, DOWN.target) == 1
    assert progress.share_of_way(UP, 2.5) == -0.5
    assert progress.share_of_way(replace(UP, target=3.0), 3.0) == 1


def test_durations_are_kept_as_logarithms():
    assert progress.working_value(kind="duration", n=10, total=3600) == math.log(360)
    assert progress.working_value(kind="proportion", n=10, total=7) == 0.7


# -- what the rule lets through ------------------------------------------------------------

TAU, SIGMA, A_WEEK = 0.3, 0.95, 12


def weeks_until_passed(
    *, seed: int, learners: int, beyond: float | None, rise: int, weeks: int, window: int
) -> np.ndarray:
    """
    The week in which each learner passes, or infinity.

    A worst quarter is chosen by its estimates over 13 weeks, and aims at half of the gap
    to the best quarter. `beyond` taus beyond the target, or the level they ever had (None),
    is reached evenly over `rise` weeks.
    """
    rng = np.random.default_rng(seed)
    noise = SIGMA**2 / (13 * A_WEEK)
    reliability = TAU**2 / (TAU**2 + noise)
    truth = rng.normal(scale=TAU, size=4 * learners)
    estimates = reliability * (truth + rng.normal(scale=noise**0.5, size=truth.size))
    chosen = np.argsort(estimates)[:learners]
    best = 1.271 * TAU
    passed = np.full(learners, np.inf)
    for place, (own, baseline) in enumerate(zip(truth[chosen], estimates[chosen], strict=True)):
        start = Start(
            baseline=baseline,
            baseline_se=(reliability * noise) ** 0.5,
            tau2=TAU**2,
            sigma2=SIGMA**2,
            target=progress.gap_target(baseline=baseline, benchmark=best),
            sign=1,
        )
        end = own if beyond is None else start.target + beyond * TAU
        way = np.minimum(np.arange(1, weeks + 1) / rise, 1) if rise else np.ones(weeks)
        values = own + way * (end - own) + rng.normal(scale=SIGMA / A_WEEK**0.5, size=weeks)
        seen: list[Look] = []
        for week in range(1, weeks + 1):
            recent = values[max(week - window, 0) : week]
            level, se = progress.level_now(start, value=recent.mean(), n=A_WEEK * recent.size)
            chance = progress.p_at_target(level=level, se=se, target=start.target, sign=1)
            seen.append(Look(week, level, chance))
            if judge(seen, start=start).state == State.PASSED:
                passed[place] = week
                break
    return passed


def test_hardly_anybody_passes_whose_level_never_changed():
    weeks = weeks_until_passed(
        seed=1, learners=1500, beyond=None, rise=0, weeks=12, window=progress.WINDOW_WEEKS
    )
    assert np.mean(weeks <= 12) < 0.01


def test_most_pass_who_are_truly_half_a_spread_beyond_the_target():
    weeks = weeks_until_passed(
        seed=2, learners=300, beyond=0.5, rise=0, weeks=12, window=progress.WINDOW_WEEKS
    )
    assert np.mean(weeks <= 12) > 0.6


def test_a_window_of_eight_weeks_does_not_hold_the_first_weeks_against_anybody():
    steady = {"seed": 3, "learners": 200, "beyond": 0.5, "rise": 8, "weeks": 40}
    window = np.median(weeks_until_passed(**steady, window=progress.WINDOW_WEEKS))
    everything = np.median(weeks_until_passed(**steady, window=40))
    assert window <= 17
    assert everything >= window + 6


# -- a cohort's own clocks, days away, and a moved target ----------------------------------


def test_a_cohort_sets_its_own_clocks():
    slow = progress.Clocks(
        first_session_days=20, next_session_days=30, readings_days=60, looks_without_movement=8
    )
    later = LAUNCH + timedelta(days=19)
    assert judge([], sessions=[], today=later).state == State.STUCK
    assert judge([], sessions=[], today=later, clocks=slow).state == State.AT_RISK
    assert judge([], sessions=[], today=later + timedelta(days=1), clocks=slow).clock == "activity"
    assert moving([3.05] * 7, clocks=slow).clock is None
    verdict = moving([3.05] * 8, clocks=slow)
    assert verdict.why == "They meet, but the number has not moved in 8 weeks."


def test_the_clocks_stand_still_while_somebody_is_away():
    away = [(LAUNCH + timedelta(days=2), LAUNCH + timedelta(days=6))]
    for days, state in ((14, State.AT_RISK), (15, State.STUCK)):
        today = LAUNCH + timedelta(days=days)
        assert judge([], sessions=[], today=today, away=away).state == state
    verdict = judge([], sessions=[], today=LAUNCH + timedelta(days=15), away=away)
    assert verdict.why == "No first session after 10 days."


def test_two_people_away_on_the_same_days_do_not_count_twice():
    days = (LAUNCH + timedelta(days=2), LAUNCH + timedelta(days=6))
    today = LAUNCH + timedelta(days=12)
    assert progress.days_between(LAUNCH, today, away=[days, days]) == 7
    assert progress.days_between(LAUNCH, today, away=[(LAUNCH, None)]) == 0
    assert progress.days_between(today, LAUNCH) == 0


def test_who_is_away_until_further_notice_is_never_stuck():
    away = [(LAUNCH + timedelta(days=1), None)]
    assert judge([], sessions=[], today=LAUNCH + timedelta(weeks=20), away=away).clock is None


def test_looks_from_before_a_moved_target_do_not_carry_a_pass():
    seen = looks(0.9, 0.9, 0.9, 0.9, 0.9)
    assert judge(seen).state == State.PASSED
    assert judge(seen, judged_from=4).state != State.PASSED
    assert judge(looks(*[0.9] * 6), judged_from=4).state == State.PASSED
