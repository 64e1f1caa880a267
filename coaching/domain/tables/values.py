"""The columns of one metric: how their cells are read, and the rules the values must keep."""

import math

import numpy as np

from coaching.domain.said import Figure, said
from coaching.domain.tables.cells import (
    Cell,
    CellError,
    Numbers,
    parse_duration,
    parse_number,
    parse_yes_no,
)
from coaching.domain.tables.mapping import MetricColumns
from coaching.domain.tables.passing import Floats, Ints, Pass

_ROUNDING = 1e-9


class Values:
    """The parsers of one metric's columns, and the rules its values must keep."""

    def __init__(self, metric: MetricColumns, *, decimal: str | None) -> None:
        self.metric = metric
        factor = metric.factor

        def number(cell: Cell) -> float | None:
            return parse_number(cell, decimal=decimal)

        def scaled(cell: Cell) -> float | None:
            value = number(cell)
            percent = isinstance(cell, str) and cell.rstrip().endswith("%")
            return value if value is None or percent else value * factor

        def duration(cell: Cell) -> float | None:
            return parse_duration(cell, factor=factor, clock=metric.clock, decimal=decimal)

        def event(cell: Cell) -> float | None:
            try:
                return number(cell)
            except CellError:
                try:
                    return parse_yes_no(cell)
                except CellError:
                    pass
                raise

        def squares(cell: Cell) -> float | None:
            value = number(cell)
            return None if value is None else value * factor**2

        by_kind = {"mean": scaled, "proportion": scaled, "rate": scaled, "duration": duration}
        in_events = {**by_kind, "proportion": parse_yes_no, "rate": event}
        self.case = Numbers(in_events[metric.kind])
        self.count = Numbers(number)
        self.mean = Numbers(by_kind[metric.kind])
        # The sum of a share counts cases, whatever the unit of the mean.
        self.sum = Numbers(
            number if metric.kind in ("proportion", "rate") else by_kind[metric.kind]
        )
        self.sd = Numbers(by_kind[metric.kind])
        self.sumsq = Numbers(squares)

    def of_cases(self, part: Pass) -> tuple[Floats, Floats]:
        """n and value of each row of events; NaN where there is no reading."""
        metric = self.metric
        values = part.numbers(self.case, metric.column)
        self._keep_rules(part, values, metric.column)
        if metric.exposure is None:
            return np.where(np.isnan(values), np.nan, 1.0), values
        n = part.numbers(self.count, metric.exposure)
        part.refuse(n < 0, metric.exposure, _negative(metric.name))
        idle = ~(n > 0) & (values > 0)
        part.refuse(idle, metric.column, _no_count(metric.exposure))
        none = np.isnan(values) | ~(n > 0)
        return np.where(none, np.nan, n), np.where(none, np.nan, values)

    def of_totals(self, part: Pass, some: Ints | None) -> tuple[Floats, Floats, Floats]:
        """n, sum and sum of squares of each aggregated row; n is NaN where there is no reading."""
        metric = self.metric
        n = part.numbers(self.count, metric.n, some)
        part.refuse(n < 0, metric.n, _negative(metric.n))
        if metric.kind != "rate":
            part.refuse((n > 0) & (n != np.floor(n)), metric.n, _not_whole(metric.n))
        column = metric.sum or metric.mean
        values = part.numbers(self.sum if metric.sum else self.mean, column, some)
        part.refuse(np.isnan(n) & ~np.isnan(values), column, _no_count(metric.n))
        none = ~(n > 0) | np.isnan(values)
        n, values = np.where(none, np.nan, n), np.where(none, np.nan, values)
        totals = values if metric.sum else values * n
        if metric.kind == "proportion":
            part.refuse((values < 0), column, _negative(metric.name))
            part.refuse(totals > n * (1 + _ROUNDING), column, lambda at: _too_many(
                metric, totals[at] if metric.sum else values[at], n[at]))  # fmt: skip
            # A share of whole cases, printed with few decimals: back to whole cases.
            totals = totals if metric.sum else np.round(totals)
        else:
            self._keep_rules(part, totals / n, column, shown=values)
        return n, totals, self._squares(part, some, n, totals)

    def _squares(self, part: Pass, some: Ints | None, n: Floats, totals: Floats) -> Floats:
        metric = self.metric
        if metric.kind == "rate":
            return np.full(len(n), np.nan)
        if metric.kind == "proportion":
            return totals
        least = totals**2 / n
        known = np.where(n == 1, least, np.nan)
        if metric.sumsq is not None:
            given = part.numbers(self.sumsq, metric.sumsq, some)
            part.refuse(given < least * (1 - 1e-6), metric.sumsq, CellError(
                "a sum of squares too small",
                said("The sum of squares is smaller than this n and sum allow."),
                said("Check the row: it must be at least the sum squared, divided by n."),
            ))  # fmt: skip
            return np.where(np.isnan(given), known, np.maximum(given, least))
        if metric.sd is not None:
            sd = part.numbers(self.sd, metric.sd, some)
            part.refuse(sd < 0, metric.sd, _negative(metric.sd))
            return np.where(np.isnan(sd), known, (n - 1) * sd**2 + least)
        return known

    def _keep_rules(
        self, part: Pass, values: Floats, column: str, shown: Floats | None = None
    ) -> None:
        metric = self.metric
        if metric.kind == "duration":
            part.refuse(values < 0, column, _negative(metric.name))
            part.refuse(values == 0, column, CellError(
                "a duration of zero",
                said("%(metric)s took no time at all.", metric=metric.name),
                said("Leave the cell empty where nothing was timed."),
            ))  # fmt: skip
        elif metric.kind == "rate":
            part.refuse(values < 0, column, _negative(metric.name))
        elif metric.kind == "proportion":
            return
        low = -math.inf if metric.lower is None else metric.lower
        high = math.inf if metric.upper is None else metric.upper
        slack = _ROUNDING * max(1.0, abs(low) if metric.lower is not None else 0.0,
                                abs(high) if metric.upper is not None else 0.0)  # fmt: skip
        outside = (values < low - slack) | (values > high + slack)
        if metric.kind in ("duration", "rate"):
            outside &= values > 0
        if outside.any():
            told = values if shown is None else shown
            part.refuse(outside, column, lambda at: _outside(metric, float(told[at])))


def _short(number: float) -> Figure:
    return Figure(f"{number:.10g}")


def _outside(metric: MetricColumns, value: float) -> CellError:
    values = {"value": _short(value), "metric": metric.name}
    if metric.lower is not None and metric.upper is not None:
        message = said(
            "%(value)s is outside the bounds of %(metric)s, which go from %(lower)s to %(upper)s.",
            lower=_short(metric.lower),
            upper=_short(metric.upper),
            **values,
        )
    elif metric.lower is not None:
        message = said(
            "%(value)s is outside the bounds of %(metric)s, which go from %(lower)s on.",
            lower=_short(metric.lower),
            **values,
        )
    else:
        message = said(
            "%(value)s is outside the bounds of %(metric)s, which go up to %(upper)s.",
            upper=_short(metric.upper or 0.0),
            **values,
        )
    return CellError(
        "outside the bounds",
        message,
        said("Correct the value, or change the bounds of the metric."),
    )


def _too_many(metric: MetricColumns, value: float, n: float) -> CellError:
    if metric.sum:
        message = said(
            "%(metric)s: %(value)s of %(n)s is more than all.",
            metric=metric.name,
            value=_short(value),
            n=_short(n),
        )
    else:
        message = said(
            "%(metric)s: a share of %(value)s is more than all.",
            metric=metric.name,
            value=_short(value),
        )
    return CellError("more than all", message, said("Correct the number, or the count beside it."))


def _negative(name: str) -> CellError:
    return CellError(
        "a negative value",
        said("%(metric)s cannot be negative.", metric=name),
        said("Correct the value, or leave it empty."),
    )


def _not_whole(name: str) -> CellError:
    return CellError(
        "a count that is not whole",
        said("%(metric)s must be a whole number.", metric=name),
        said("Correct the count."),
    )


def _no_count(name: str) -> CellError:
    return CellError(
        "a value without its count",
        said("There is a value, but “%(name)s” is empty or zero.", name=name),
        said("Fill in “%(name)s”, or delete the value.", name=name),
    )
