"""A skill over time: what was counted week by week, and what rankings made of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext

from coaching.domain import progress
from coaching.models import Metric, Reading
from coaching.web.charts import WEEK, Z90, Dot, Tick, dates, short_day


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a ranking said, on the working scale; `week` is the Monday of its last week."""

    week: date
    value: float
    se: float


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the picture's twin, for those who would rather read a table."""

    week: date
    n: float | None
    value: str
    noise: str
    estimate: str
    interval: str


@dataclass(frozen=True, slots=True)
class History:
    """All positions in percent: x to the right, y downward."""

    dots: list[Dot]
    estimates: list[Dot]
    peers: float | None
    best: float | None
    # Whether better is up.
    rises: bool
    ticks: list[Tick]
    values: list[Tick]
    lines: list[Line]
    words: str


def history(
    metric: Metric,
    *,
    readings: Sequence[Reading],
    estimates: Sequence[Estimate],
    sigma2: float | None,
    peers: float | None = None,
    best: float | None = None,
) -> History | None:
    """
    readings, estimates : oldest first
    sigma2 : noise of one case on the working scale; without it weeks have no bars
    peers, best : benchmarks on the working scale

    None without readings.
    """
    if not readings:
        return None
    weeks = {row.period: _week(metric, row, sigma2) for row in readings}
    said = {
        estimate.week: tuple(
            metric.in_units(estimate.value + side * Z90 * estimate.se) for side in (0, -1, 1)
        )
        for estimate in estimates
    }
    marks = [None if mark is None else metric.in_units(mark) for mark in (peers, best)]
    first = min([*weeks, *said]) - timedelta(days=2)
    last = max([*weeks, *said]) + WEEK
    # Room on the right for the scale.
    last += max((last - first) * 0.1, WEEK)
    # Noise bars may leave the picture; what they belong to may not.
    seen = [mark for mark in marks if mark is not None]
    seen += [value for value, _, _ in weeks.values()]
    seen += [value for triple in said.values() for value in triple]
    low, high = min(seen), max(seen)
    room = 0.12 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = low - room, high + room

    def across(day: date) -> float:
        return 100 * (day - first).days / (last - first).days

    def down(value: float) -> float:
        return min(max(100 * (high - value) / (high - low), 0.0), 100.0)

    def dot(week: date, triple: tuple[float, float, float], days: int, text: str) -> Dot:
        value, end, top = triple
        text %= {"day": short_day(week), "value": metric.show(value)}
        x = across(week + timedelta(days=days))
        return Dot(x, down(value), down(end), down(top), False, text)

    return History(
        dots=[dot(week, triple, 3, gettext("Week of %(day)s: %(value)s"))
              for week, triple in weeks.items()],
        # A ranking looks back from the end of its last week.
        estimates=[dot(week, triple, 6, gettext("Estimate up to the week of %(day)s: %(value)s"))
                   for week, triple in said.items()],
        peers=None if marks[0] is None else down(marks[0]),
        best=None if marks[1] is None else down(marks[1]),
        rises=metric.higher_is_better,
        ticks=dates(first, last, across),
        values=[Tick(down(value), metric.show(value)) for value in (high - room, low + room)],
        lines=_lines(metric, readings, weeks, said),
        words=gettext(
            "%(metric)s: %(weeks)s weeks of readings from %(low)s to %(high)s, and %(estimates)s "
            "estimates."
        ) % {"metric": metric, "weeks": len(weeks), "low": metric.show(min(seen)),
             "high": metric.show(max(seen)), "estimates": len(said)},
    )  # fmt: skip


def _week(metric: Metric, row: Reading, sigma2: float | None) -> tuple[float, float, float]:
    """A week's mean and the ends of what chance alone would make of it 90 % of the time."""
    mean = row.sum / row.n
    if sigma2 is None or (metric.kind == Metric.Kind.DURATION and mean <= 0):
        return mean, mean, mean
    value = progress.working_value(kind=metric.kind, n=row.n, total=row.sum)
    reach = Z90 * math.sqrt(sigma2 / row.n)
    return mean, metric.in_units(value - reach), metric.in_units(value + reach)


def _lines(metric: Metric, readings: Sequence[Reading], weeks: dict, said: dict) -> list[Line]:
    counts = {row.period: row.n for row in readings}
    lines = []
    for week in sorted(weeks | said):
        told, estimate = weeks.get(week), said.get(week)
        lines.append(
            Line(
                week,
                counts.get(week),
                metric.show(told[0]) if told else "",
                _range(metric, told) if told and told[1] != told[2] else "",
                metric.show(estimate[0]) if estimate else "",
                _range(metric, estimate) if estimate else "",
            )
        )
    return lines


def _range(metric: Metric, triple: tuple[float, float, float]) -> str:
    low, high = sorted(triple[1:])
    return gettext("%(low)s to %(high)s") % {"low": metric.show(low), "high": metric.show(high)}
