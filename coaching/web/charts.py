"""
Pictures, worked out as plain geometry; the templates under `components/` draw them.

Horizontal positions are percent of the width, so that text keeps its size on
any screen; nothing here knows pixels.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.dateformat import format as formatted
from django.utils.formats import get_format
from django.utils.translation import gettext, gettext_lazy, ngettext

from coaching.domain import progress
from coaching.domain.movement import OVER
from coaching.models import Look, Metric, Pair, Reading, Session, Standing
from coaching.queries.coaching import OwnNumbers
from coaching.queries.peers import Expected
from coaching.queries.rankings import OwnSkill

# A 90 % interval reaches this many standard errors to either side.
Z90 = 1.645
WEEK = timedelta(days=7)
# The meter's order: done first, then from calm to urgent.
ORDER = (
    (Pair.State.PASSED.value, Pair.State.PASSED.label),
    (Pair.State.ON_TRACK.value, Pair.State.ON_TRACK.label),
    (Pair.State.AT_RISK.value, Pair.State.AT_RISK.label),
    (Pair.State.STUCK.value, Pair.State.STUCK.label),
    ("waiting", gettext_lazy("Waiting for a coach")),
    (Pair.State.ENDED.value, Pair.State.ENDED.label),
)


@dataclass(frozen=True, slots=True)
class Segment:
    state: str
    label: str
    count: int
    x: float
    width: float


def short_day(day: date) -> str:
    """
    >>> short_day(date(2027, 1, 4))
    '4 Jan'
    """
    return formatted(day, gettext("j M"))


def meter(counts: Mapping[str, int]) -> list[Segment]:
    """
    The everybody-passes bar: one segment for each state that occurs, in percent of all pairs.

    >>> [(s.state, s.x, s.width) for s in meter({"passed": 1, "stuck": 3})]
    [('passed', 0.0, 25.0), ('stuck', 25.0, 75.0)]
    """
    total = sum(counts.values())
    segments, x = [], 0.0
    for state, label in ORDER:
        count = counts.get(state, 0)
        if count:
            width = 100 * count / total
            segments.append(Segment(state, label, count, x, width))
            x += width
    return segments


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    points: int
    x: float
    width: float
    tone: int


def shares(parts: Iterable[Mapping]) -> list[Share]:
    """A score's parts as segments of one bar, in the order given; parts of nothing are left out."""
    told = [(part["name"], int(part["points"])) for part in parts if part["points"] > 0]
    total = sum(points for _, points in told)
    segments, x = [], 0.0
    for at, (name, points) in enumerate(told):
        width = 100 * points / total
        segments.append(Share(name, points, x, width, min(at, 5)))
        x += width
    return segments


@dataclass(frozen=True, slots=True)
class Lane:
    """A pair as a swimmer in a lane: start, target and where the learner is, in percent."""

    start: float
    target: float
    here: float
    low: float
    high: float
    known: bool

    @property
    def way_x(self) -> float:
        return min(self.start, self.here)

    @property
    def way_width(self) -> float:
        return abs(self.here - self.start)

    @property
    def range_width(self) -> float:
        return self.high - self.low


def _lane_x(share: float) -> float:
    # From a quarter of the way behind the start to a quarter beyond the target.
    return 100 * (min(max(share, -0.22), 1.22) + 0.25) / 1.5


def start_of(pair: Pair) -> progress.Start:
    return progress.Start(
        baseline=pair.baseline,
        baseline_se=pair.baseline_se,
        tau2=pair.tau2,
        sigma2=pair.sigma2,
        target=pair.target,
        sign=pair.metric.sign,
    )


def lane(pair: Pair, last: Look | None) -> Lane:
    start = start_of(pair)
    if last is None:
        x = _lane_x(0)
        return Lane(x, _lane_x(1), x, x, x, known=False)
    ends = sorted(
        _lane_x(progress.share_of_way(start, last.level + side * Z90 * last.se)) for side in (-1, 1)
    )
    here = _lane_x(progress.share_of_way(start, last.level))
    return Lane(_lane_x(0), _lane_x(1), here, ends[0], ends[1], known=True)


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale on which better is to the right, whatever the metric's direction."""

    low: float
    high: float
    sign: int
    ticks: list[Tick] = field(default_factory=list)

    def x(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return 100 * (share if self.sign > 0 else 1 - share)


def axis(metric: Metric | None, low: float, high: float) -> Axis:
    """An axis from `low` to `high` on the working scale, with about four round ticks."""
    room = 0.04 * (high - low) or 1.0
    low, high = low - room, high + room
    sign = metric.sign if metric else 1
    bare = Axis(low, high, sign)
    ticks = []
    to_units = metric.in_units if metric else float
    for value in round_values(to_units(low), to_units(high), most=5):
        log = metric is not None and metric.kind == Metric.Kind.DURATION
        x = bare.x(math.log(value) if log else value)
        if 3 <= x <= 97:
            ticks.append(Tick(x, metric.show(value) if metric else spreads(value)))
    return Axis(low, high, sign, ticks)


def spreads(value: float) -> str:
    """
    >>> spreads(0.5), spreads(0.0), spreads(-0.25)
    ('+0.5', '0', '-0.25')
    """
    return f"{value:+g}".replace(".", get_format("DECIMAL_SEPARATOR")) if value else "0"


def round_values(low: float, high: float, *, most: int) -> list[float]:
    """
    At most `most` evenly spaced round numbers between `low` and `high`.

    >>> round_values(3.1, 4.7, most=5)
    [3.5, 4.0, 4.5]
    >>> round_values(0, 10, most=3)
    [0.0, 5.0, 10.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10, 20) if (high - low) / (power * m) < most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(float(k * step), 10) for k in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Interval:
    """One row of the interval chart, in percent of the axis."""

    low: float
    here: float
    high: float
    mean: float | None

    @property
    def width(self) -> float:
        return self.high - self.low


def interval(standing: Standing, on: Axis, mean: float | None) -> Interval:
    """
    `mean` is the peers', on the same scale; None draws no mark for it.

    What lies beyond the axis (a value to be checked) stands at its end.
    """
    return reach(standing.estimate, standing.se, on, mean)


@dataclass(frozen=True, slots=True)
class Own:
    """An interval beside its benchmarks: the peers' mean, their best part, the own raw value."""

    interval: Interval
    axis: Axis
    best: float
    raw: float | None


def reach(value: float, se: float, on: Axis, mean: float | None) -> Interval:
    """An estimate with its 90 % interval, wherever it comes from."""

    def inside(at: float) -> float:
        return min(max(on.x(at), 0.0), 100.0)

    ends = sorted(inside(value + side * Z90 * se) for side in (-1, 1))
    return Interval(ends[0], inside(value), ends[1], None if mean is None else on.x(mean))


def own_interval(skill: OwnSkill) -> Own | None:
    """A skill as its owner sees it, on a scale of its own; None among too few peers."""
    if skill.estimate is None:
        return None
    width = Z90 * skill.se
    marks = [skill.estimate - width, skill.estimate + width, skill.peers, skill.best]
    marks += [skill.raw] if skill.raw is not None else []
    on = axis(skill.metric, min(marks), max(marks))
    row = reach(skill.estimate, skill.se, on, skill.peers)
    return Own(row, on, on.x(skill.best), None if skill.raw is None else on.x(skill.raw))


@dataclass(frozen=True, slots=True)
class Since:
    """A coach's own level beside where it was at the launch."""

    numbers: OwnNumbers
    interval: Interval | None
    axis: Axis | None
    fallen: bool

    @property
    def words(self) -> str:
        if self.interval is None:
            return gettext("No complete week since you began.")
        if self.fallen:
            return gettext(
                "Notably below where it was. Say if coaching is too much; it should not cost you."
            )
        if self.numbers.looks[-1].p >= OVER:
            return gettext("Perhaps a little below; too early to tell it from chance.")
        return gettext("As before, as far as the readings can tell.")


def own_numbers(row: OwnNumbers) -> Since:
    """`interval` runs over what chance makes of the newest weeks; its mark is the launch."""
    if not row.looks:
        return Since(row, None, None, fallen=row.dip is not None)
    last = row.looks[-1]
    marks = [last.level - Z90 * last.se, last.level + Z90 * last.se, row.before]
    on = axis(row.metric, min(marks), max(marks))
    return Since(row, reach(last.level, last.se, on, row.before), on, fallen=row.dip is not None)


@dataclass(frozen=True, slots=True)
class Dot:
    """One week's readings; `low` and `high` end the 90 % range of their mean."""

    x: float
    y: float
    low: float
    high: float
    before: bool
    text: str


@dataclass(frozen=True, slots=True)
class Week:
    """A row of the picture's twin, for those who would rather read a table."""

    week: date
    n: float | None
    value: str
    level: str
    low: str
    high: str
    expected: str
    reached: float | None


@dataclass(frozen=True, slots=True)
class Picture:
    """
    All positions in percent: x to the right, y downward.

    expected : the line without coaching, from the launch on; empty when too few peers tell it
    """

    dots: list[Dot]
    level: str
    band: str
    expected: str
    now: Dot | None
    now_anchor: str
    target: float
    stretch: float
    baseline: float
    goal_top: float
    goal_height: float
    launch: float
    test: float
    passed: float | None
    today: float | None
    sessions: list[Tick]
    ticks: list[Tick]
    weeks: list[Week]
    words: str


def progress_picture(
    pair: Pair,
    *,
    looks: Sequence[Look],
    readings: Sequence[Reading],
    sessions: Sequence[Session],
    today: date,
    expected: Sequence[Expected] = (),
) -> Picture:
    """
    A learner's way: readings a week, the level we believe in with its 90 % band, and the target.

    looks, readings : oldest first, of this pair's learner and metric
    expected : where they would be without coaching, oldest first
    """
    metric = pair.metric
    first = min([pair.counts_from - WEEK, *(row.period for row in readings[:1])])
    last = max(pair.test_date, today, *(look.week + WEEK for look in looks[-1:])) + timedelta(
        days=4
    )
    days = (last - first).days

    def across(day: date) -> float:
        return 100 * (day - first).days / days

    points = [_weekly(pair, row) for row in readings]
    levels = [_level(metric, look) for look in looks]
    goals = [metric.in_units(v) for v in (pair.target, pair.stretch, pair.baseline)]
    without = [metric.in_units(row.level) for row in expected]
    seen = [*goals, *without, *(value for value, _, _ in points)]
    seen += [value for triple in levels for value in triple]
    low, high = min(seen), max(seen)
    room = 0.10 * (high - low) or 1.0
    low, high = low - room, high + room

    def down(value: float) -> float:
        return min(max(100 * (high - value) / (high - low), 0.0), 100.0)

    middle = timedelta(days=3)
    dots = [
        Dot(
            across(row.period + middle),
            down(value),
            down(lower),
            down(upper),
            row.period < pair.counts_from,
            gettext("Week of %(day)s: %(value)s")
            % {"day": short_day(row.period), "value": metric.show(value)},
        )
        for row, (value, lower, upper) in zip(readings, points, strict=True)
    ]
    xs = [across(look.week + middle) for look in looks]
    line = [f"{x:.2f},{down(value):.2f}" for x, (value, _, _) in zip(xs, levels, strict=True)]
    upper = [f"{x:.2f},{down(top):.2f}" for x, (_, _, top) in zip(xs, levels, strict=True)]
    lower = [f"{x:.2f},{down(end):.2f}" for x, (_, end, _) in zip(xs, levels, strict=True)]
    launch = across(max(pair.started_at.date(), first))
    anyway = [f"{launch:.2f},{down(goals[2]):.2f}"]
    anyway += [
        f"{across(row.week + middle):.2f},{down(value):.2f}"
        for row, value in zip(expected, without, strict=True)
    ]
    now = None
    if looks:
        value, end, top = levels[-1]
        now = Dot(xs[-1], down(value), down(end), down(top), False, metric.show(value))
    target = down(goals[0])
    goal_top, goal_height = (0.0, target) if metric.sign > 0 else (target, 100 - target)
    return Picture(
        dots=dots,
        level=" ".join(line),
        band=" ".join([*upper, *reversed(lower)]) if len(looks) > 1 else "",
        expected=" ".join(anyway) if expected else "",
        now=now,
        now_anchor="end" if now and now.x > 60 else "start",
        target=target,
        stretch=down(goals[1]),
        baseline=down(goals[2]),
        goal_top=goal_top,
        goal_height=goal_height,
        launch=launch,
        test=across(pair.test_date),
        passed=across(pair.passed_at.date()) if pair.passed_at else None,
        today=across(today) if pair.is_active else None,
        sessions=[
            Tick(
                across(session.held_on),
                gettext("Session on %(day)s") % {"day": short_day(session.held_on)},
            )
            for session in sessions
            if session.held_on >= first
        ],
        ticks=dates(first, last, across),
        weeks=_weeks(metric, readings, looks, expected),
        words=_words(pair, looks, expected),
    )


def _weekly(pair: Pair, row: Reading) -> tuple[float, float, float]:
    """One week's mean and the ends of its 90 % range, in units."""
    mean = row.sum / row.n
    metric = pair.metric
    if metric.kind == Metric.Kind.DURATION and mean <= 0:
        return mean, mean, mean
    value = progress.working_value(kind=metric.kind, n=row.n, total=row.sum)
    reach = Z90 * math.sqrt(pair.sigma2 / row.n)
    return mean, metric.in_units(value - reach), metric.in_units(value + reach)


def _level(metric: Metric, look: Look) -> tuple[float, float, float]:
    return (
        metric.in_units(look.level),
        metric.in_units(look.level - Z90 * look.se),
        metric.in_units(look.level + Z90 * look.se),
    )


def dates(first: date, last: date, across: Callable[[date], float]) -> list[Tick]:
    """At most six Mondays from `first` to `last`, where `across` puts them."""
    mondays = [first + timedelta(days=-first.weekday() % 7)]
    while mondays[-1] + WEEK <= last:
        mondays.append(mondays[-1] + WEEK)
    every = math.ceil(len(mondays) / 6)
    return [Tick(across(day), short_day(day)) for day in mondays[::every] if across(day) <= 93]


def _weeks(
    metric: Metric, readings: Sequence[Reading], looks: Sequence[Look], expected: Sequence[Expected]
) -> list[Week]:
    without = {row.week: metric.read(row.level) for row in expected}
    by_week = {row.period: row for row in readings}
    look_at = {look.week: look for look in looks}
    rows = []
    for week in sorted(by_week | look_at):
        row, look = by_week.get(week), look_at.get(week)
        rows.append(
            Week(
                week,
                row.n if row else None,
                metric.show(row.sum / row.n) if row else "",
                metric.read(look.level) if look else "",
                metric.read(look.level - Z90 * look.se) if look else "",
                metric.read(look.level + Z90 * look.se) if look else "",
                without.get(week, ""),
                look.p_reached if look else None,
            )
        )
    return rows


def _words(pair: Pair, looks: Sequence[Look], expected: Sequence[Expected]) -> str:
    """The picture in a sentence, for those who cannot see it."""
    way = gettext("%(metric)s: from %(start)s to the target %(target)s.") % {
        "metric": pair.metric,
        "start": pair.baseline_text,
        "target": pair.target_text,
    }
    if not looks:
        none = gettext("No complete week since the start yet.")
        return f"{way} {none}"
    told = {"looks": len(looks), "level": pair.read(looks[-1].level)}
    if not expected:
        here = ngettext(
            "After %(looks)s weekly look the level is %(level)s.",
            "After %(looks)s weekly looks the level is %(level)s.",
            len(looks),
        )
        return f"{way} {here % told}"
    here = ngettext(
        "After %(looks)s weekly look the level is %(level)s; without coaching %(expected)s would "
        "be expected.",
        "After %(looks)s weekly looks the level is %(level)s; without coaching %(expected)s would "
        "be expected.",
        len(looks),
    )
    return f"{way} {here % (told | {'expected': pair.read(expected[-1].level)})}"
