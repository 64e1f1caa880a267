"""What a metric can be, which way is better, and what a refused ranking says."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class RankingError(ValueError):
    """Figures that cannot be ranked; its text says what is wrong and what to do."""


class Kind(StrEnum):
    """
    How a reading's figures are to be understood.

    - ``mean``: n scores (ratings, grades, points) and their sum
    - ``proportion``: n trials and the number of successes
    - ``rate``: exposure (hours, contacts) and the number of events
    - ``duration``: n positive times and their sum; ranked on the scale of the log of the mean
    """

    MEAN = "mean"
    PROPORTION = "proportion"
    RATE = "rate"
    DURATION = "duration"


class Direction(StrEnum):
    """Which end of the metric is the better one."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        return 1 if self is Direction.HIGHER else -1


class Band(IntEnum):
    """
    What may be said of one person, as a small code for arrays and tables.

    >>> Band.LEANING_WEAK.words
    'leaning weak'
    """

    CANNOT_TELL = 0
    WEAK = 1
    LEANING_WEAK = 2
    MIDDLE = 3
    LEANING_STRONG = 4
    STRONG = 5
    GROUP_TOO_SMALL = 6
    CHECK_DATA = 7

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", " ")
