from datetime import date, timedelta

import pytest

from coaching.models import Look, Metric, Pair, Reading, Session, Standing
from coaching.web import charts


def test_the_meter_fills_the_whole_width_in_a_fixed_order():
    segments = charts.meter({"stuck": 1, "passed": 2, "on_track": 3, "ended": 0})
    assert [segment.state for segment in segments] == ["passed", "on_track", "stuck"]
    assert segments[0].x == 0
    assert segments[-1].x + segments[-1].width == pytest.approx(100)


def test_a_meter_of_nobody_is_empty():
    assert charts.meter({"passed": 0}) == []


def metric(**values) -> Metric:
    return Metric(**{"key": "m", "name": "Skill", "kind": "mean", **values})


def swimmer(of: Metric, *, baseline: float, target: float) -> Pair:
    start = date(2027, 1, 4)
    return Pair(
        metric=of,
        baseline=baseline,
        target=target,
        stretch=baseline + 1.1 * (target - baseline),
        baseline_se=0.1,
        tau2=0.1,
        sigma2=0.5,
        counts_from=start,
        test_date=start + timedelta(weeks=8),
    )


def look(level: float, number: int = 1) -> Look:
    week = date(2027, 1, 4) + timedelta(weeks=number - 1)
    return Look(number=number, week=week, n=20, level=level, se=0.1, p_reached=0.5)


@pytest.mark.parametrize(("direction", "baseline", "target"), [("higher", 3, 4), ("lower", 4, 3)])
def test_a_swimmer_starts_left_and_arrives_at_the_flag(direction, baseline, target):
    swims = swimmer(metric(direction=direction), baseline=baseline, target=target)
    at_start = charts.lane(swims, look(baseline))
    arrived = charts.lane(swims, look(target))
    assert at_start.here == pytest.approx(at_start.start)
    assert arrived.here == pytest.approx(arrived.target)
    assert at_start.low < at_start.here < at_start.high
    assert charts.lane(swims, None).known is False


def test_a_swimmer_never_leaves_the_pool():
    swims = swimmer(metric(), baseline=3, target=4)
    for level in (-50.0, 50.0):
        there = charts.lane(swims, look(level))
        assert 0 <= there.low <= there.here <= there.high <= 100


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_better_is_to_the_right(direction):
    of = metric(direction=direction)
    axis = charts.axis(of, 1.0, 5.0)
    better, worse = (4.0, 2.0) if direction == "higher" else (2.0, 4.0)
    assert axis.x(better) > axis.x(worse)
    row = charts.interval(Standing(estimate=better, se=0.3), axis, 3.0)
    assert 0 <= row.low < row.here < row.high <= 100
    assert row.mean == pytest.approx(50)


def test_ticks_of_a_duration_are_round_times():
    of = metric(kind="duration", direction="lower")
    axis = charts.axis(of, 5.0, 6.5)
    texts = [tick.text for tick in axis.ticks]
    assert 2 <= len(texts) <= 6
    assert all(text.endswith(("0 min", "0 s")) for text in texts)


def test_the_picture_of_a_real_pair(pair, now):
    monday = pair.counts_from
    looks = [
        Look(
            pair=pair, number=n + 1, week=monday + timedelta(weeks=n), n=20 * (n + 1),
            level=3.1 + 0.1 * n, se=0.1, p_reached=0.2, taken_at=now,
        )
        for n in range(4)
    ]  # fmt: skip
    readings = [
        Reading(period=monday + timedelta(weeks=n), n=20, sum=20 * (3.0 + 0.1 * n))
        for n in range(-2, 4)
    ]
    sessions = [Session(pair=pair, held_on=monday + timedelta(days=2))]
    picture = charts.progress_picture(
        pair,
        looks=looks,
        readings=readings,
        sessions=sessions,
        today=monday + timedelta(weeks=4),
    )
    # Higher is better: the target lies above the start, the stretch above the target.
    assert picture.stretch < picture.target < picture.baseline
    assert picture.goal_top == 0
    assert picture.goal_height == picture.target
    assert [dot.before for dot in picture.dots] == [True, True, False, False, False, False]
    assert all(0 <= dot.x <= 100 and 0 <= dot.y <= 100 for dot in picture.dots)
    assert 0 <= picture.launch < picture.test <= 100
    assert len(picture.level.split()) == 4
    assert len(picture.band.split()) == 8
    assert picture.now.text == "3.40"
    assert len(picture.weeks) == 6
    assert picture.weeks[0].value == "2.80"
    assert picture.weeks[0].level == ""
    assert "from 3.00 to the target 3.60" in picture.words


def test_the_picture_before_the_first_week(pair, now):
    picture = charts.progress_picture(pair, looks=[], readings=[], sessions=[], today=now.date())
    assert picture.now is None
    assert picture.band == ""
    assert picture.weeks == []
    assert "No complete week" in picture.words
