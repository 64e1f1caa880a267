"""The numbers behind an estimate, against slow and obvious ways to the same."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, norm

from coaching.domain.ranking import paule_mandel, rank_metric, shrink
from coaching.domain.ranking.shrinkage import GRID_PEOPLE
from coaching.domain.ranking.tails import tails


def slowly(y, v):
    """Estimates and errors by adaptive integration over b = v0 / (v0 + tau2)."""
    v0 = 1 / np.mean(1 / v)

    def at(b):
        tau2 = v0 * (1 - b) / b
        w = 1 / (v + tau2)
        mu = (w * y).sum() / w.sum()
        fit = np.log(w).sum() - np.log(w.sum()) - (w * (y - mu) ** 2).sum()
        shrink = v * w
        mean = mu + (1 - shrink) * (y - mu)
        spread = tau2 * shrink + shrink**2 / w.sum()
        return fit / 2, mean, spread + mean**2, 1 - shrink, tau2

    top = max(at(b)[0] for b in np.linspace(0.001, 0.999, 999))

    def expect(pick):
        part = [
            quad(lambda b: np.exp(at(b)[0] - top) * pick(at(b)), *ends, epsabs=0, epsrel=1e-10)[0]
            for ends in ((0, 0.01), (0.01, 0.1), (0.1, 1))
        ]
        return sum(part)

    whole = expect(lambda it: 1.0)
    people = range(y.size)
    theta = np.array([expect(lambda it, i=i: it[1][i]) for i in people]) / whole
    square = np.array([expect(lambda it, i=i: it[2][i]) for i in people]) / whole
    rel = np.array([expect(lambda it, i=i: it[3][i]) for i in people]) / whole
    tau2 = expect(lambda it: it[4]) / whole
    return theta, np.sqrt(square - theta**2), rel, tau2


@pytest.mark.parametrize("spread", [0.0, 0.3, 3.0])
@pytest.mark.parametrize("people", [4, 11])
def test_the_grid_is_the_integral(people, spread):
    rng = np.random.default_rng(people)
    n = np.append(rng.integers(1, 60, people - 2), [1, 900]).astype(float)
    y = spread * rng.normal(size=people) + rng.normal(size=people) / np.sqrt(n)
    ours = shrink(
        y=y,
        n=n,
        sigma2=np.array([1.0]),
        group=np.zeros(people, int),
        groups=1,
        yardstick=np.ones(people, bool),
    )
    theta, se, rel, tau2 = slowly(y, 1 / n)
    np.testing.assert_allclose(ours.theta, theta, atol=1e-8)
    np.testing.assert_allclose(ours.se, se, atol=1e-8)
    np.testing.assert_allclose(ours.reliability, rel, atol=1e-8)
    np.testing.assert_allclose(ours.tau2, tau2, rtol=2e-4)


def test_paule_and_mandel_find_the_variance_that_fits():
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1, 2, 3], [50, 7, 1, 20])
    v = rng.uniform(0.01, 1, group.size)
    y = rng.normal(size=group.size) * np.sqrt(v + 0.5)
    y[-20:] *= 0.01
    tau2 = paule_mandel(y=y, v=v, group=group, groups=5)
    for code in (0, 1):
        w = 1 / (v + tau2[code])[group == code]
        off = y[group == code] - np.average(y[group == code], weights=w)
        np.testing.assert_allclose((w * off**2).sum(), w.size - 1, rtol=1e-9)
    assert tau2[2:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("reliability", [0.0, 0.5, 0.999])
def test_above_the_limit_the_plug_in_takes_over_smoothly(reliability):
    rng = np.random.default_rng(4)
    people = GRID_PEOPLE + 1
    n = rng.integers(5, 50, people).astype(float)
    tau2 = reliability / (1 - reliability) / 20
    y = np.sqrt(tau2) * rng.normal(size=people) + rng.normal(size=people) / np.sqrt(n)

    def run(size):
        return shrink(
            y=y[:size],
            n=n[:size],
            sigma2=np.array([1.0]),
            group=np.zeros(size, int),
            groups=1,
            yardstick=np.ones(size, bool),
        )

    grid, plug_in = run(GRID_PEOPLE), run(people)
    assert plug_in.tau2 == plug_in.tau2_plug_in
    assert grid.tau2 != grid.tau2_plug_in
    spread = np.sqrt(tau2 + 1 / 20)
    np.testing.assert_allclose(grid.theta, plug_in.theta[:-1], atol=0.03 * spread)
    np.testing.assert_allclose(grid.reliability, plug_in.reliability[:-1], atol=0.02)


def test_the_estimate_is_the_peers_mean_plus_reliability_times_the_difference(scores):
    rng = np.random.default_rng(6)
    n = rng.integers(5, 50, GRID_PEOPLE + 1)
    ranking = rank_metric(scores(rng.normal(4, 0.4, n.size), n), direction="higher")
    v = ranking.sigma2 / n
    rel = ranking.tau2 / (ranking.tau2 + v)
    np.testing.assert_allclose(ranking.reliability, rel)
    np.testing.assert_allclose(
        ranking.theta, ranking.mean + rel * (ranking.raw - ranking.mean), rtol=1e-12
    )
    w = 1 / (v + ranking.tau2)
    np.testing.assert_allclose(ranking.se**2, ranking.tau2 * (1 - rel) + (1 - rel) ** 2 / w.sum())


def drawn_ranks(score, se, draws=40_000):
    true = np.random.default_rng(8).normal(score, se, (draws, score.size))
    return true.argsort(axis=1).argsort(axis=1) / (score.size - 1)


@pytest.mark.parametrize("people", [8, 40, 120])
@pytest.mark.parametrize("reliability", [0.3, 0.8, 0.98])
def test_probabilities_and_ranks_are_those_of_drawn_true_values(people, reliability):
    rng = np.random.default_rng(people)
    score = np.sqrt(reliability) * rng.normal(size=people)
    se = np.sqrt(1 - reliability) * rng.uniform(0.8, 1.2, people)
    everybody = np.ones(people, bool)
    ours = tails(
        score=score, se=se, group=np.zeros(people, int), groups=1, yardstick=everybody,
        q=0.25, q_match=0.4,
    )  # fmt: skip
    ranks = drawn_ranks(score, se)
    worst = ranks * (people - 1) < people / 4 - 0.5
    # Ours is held against the expected true values; among few people the drawn ones move.
    assert np.abs(ours.p_low - worst.mean(axis=0)).max() < (0.08 if people == 8 else 0.024)
    mean, variance = ranks.mean(axis=0), ranks.var(axis=0)
    moving = variance > 0.01**2
    strength = (mean * (1 - mean))[moving] / variance[moving] - 1
    for share, end in ((0.05, ours.rank_low), (0.95, ours.rank_high)):
        carried = beta.ppf(share, mean[moving] * strength, (1 - mean[moving]) * strength)
        np.testing.assert_allclose(end[moving], carried, atol=0.01)
        np.testing.assert_allclose(end[~moving], mean[~moving], atol=0.03)


def test_cuts_solve_their_equation_to_the_last_digits():
    rng = np.random.default_rng(9)
    group = rng.integers(0, 50, 3000)
    score, se = rng.normal(size=3000), rng.uniform(0.001, 2, 3000)
    ours = tails(
        score=score, se=se, group=group, groups=50, yardstick=np.ones(3000, bool),
        q=0.1, q_match=0.4,
    )  # fmt: skip
    for cut, share in ((ours.cut_low, 0.1), (ours.cut_high, 0.9), (ours.cut_need, 0.4)):
        below = norm.cdf((cut[group] - score) / se)
        np.testing.assert_allclose(np.bincount(group, below) / np.bincount(group), share)
