"""
Targets, and how far a learner has come since the launch.

Everything here is on a metric's *working scale*: the value itself, or the
logarithm of the mean for durations. `sign` is +1 where higher is better and
-1 where lower is better.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from scipy.special import ndtr, ndtri

from coaching.domain.said import Said, said, said_many

# A pass: the level is at the target with this probability ...
REACHED = 0.80
# ... in so many weekly looks in a row ...
LOOKS_IN_A_ROW = 3
# ... between which this many weeks may lie without readings (a holiday is no setback) ...
AWAY_WEEKS = 2
# ... the last of them no earlier than this week. One good week is worth nothing:
# "any one week" passes 61-99 % of learners whose level never changed.
FIRST_PASS_WEEK = 4
# A level is read from so many weeks, the newest since the launch. Averaging everything since
# the launch would hold a learner's first weeks against them for ever: somebody who gains
# steadily over eight weeks and stays beyond the target would take 23 weeks to pass, with this
# window 16, and of those whose level never changed hardly one in a thousand passes (tests/domain).
WINDOW_WEEKS = 8
# A target that is likely met already is no target.
ALREADY_MET = 0.20
# The stretch line, as a part of the target's way beyond the baseline.
STRETCH = 1.10

# Movement: this part of the way from baseline to target within the looks of the outcome clock.
MOVEMENT = 0.10
# A pair is at risk so many days before its activity clock runs out.
WARNING_DAYS = 3


def gap_target(*, baseline: float, benchmark: float, share: float = 0.5) -> float:
    """
    The target that closes `share` of the gap between baseline and benchmark.

    >>> gap_target(baseline=3.0, benchmark=4.0)
    3.5
    """
    return baseline + share * (benchmark - baseline)


def stretch_line(*, baseline: float, target: float) -> float:
    """
    The extra ten yards: 110 % of the way to the target. Passing is judged at the target.

    >>> stretch_line(baseline=3.0, target=4.0)
    4.1
    """
    return baseline + STRETCH * (target - baseline)


def least_step(se: float) -> float:
    """
    How far beyond a baseline a target must lie to be met already with at most 20 %.

    se : standard error of the baseline

    >>> round(least_step(0.1), 3)
    0.084
    """
    return float(ndtri(1 - ALREADY_MET)) * se


def p_at_target(*, level: float, se: float, target: float, sign: int) -> float:
    """The probability that the true level is at the target or better."""
    gap = sign * (level - target)
    if se == 0:
        return float(gap >= 0)
    return float(ndtr(gap / se))


def working_value(*, kind: str, n: float, total: float) -> float:
    """The mean of `n` values that sum to `total`, on the working scale."""
    mean = total / n
    return math.log(mean) if kind == "duration" else mean


@dataclass(frozen=True, slots=True)
class Start:
    """What was frozen at the launch."""

    baseline: float
    baseline_se: float
    tau2: float
    sigma2: float
    target: float
    sign: int


def level_now(start: Start, *, value: float, n: float) -> tuple[float, float]:
    """
    The learner's level from recent readings, all after the launch, and its standard error.

    `value` is the mean of `n` observations on the working scale. The prior is
    the learner's own baseline, free to move by as much as people differ:
    N(baseline, se^2 + tau^2). With no observations the prior is returned.
    """
    prior = start.baseline_se**2 + start.tau2
    if n == 0:
        return start.baseline, math.sqrt(prior)
    noise = start.sigma2 / n
    if prior + noise == 0:
        return value, 0.0
    weight = prior / (prior + noise)
    return start.baseline + weight * (value - start.baseline), math.sqrt(weight * noise)


def share_of_way(start: Start, level: float) -> float:
    """
    How far the level has come: 0 at the baseline, 1 at the target.

    >>> share_of_way(Start(3, .1, .1, 1, 4, 1), 3.25)
    0.25
    """
    way = start.target - start.baseline
    return (level - start.baseline) / way if way else 1.0


class State(StrEnum):
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    STUCK = "stuck"
    PASSED = "passed"


class Clock(StrEnum):
    """What ran out when a pair is stuck; each calls for a different remedy."""

    ACTIVITY = "activity"
    OUTCOME = "outcome"
    READINGS = "readings"


@dataclass(frozen=True, slots=True)
class Clocks:
    """
    How long a pair may go on before somebody has to decide, in days and in weekly looks.

    The defaults of the activity clock follow what coaching programmes found.
    """

    first_session_days: int = 10
    next_session_days: int = 14
    readings_days: int = 21
    looks_without_movement: int = 6


# Days on which somebody is away, first and last; None: until further notice.
Away = tuple[date, date | None]


def days_between(since: date, until: date, *, away: Sequence[Away] = ()) -> int:
    """
    The days after `since` up to `until` on which nobody was away.

    >>> days_between(date(2027, 3, 1), date(2027, 3, 11))
    10
    >>> days_between(date(2027, 3, 1), date(2027, 3, 11), away=[(date(2027, 3, 5), None)])
    3
    """
    first, last = since.toordinal() + 1, until.toordinal()
    lost: set[int] = set()
    for begins, ends in away:
        begin = max(first, begins.toordinal())
        end = last if ends is None else min(last, ends.toordinal())
        lost.update(range(begin, end + 1))
    return max(last - first + 1, 0) - len(lost)


@dataclass(frozen=True, slots=True)
class Look:
    """One weekly look, oldest first in every sequence. `number` counts weeks from the launch."""

    number: int
    level: float
    p_reached: float


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    clock: Clock | None
    why: Said


def carries(looks: Sequence[Look]) -> bool:
    """Whether the newest looks are a pass; `looks` oldest first."""
    last = looks[-LOOKS_IN_A_ROW:]
    return (
        len(last) == LOOKS_IN_A_ROW
        and last[-1].number >= FIRST_PASS_WEEK
        and last[-1].number - last[0].number < LOOKS_IN_A_ROW + AWAY_WEEKS
        and all(look.p_reached >= REACHED for look in last)
    )


def judge(
    start: Start,
    *,
    looks: Sequence[Look],
    sessions: Sequence[date],
    started_on: date,
    clocks_from: date,
    test_date: date,
    today: date,
    clocks: Clocks = Clocks(),
    away: Sequence[Away] = (),
    judged_from: int = 1,
) -> Verdict:
    """
    What a pair's looks and sessions say today.

    looks : one a week with readings, oldest first; a week without readings has none
    clocks_from : when the clocks were last started: the launch, or a decision
        to give more time
    away : days on which one of the two is not there; the clocks stand still meanwhile
    judged_from : the number of the first look that counts for a pass; looks before a change
        of target say nothing about the new one

    A pass comes first: whoever is there needs no sessions. No look is never a pass.
    """
    if carries([look for look in looks if look.number >= judged_from]):
        why = said("Three weekly looks in a row were at the target.")
        return Verdict(State.PASSED, None, why)

    recent = [day for day in sessions if clocks_from <= day <= today]
    idle = days_between(max(recent, default=clocks_from), today, away=away)
    allowed = clocks.next_session_days if recent else clocks.first_session_days
    if idle >= allowed:
        why = (
            said_many("No session for %(number)s day.", "No session for %(number)s days.", idle)
            if recent
            else said_many(
                "No first session after %(number)s day.",
                "No first session after %(number)s days.",
                idle,
            )
        )
        return Verdict(State.STUCK, Clock.ACTIVITY, why)

    last_look = (
        max(clocks_from, started_on + timedelta(weeks=looks[-1].number)) if looks else clocks_from
    )
    silent = days_between(last_look, today, away=away)
    if silent >= clocks.readings_days:
        why = said_many(
            "No readings for %(number)s day: nobody can tell.",
            "No readings for %(number)s days: nobody can tell.",
            silent,
        )
        return Verdict(State.STUCK, Clock.READINGS, why)

    weeks_before = (clocks_from - started_on).days // 7
    since = [look for look in looks if look.number > weeks_before]
    span = clocks.looks_without_movement
    if len(since) >= span:
        # Against the look before those, or the place where the clocks started.
        earlier = looks[:-span]
        before = share_of_way(start, earlier[-1].level) if earlier else 0.0
        now = share_of_way(start, looks[-1].level)
        if now - before < MOVEMENT and looks[-1].p_reached < REACHED:
            why = said_many(
                "They meet, but the number has not moved in %(number)s week.",
                "They meet, but the number has not moved in %(number)s weeks.",
                span,
            )
            return Verdict(State.STUCK, Clock.OUTCOME, why)

    if idle >= allowed - WARNING_DAYS:
        why = said_many(
            "%(number)s day without a session.", "%(number)s days without a session.", idle
        )
        return Verdict(State.AT_RISK, None, why)
    if today > test_date:
        return Verdict(State.AT_RISK, None, said("The test date has passed; still swimming."))
    if looks and looks[-1].number >= LOOKS_IN_A_ROW and looks[-1].p_reached < REACHED:
        weeks = max((test_date - started_on).days / 7, 1.0)
        pace = min(looks[-1].number / weeks, 1.0)
        if share_of_way(start, looks[-1].level) < 0.5 * pace:
            why = said("Less than half of the way it should be by now.")
            return Verdict(State.AT_RISK, None, why)
    return Verdict(State.ON_TRACK, None, said("On the way."))
