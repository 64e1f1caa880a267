"""Which metrics of a ranking separate its top from its bottom: read from its standings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coaching.domain import drivers as engine
from coaching.models import Band, Metric, Ranking, Standing, Yardstick
from coaching.queries import rankings

DEFAULT_Q = 0.25


@dataclass(frozen=True, slots=True)
class DriverRow:
    """
    One metric and how far the top and the bottom differ in it.

    centre, spread : of the metric's working scale, pooled over the peer groups; they turn the
        driver's numbers back into the metric's units
    """

    metric: Metric
    driver: engine.Driver
    centre: float
    spread: float

    def in_units(self, value: float) -> float:
        """
        A difference in spreads (better is above 0) as one in the metric's own units.

        For durations, which are compared as logarithms, the share by which they differ:
        -0.2 is a fifth shorter.
        """
        difference = self.metric.sign * self.spread * value
        if self.metric.kind == Metric.Kind.DURATION:
            return math.expm1(difference)
        return difference

    def level(self, value: float) -> float:
        """A mean in spreads from the peers' mean, on the metric's working scale."""
        return self.centre + self.metric.sign * self.spread * value


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    All metrics of a ranking compared.

    outcome : the metric that decides who is at the top; None: the overall score
    metrics : of the ranking, in its order
    rows : the largest differences first; those that could not be compared last
    subjects : how many people, teams or segments the ranking has
    """

    outcome: Metric | None
    metrics: list[Metric]
    rows: list[DriverRow]
    subjects: int

    @property
    def told(self) -> list[DriverRow]:
        return [row for row in self.rows if row.driver.told]


def of_ranking(ranking: Ranking, *, outcome: str = "") -> Comparison:
    """
    Compare the top and the bottom of a ranking that the reader may see.

    outcome : key of the metric that decides who is at the top; empty or unknown: overall

    Two queries, whatever the number of subjects and metrics.
    """
    frames = list(rankings.yardsticks(ranking))
    metrics = list({frame.metric_id: frame.metric for frame in frames}.values())
    chosen = next((at for at, metric in enumerate(metrics) if metric.key == outcome), None)
    subjects, groups, found = _measured(ranking, metrics, frames)
    told = engine.drivers(
        found, group=groups, q=ranking.settings.get("q", DEFAULT_Q), outcome=chosen
    )
    rows = [
        DriverRow(metrics[driver.metric], driver, *_frame(frames, metrics[driver.metric]))
        for driver in told
    ]
    rows.sort(key=_order)
    return Comparison(None if chosen is None else metrics[chosen], metrics, rows, subjects)


def _order(row: DriverRow) -> tuple:
    size = -abs(row.driver.effect) if row.driver.told else 0.0
    return not row.driver.told, size, row.metric.name, row.metric.pk


def _frame(frames: Sequence[Yardstick], metric: Metric) -> tuple[float, float]:
    """Mean and spread of a metric over all peer groups, each counting with its people."""
    own = [frame for frame in frames if frame.metric_id == metric.pk]
    people = sum(frame.people for frame in own)
    mean = sum(frame.people * frame.mean for frame in own) / people
    square = sum(frame.people * frame.scale**2 for frame in own) / people
    return mean, math.sqrt(square)


def _measured(
    ranking: Ranking, metrics: Sequence[Metric], frames: Sequence[Yardstick]
) -> tuple[int, np.ndarray, list[engine.Measured]]:
    """How many subjects there are, their peer groups, and every metric of all of them."""
    rows = list(
        Standing.objects.filter(ranking=ranking, metric__isnull=False)
        .order_by("person_id", "team_id", "metric_id")
        .values_list(
            "person_id", "team_id", "metric_id", "group", "n", "raw", "z", "se", "reliability",
            "band",
        )
    )  # fmt: skip
    group_code: dict[str, int] = {}
    place: dict[tuple, int] = {}
    groups: list[int] = []
    for person, team, _, group, *_ in rows:
        if (person, team) not in place:
            place[person, team] = len(groups)
            groups.append(group_code.setdefault(group, len(group_code)))
    metric_code = {metric.pk: at for at, metric in enumerate(metrics)}
    shape = (len(metrics), len(groups))
    n, z = np.zeros(shape), np.zeros(shape)
    raw, se = np.full(shape, np.nan), np.full(shape, np.nan)
    reliability, check = np.zeros(shape), np.zeros(shape, dtype=bool)
    for person, team, metric, _, count, own, score, error, weight, band in rows:
        at = metric_code[metric], place[person, team]
        n[at], z[at], se[at], reliability[at] = count, score, error, weight
        raw[at] = np.nan if own is None else own
        check[at] = band == Band.CHECK
    yard = np.full((4, len(metrics), max(len(group_code), 1)), np.nan)
    weights = np.zeros(len(metrics))
    for frame in frames:
        at = metric_code[frame.metric_id]
        weights[at] = frame.weight
        if frame.group in group_code:
            yard[:, at, group_code[frame.group]] = (
                frame.mean, frame.scale, frame.tau2, frame.sigma2,
            )  # fmt: skip
    group = np.array(groups, dtype=np.intp)
    found = [
        engine.measured(
            raw=raw[at], n=n[at], z=z[at], se=se[at], reliability=reliability[at],
            check=check[at], group=group, mean=yard[0, at], scale=yard[1, at], tau2=yard[2, at],
            sigma2=yard[3, at], sign=metric.sign, weight=weights[at],
        )
        for at, metric in enumerate(metrics)
    ]  # fmt: skip
    return len(groups), group, found
