"""Real figures to try the ranking on, where they are at hand, and made-up peer groups."""

import csv
from pathlib import Path

import numpy as np
import pytest

from coaching.domain.ranking import tally

REAL = Path(__file__).resolve().parents[3].parent / "shared" / "data"


@pytest.fixture
def real():
    """The path of a file of real figures; skips the test where it is not at hand."""

    def find(name):
        path = REAL / name
        if not path.exists():
            pytest.skip(f"{name} is not at hand")
        return path

    return find


@pytest.fixture
def real_rows(real):
    def read(name):
        with real(name).open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    return read


@pytest.fixture
def scores():
    """Figures of a metric of kind mean, from means, counts and one standard deviation."""

    def build(means, n, sd=0.8, **more):
        means = np.asarray(means, float)
        n = np.broadcast_to(np.asarray(n, float), means.shape)
        return tally(
            kind="mean",
            person=np.arange(means.size),
            n=n,
            total=n * means,
            sumsq=n * means**2 + np.maximum(n - 1, 0) * np.square(sd),
            **more,
        )

    return build


@pytest.fixture
def team(scores):
    """Forty agents with 30 to 70 surveys each, whose true ratings differ by 0.2."""
    rng = np.random.default_rng(1)
    n = rng.integers(30, 70, 40)
    means = 4.2 + 0.2 * rng.normal(size=40) + 0.8 / np.sqrt(n) * rng.normal(size=40)

    def build(*, first=(), sd=0.8):
        """The team, with the first agents' (mean, n) replaced."""
        changed, counts = means.copy(), n.astype(float)
        for index, (mean, count) in enumerate(first):
            changed[index], counts[index] = mean, count
        return scores(changed, counts, sd=sd)

    return build
