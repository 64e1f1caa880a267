"""
What `manage.py benchmark` can measure, one file for each kind of work.

Each file has a ``BENCHMARKS``: name -> ``Benchmark``. The command collects them.
"""

from __future__ import annotations

import resource
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import NamedTuple

# Lines of a table: what, how much.
Lines = list[tuple[str, str]]


class Benchmark(NamedTuple):
    """
    about : a line for ``--help``
    arguments : adds the options, whose names are the parameters of ``measure``
    measure : does the work and returns what to print
    stores : whether it needs a database of its own
    """

    about: str
    arguments: Callable[[ArgumentParser], None]
    measure: Callable[..., Lines]
    stores: bool


def some(text: str) -> int:
    """Read an option that counts something."""
    number = int(text)
    if number < 1:
        raise ArgumentTypeError("give a number of at least 1")
    return number


def peak_mb() -> float:
    """The most memory this program has held so far (Linux counts in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
