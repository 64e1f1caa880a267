"""Many made-up peer groups, whose true values are known."""

import numpy as np
import pytest

from coaching.domain.ranking import Band, Kind, Tally, rank_metric

N = 20


def simulate(*, groups, people, reliability, seed):
    """
    Rank `groups` peer groups at once; return the ranking and the true values.

    Counts differ as they do between part-timers and old hands; `reliability` is that of N.
    """
    rng = np.random.default_rng(seed)
    size = groups * people
    n = np.maximum(N * np.exp(rng.normal(size=size) - 0.5), 2.0)
    true = rng.normal(size=size)
    sigma2 = N * (1 - reliability) / reliability
    y = true + np.sqrt(sigma2 / n) * rng.normal(size=size)
    figures = Tally(Kind.MEAN, n, n * y, n * y**2 + (n - 1) * sigma2)
    group = np.repeat(np.arange(groups), people)
    return rank_metric(figures, direction="higher", group=group), true.reshape(groups, people)


@pytest.mark.parametrize("reliability", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("people", [8, 40])
def test_intervals_hold_the_truth_as_often_as_they_say(people, reliability):
    ranking, true = simulate(groups=8000 // people, people=people, reliability=reliability, seed=20)
    off = np.abs(ranking.theta.reshape(true.shape) - true)
    coverage = (off <= 1.96 * ranking.se.reshape(true.shape)).mean()
    # With eight people and good figures the published coverage is 92 to 93 %, too.
    assert 0.91 <= coverage <= 0.995


@pytest.mark.parametrize("reliability", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("people", [8, 40])
def test_rank_intervals_hold_the_true_rank(people, reliability):
    ranking, true = simulate(groups=8000 // people, people=people, reliability=reliability, seed=21)
    rank = true.argsort(axis=1).argsort(axis=1) / (people - 1)
    low, high = (end.reshape(true.shape) for end in (ranking.rank_low, ranking.rank_high))
    # A rank is a step: it counts as inside if its own step touches the interval.
    step = 0.5 / (people - 1)
    assert 0.88 <= ((low - step <= rank) & (rank <= high + step)).mean() <= 0.99


@pytest.mark.parametrize(
    ("people", "reliability", "labelled", "right", "quota_right"),
    [
        (8, 0.5, 0.012, 0.89, 0.53),
        (8, 0.95, 0.130, 0.97, 0.81),
        (40, 0.8, 0.077, 0.93, 0.69),
        (400, 0.5, 0.020, 0.92, 0.56),
        (400, 0.95, 0.163, 0.96, 0.84),
    ],
)
def test_labels_are_few_and_right(people, reliability, labelled, right, quota_right):
    ranking, true = simulate(
        groups=60_000 // people, people=people, reliability=reliability, seed=22
    )
    quarter = people // 4
    worst = true.argsort(axis=1).argsort(axis=1) < quarter
    weak = ranking.band.reshape(true.shape) == Band.WEAK
    assert weak.mean() == pytest.approx(labelled, abs=0.006)
    assert worst[weak].mean() == pytest.approx(right, abs=0.04)
    forced = ranking.raw.reshape(true.shape).argsort(axis=1).argsort(axis=1) < quarter
    assert worst[forced].mean() == pytest.approx(quota_right, abs=0.035)
