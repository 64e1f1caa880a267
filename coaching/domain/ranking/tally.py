"""From readings (one row per person and period) to one line of figures per person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coaching.domain.ranking.groups import Bools, Floats, Ints, group_sum, ratio
from coaching.domain.ranking.kinds import Kind, RankingError
from coaching.domain.said import said

# Figures are often rounded on their way here; a sum of squares may miss the least possible
# value by this share before it is called impossible.
_ROUNDING = 1e-3
# Below this share of the sum of squares a spread is what floating point leaves of zero.
_ZERO = 1e-13
NEGATIVE = {
    Kind.PROPORTION: said("the sum of a proportion cannot be negative"),
    Kind.RATE: said("the sum of a rate cannot be negative"),
    Kind.DURATION: said("the sum of a duration cannot be negative"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows (positions, from 0) that cannot be true, the column to look at, and why."""

    rows: Ints
    column: str
    problem: str


def row_faults(
    *, kind: Kind | str, n: ArrayLike, total: ArrayLike, sumsq: ArrayLike | None = None
) -> list[Fault]:
    """
    Find the rows whose figures are impossible for this kind of metric.

    n, total, sumsq : arrays (rows,). Missing figures (NaN, infinite, n = 0) are no fault.

    >>> [fault.problem for fault in row_faults(kind="proportion", n=[3, 3], total=[2, 4])]
    ['there are more successes than trials']
    """
    kind = Kind(kind)
    n, total = np.asarray(n, float), np.asarray(total, float)
    found = []

    def look(wrong: Bools, column: str, problem: str) -> None:
        if wrong.any():
            found.append(Fault(np.flatnonzero(wrong), column, problem))

    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        look(n < 0, "n", said("a count or an exposure cannot be negative"))
        if kind is not Kind.MEAN:
            look(total < 0, "sum", NEGATIVE[kind])
        if kind is Kind.PROPORTION:
            look(total > n, "sum", said("there are more successes than trials"))
        if kind is Kind.DURATION:
            wrong = (n > 0) & (total == 0)
            look(wrong, "sum", said("a duration must be longer than zero"))
        if sumsq is not None and kind in (Kind.MEAN, Kind.DURATION):
            sumsq = np.asarray(sumsq, float)
            look(sumsq < 0, "sumsq", said("a sum of squares cannot be negative"))
            least = np.where(n > 0, total**2 / n, 0.0)
            short = (sumsq >= 0) & np.isfinite(least) & (sumsq < least * (1 - _ROUNDING))
            look(short, "sumsq", said("the sum of squares is too small for this sum and n"))
    return found


@dataclass(frozen=True, slots=True)
class Tally:
    """
    The figures of one metric in one window, an entry per person.

    n : count, or exposure for a rate; 0 where the person is missing
    total : sum of the n values (successes, events); 0 where missing
    sumsq : sum of the squared values, NaN where unknown; None when never given
    scatter : sum over the person's periods of n_t (y_t - y)^2; None without periods
    scatter_df : number of the person's periods with figures, less one
    """

    kind: Kind
    n: Floats
    total: Floats
    sumsq: Floats | None = None
    scatter: Floats | None = None
    scatter_df: Floats | None = None

    @property
    def observed(self) -> Bools:
        return self.n > 0

    @property
    def y(self) -> Floats:
        """Own value on the working scale; NaN where missing."""
        return _own_value(self.kind, self.n, self.total)


def _own_value(kind: Kind, n: Floats, total: Floats) -> Floats:
    value = ratio(total, n)
    return np.log(value) if kind is Kind.DURATION else value


def tally(
    *,
    kind: Kind | str,
    person: ArrayLike,
    n: ArrayLike,
    total: ArrayLike,
    sumsq: ArrayLike | None = None,
    period: ArrayLike | None = None,
    people: int | None = None,
) -> Tally:
    """
    Add up readings per person, and their scatter from period to period.

    person : int array (rows,), each in 0 .. people - 1; order is free
    n, total, sumsq : arrays (rows,); a row with n = 0, NaN or infinity counts as missing
    period : array (rows,) of anything that sorts; rows of the same person and period are one
    people : how many people there are; one more than the largest person when absent

    :raises RankingError: for rows that cannot be true, or arrays of different lengths

    >>> tally(kind="mean", person=[0, 0, 1], n=[2, 2, 0], total=[8, 10, 0]).y
    array([4.5, nan])
    """
    kind = Kind(kind)
    person = np.asarray(person, dtype=np.intp)
    n = np.asarray(n, float)
    total = np.asarray(total, float)
    squares = None if sumsq is None else np.asarray(sumsq, float)
    periods = None if period is None else np.asarray(period)
    columns = [n, total] + [column for column in (squares, periods) if column is not None]
    if person.ndim != 1 or any(column.shape != person.shape for column in columns):
        raise RankingError("Every column of readings must have the same number of rows.")
    if people is None:
        people = int(person.max(initial=-1)) + 1
    if person.size and not 0 <= person.min() <= person.max() < people:
        raise RankingError(f"Each person must be a number from 0 to {people - 1}.")
    faults = row_faults(kind=kind, n=n, total=total, sumsq=squares)
    if faults:
        fault = faults[0]
        raise RankingError(
            said(
                "Row %(row)s, %(column)s: %(problem)s. Correct the row or leave it out.",
                row=int(fault.rows[0]) + 1,
                column=fault.column,
                problem=fault.problem,
            )
        )

    usable = np.isfinite(n) & np.isfinite(total) & (n > 0)
    if not usable.all():
        person, n, total = person[usable], n[usable], total[usable]
        squares = None if squares is None else squares[usable]
        periods = None if periods is None else periods[usable]

    n_all = group_sum(n, group=person, groups=people)
    total_all = group_sum(total, group=person, groups=people)
    squares_all = None
    if squares is not None:
        # An unknown or infinite square makes the person's whole sum unknown: NaN spreads.
        known = np.where(np.isfinite(squares), squares, np.nan)
        squares_all = group_sum(known, group=person, groups=people)
    if periods is None:
        return Tally(kind, n_all, total_all, squares_all)

    # One row per person and period, so that a period split over rows is no extra look.
    _, when = np.unique(periods, return_inverse=True)
    key = person * (int(when.max(initial=0)) + 1) + when.reshape(-1)
    first, slot = np.unique(key, return_index=True, return_inverse=True)[1:]
    who = person[first]
    n_then = np.bincount(slot, weights=n)
    y_then = _own_value(kind, n_then, np.bincount(slot, weights=total))
    y_all = _own_value(kind, n_all, total_all)[who]
    step = y_then - y_all
    size = 1.0 if kind is Kind.DURATION else np.maximum(np.abs(y_then), np.abs(y_all))
    step = np.where(np.abs(step) <= _ZERO * size, 0.0, step)
    scatter = group_sum(n_then * step**2, group=who, groups=people)
    looks = np.bincount(who, minlength=people)
    return Tally(kind, n_all, total_all, squares_all, scatter, np.maximum(looks - 1.0, 0.0))


def pooled_noise(
    tally: Tally, *, group: Ints, groups: int, yardstick: Bools
) -> tuple[Floats, Floats]:
    """
    Noise variance of a single value, pooled over each peer group, and its over-dispersion.

    yardstick : bool array (people,), who may shape the group's figures (all with readings)

    Return (sigma2, phi), arrays (groups,), NaN for a group without readings. sigma2 already
    holds the factor phi; a person's own value has the variance sigma2 / n.

    - mean: sum (n_i - 1) s_i^2 / sum (n_i - 1); duration: the same of (s_i / mean_i)^2
    - proportion: p (1 - p); rate: events / exposure. Where nobody, or everybody, succeeded
      half a success is added (Jeffreys), for zero noise would be a claim of certainty.
    - phi = max(1, sum n_t (y_t - y)^2 / (sigma2 sum (T - 1))) when there are periods
    - mean and duration without sums of squares: the scatter between periods itself

    Pooling keeps three perfect surveys from having zero error. A group in which no noise can
    be seen (single values only) takes what is seen over all groups.

    :raises RankingError: if a mean or a duration shows its noise nowhere
    """
    who = np.flatnonzero(yardstick)
    where = group[who]

    def add(values: Floats) -> Floats:
        return group_sum(values, group=where, groups=groups)

    n, total = tally.n[who], tally.total[who]
    n_group = add(n)
    periods = tally.scatter is not None and tally.scatter_df is not None
    phi = np.where(n_group > 0, 1.0, np.nan)

    if tally.kind is Kind.PROPORTION:
        k_group = add(total)
        certain = (k_group == 0) | (k_group == n_group)
        p = ratio(k_group + 0.5 * certain, n_group + certain)
        sigma2 = np.where(n_group > 0, p * (1 - p), np.nan)
    elif tally.kind is Kind.RATE:
        events = add(total)
        sigma2 = ratio(events + 0.5 * (events == 0), n_group)
    else:
        squares = np.full(who.shape, np.nan) if tally.sumsq is None else tally.sumsq[who]
        known = np.isfinite(squares)
        by_squares = bool(known.any())
        if by_squares:
            spread = np.where(known, squares - total**2 / n, 0.0)
            spread = np.where(spread <= _ZERO * np.where(known, squares, 0.0), 0.0, spread)
            if tally.kind is Kind.DURATION:
                spread = spread / (total / n) ** 2
            seen, df = add(spread), add(np.where(known, np.maximum(n - 1, 0.0), 0.0))
        elif periods:
            seen, df = add(tally.scatter[who]), add(tally.scatter_df[who])
        else:
            seen = df = np.zeros(groups)
        if who.size and not df.sum() > 0:
            raise RankingError(
                said(
                    "The noise of a mean cannot be told from these readings. Give the sum of "
                    "squares (or the standard deviation) with more than one value per person, or "
                    "several periods per person."
                )
                if tally.kind is Kind.MEAN
                else said(
                    "The noise of a duration cannot be told from these readings. Give the sum of "
                    "squares (or the standard deviation) with more than one value per person, or "
                    "several periods per person."
                )
            )
        sigma2 = np.where(df > 0, ratio(seen, df), seen.sum() / max(df.sum(), 1e-300))
        sigma2 = np.where(n_group > 0, sigma2, np.nan)
        if not by_squares:
            return sigma2, phi

    if periods:
        expected = sigma2 * add(tally.scatter_df[who])
        over = ratio(add(tally.scatter[who]), expected, empty=1.0)
        phi = np.where(n_group > 0, np.maximum(over, 1.0), np.nan)
    return sigma2 * phi, phi
