"""
What moves anyway: peers whom nobody coaches, and coaches while they coach.

Everything is on a metric's working scale, as in `coaching.domain.progress`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

# A mean of fewer peers would tell about each of them.
FEWEST_PEERS = 5
# A coach's level has fallen notably by this part of the spread between people ...
NOTABLE = 0.5
# ... when that is so with this probability ...
CERTAIN = 0.90
# ... in so many weekly looks in a row ...
LOOKS_IN_A_ROW = 3
# ... the first of them no earlier than this week of coaching. Of coaches whose level never
# changed one in two hundred is noticed in half a year; of those who fell by one and a half
# spreads nearly all are, within twelve weeks (tests/domain/test_movement.py).
FIRST_WEEK = 4
# It is over when it is no longer more likely than not.
OVER = 0.50


@dataclass(frozen=True, slots=True)
class Movement:
    """How far peers moved on the whole from one stretch of weeks to another."""

    change: float
    se: float
    people: int


def movement(*, n0: Floats, y0: Floats, n1: Floats, y1: Floats) -> Movement | None:
    """
    The mean change of the same people between two stretches of weeks, by their evidence.

    n0, y0, n1, y1 : arrays (people,), counts and means before and since; a count of 0: none

    None when fewer than `FEWEST_PEERS` have both.

    >>> found = movement(n0=np.ones(5), y0=np.zeros(5), n1=np.ones(5), y1=np.full(5, 0.2))
    >>> round(found.change, 9), round(found.se, 9), found.people
    (0.2, 0.0, 5)
    """
    both = (n0 > 0) & (n1 > 0)
    people = int(both.sum())
    if people < FEWEST_PEERS:
        return None
    weight = n0[both] * n1[both] / (n0[both] + n1[both])
    weight = weight / weight.sum()
    moved = y1[both] - y0[both]
    change = float(weight @ moved)
    spread = float((weight**2) @ (moved - change) ** 2) * people / (people - 1)
    return Movement(change, math.sqrt(spread), people)


def p_fell(
    *,
    before: float,
    before_se: float,
    level: float,
    n: float,
    sigma2: float,
    tau2: float,
    sign: int,
    peers: Movement | None = None,
) -> float:
    """
    The probability that a coach's true level is notably below where it was.

    before, before_se : the *shrunken* estimate at the launch: coaches are chosen for high
        numbers, and their raw mean would fall back by itself
    level, n : mean of `n` recent observations
    peers : what those moved meanwhile whom nobody coaches; it happened to the coach as well

    0 where people do not differ: nobody can tell there.

    >>> p_fell(before=4.0, before_se=.1, level=3.9, n=200, sigma2=.9, tau2=.09, sign=1) < 0.5
    True
    """
    if n <= 0 or tau2 <= 0:
        return 0.0
    moved, moved_se = (peers.change, peers.se) if peers else (0.0, 0.0)
    fallen = sign * (before + moved - level) - NOTABLE * math.sqrt(tau2)
    se = math.sqrt(before_se**2 + sigma2 / n + moved_se**2)
    return float(ndtr(fallen / se)) if se else float(fallen >= 0)


def has_fallen(looks: Sequence[tuple[int, float]]) -> bool:
    """
    Whether a coach's newest looks say so; `looks` are (week of coaching, `p_fell`), oldest first.

    >>> has_fallen([(4, .95), (5, .93), (6, .91)]), has_fallen([(3, .99), (4, .99), (5, .99)])
    (True, False)
    """
    last = looks[-LOOKS_IN_A_ROW:]
    return (
        len(last) == LOOKS_IN_A_ROW
        and last[0][0] >= FIRST_WEEK
        and last[-1][0] - last[0][0] == LOOKS_IN_A_ROW - 1
        and all(p >= CERTAIN for _, p in last)
    )
