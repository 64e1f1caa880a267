"""Sums, ratios and medians per peer group, over all groups at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]


def group_sum(x: Floats, *, group: Ints, groups: int) -> Floats:
    """
    Sum per group: x (people,), group codes; zero for an empty group.

    >>> group_sum(np.array([1.0, 9.0, 2.0]), group=np.array([0, 1, 0]), groups=3)
    array([3., 9., 0.])
    """
    # bincount forgets that weights are floats when there are none.
    return np.bincount(group, weights=x, minlength=groups).astype(float, copy=False)


def ratio(above: Floats, below: Floats, *, empty: float = np.nan) -> Floats:
    """
    above / below where below is positive, `empty` elsewhere.

    >>> ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0]), empty=0.0)
    array([0.25, 0.  ])
    """
    return np.divide(above, below, out=np.full(np.shape(below), empty), where=below > 0)


def group_median(x: Floats, *, group: Ints, groups: int) -> Floats:
    """
    Median per group: x (people,) without NaN, group codes; NaN for an empty group.

    >>> group_median(np.array([1.0, 9.0, 2.0]), group=np.array([0, 1, 0]), groups=3)
    array([1.5, 9. , nan])
    """
    size = np.bincount(group, minlength=groups)
    some = size > 0
    ordered = x[np.lexsort((x, group))]
    start = (np.cumsum(size) - size)[some]
    low, high = start + (size[some] - 1) // 2, start + size[some] // 2
    median = np.full(groups, np.nan)
    median[some] = (ordered[low] + ordered[high]) / 2
    return median
