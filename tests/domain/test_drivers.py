"""Which metrics separate the top from the bottom, on figures whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_ind

from coaching.domain.drivers import Measured, Split, Verdict, drivers, measured
from coaching.domain.ranking import Band, Kind, RankingError, Tally, rank_metric


def metric(own, *, weight=1.0, noise=0.0, between=1.0, **changes) -> Measured:
    """A metric whose estimates are the subjects' own values."""
    own = np.asarray(own, float)
    full = np.ones(own.shape)
    values = {
        "own": own,
        "noise": noise * full,
        "between": between * full,
        "z": np.nan_to_num(own),
        "se_z": 0.1 * full,
        "reliability": np.where(np.isnan(own), 0.0, 0.99),
        "check": ~full.astype(bool),
        "weight": weight,
    }
    return Measured(**{**values, **changes})


def one_group(metrics, **options):
    return drivers(metrics, group=np.zeros(metrics[0].own.size, int), **options)


@pytest.fixture
def ladder():
    """Forty subjects from the worst to the best, without doubt."""
    return metric(np.linspace(-2, 2, 40))


@pytest.fixture
def scatter():
    return np.random.default_rng(3).normal(size=40)


def ranked(y, n, *, sigma2, group=None) -> list[Measured]:
    """Metrics y (metrics, subjects) with counts n, as the ranking sees them."""
    found = []
    for values, counts in zip(y, n, strict=True):
        figures = Tally(
            Kind.MEAN, counts, counts * values, counts * values**2 + (counts - 1) * sigma2
        )
        result = rank_metric(figures, direction="higher", group=group)
        found.append(
            measured(
                raw=result.raw, n=result.n, z=result.z, se=result.se,
                reliability=result.reliability, check=result.check_data, group=result.group,
                mean=result.mean, scale=result.scale, tau2=result.tau2, sigma2=result.sigma2,
                sign=result.direction.sign, weight=1.0,
            )
        )  # fmt: skip
    return found


def slice_of(one: Measured, where: slice) -> Measured:
    arrays = ("own", "noise", "between", "z", "se_z", "reliability", "check")
    return replace(one, **{name: getattr(one, name)[where] for name in arrays})


def simulated(*, worlds, subjects, effect, seed, sigma2=20.0):
    """
    Five metrics in many worlds, of unequal counts; the first two share `effect` of their truth.

    With effect 0 nothing has to do with anything.
    """
    rng = np.random.default_rng(seed)
    size = worlds * subjects
    true = rng.normal(size=(5, size))
    true[1] = effect * true[0] + np.sqrt(1 - effect**2) * true[1]
    n = np.maximum(20 * np.exp(0.8 * rng.normal(size=(5, size))), 2.0)
    y = true + np.sqrt(sigma2 / n) * rng.normal(size=(5, size))
    every = ranked(y, n, sigma2=sigma2, group=np.repeat(np.arange(worlds), subjects))
    for world in range(worlds):
        where = slice(world * subjects, (world + 1) * subjects)
        yield [slice_of(one, where) for one in every]


# -- what the numbers are --------------------------------------------------------------


def test_with_equal_weights_it_is_welchs_test(ladder, scatter):
    driver, *_ = one_group([metric(scatter), ladder], outcome=1)
    assert driver.split == Split.BANDS
    top, bottom = scatter[-driver.top :], scatter[: driver.bottom]
    welch = ttest_ind(top, bottom, equal_var=False)
    assert driver.effect == pytest.approx(top.mean() - bottom.mean())
    assert driver.p == pytest.approx(welch.pvalue)
    assert driver.df == pytest.approx(welch.df)
    assert driver.interval(0.95) == pytest.approx(tuple(welch.confidence_interval(0.95)))


def test_the_compared_are_the_strong_and_the_weak_band(scatter):
    """With an outcome the bands are those that its ranking gives."""
    rng = np.random.default_rng(5)
    n = rng.integers(20, 90, 40).astype(float)
    y = rng.normal(size=40) + 0.3 * scatter / np.sqrt(n)
    result = rank_metric(Tally(Kind.MEAN, n, n * y, n * y**2 + (n - 1) * 2), direction="higher")
    outcome, *_ = ranked([y], [n], sigma2=2)
    driver, *_ = one_group([metric(scatter), outcome], outcome=1)
    assert (driver.top, driver.bottom) == (
        np.sum(result.band == Band.STRONG),
        np.sum(result.band == Band.WEAK),
    )
    assert driver.top_mean == pytest.approx(scatter[result.band == Band.STRONG].mean())


def test_the_overall_score_decides_without_the_metric_itself(ladder, scatter):
    """A metric that is all of the overall score has nothing to be explained by."""
    alone, other = one_group([ladder, metric(scatter, weight=0.0)])
    assert (alone.split, alone.without_itself, alone.verdict) == (
        Split.ALONE, True, Verdict.UNTOLD,
    )  # fmt: skip
    assert (other.split, other.without_itself) == (Split.BANDS, False)


def test_noise_does_not_explain_itself():
    """A metric of pure noise is a large part of the overall score, and no driver of it."""
    rng = np.random.default_rng(8)
    noise, rest = rng.normal(size=60), rng.normal(size=60)
    naive = one_group([metric(noise), metric(noise + rest)], outcome=1)[0]
    honest = one_group([metric(noise), metric(rest)])[0]
    assert naive.verdict == Verdict.SEPARATES
    assert honest.verdict == Verdict.NO_SIGN


def test_a_subject_with_few_readings_weighs_less(ladder):
    own = np.zeros(40)
    own[-1] = 3.0
    noise = np.zeros(40)
    noise[-1] = 9.0
    sure = one_group([metric(own), ladder], outcome=1)[0]
    unsure = one_group([replace(metric(own), noise=noise), ladder], outcome=1)[0]
    assert 0 < unsure.effect < sure.effect / 3


def test_no_luck_makes_it_surer_than_the_readings_are(ladder):
    """All of a band with the same value: the noise of the readings remains."""
    own = np.where(np.arange(40) < 20, 0.0, 0.3)
    driver = one_group([metric(own, noise=1.0), ladder], outcome=1)[0]
    assert driver.se == pytest.approx(np.sqrt(1 / driver.top + 1 / driver.bottom))
    assert driver.verdict == Verdict.NO_SIGN
    exact = one_group([metric(own), ladder], outcome=1)[0]
    assert (exact.se, exact.p, exact.verdict) == (0.0, 0.0, Verdict.SEPARATES)


def test_a_trade_off_shows_the_other_way_round(ladder):
    driver = one_group([metric(-ladder.own), ladder], outcome=1)[0]
    assert driver.effect < 0
    assert driver.verdict == Verdict.SEPARATES


def test_units_direction_and_order_decide_nothing():
    rng = np.random.default_rng(11)
    n = rng.integers(10, 60, 50).astype(float)
    y = rng.normal(size=(3, 50))
    plain = {
        "n": n, "reliability": np.full(50, 0.8), "check": np.zeros(50, bool),
        "group": np.zeros(50, int), "weight": 1.0,
    }  # fmt: skip

    def told(unit, sign, order):
        found = [
            measured(
                **{**plain, "n": n[order]}, raw=sign * unit * values[order] + 7, z=values[order],
                se=np.full(50, 0.3 * unit), mean=[7.0], scale=[unit], tau2=[0.8 * unit**2],
                sigma2=[2 * unit**2], sign=sign,
            )
            for values in y
        ]  # fmt: skip
        return [figure for one in one_group(found) for figure in (one.effect, one.se, one.p_holm)]

    first = told(1.0, 1, np.arange(50))
    assert told(60.0, -1, rng.permutation(50)) == pytest.approx(first)


def test_it_corrects_for_having_looked_at_several():
    for found in simulated(worlds=20, subjects=40, effect=0, seed=31):
        told = sorted(one_group(found), key=lambda driver: driver.p)
        steps = [(len(told) - place) * one.p for place, one in enumerate(told)]
        holm = [min(1.0, max(steps[: place + 1])) for place in range(len(told))]
        assert [driver.p_holm for driver in told] == pytest.approx(holm)


# -- too little to tell ----------------------------------------------------------------


@pytest.mark.parametrize("subjects", [8, 12, 15])
def test_where_bands_are_thin_thirds_are_compared(subjects):
    own = np.linspace(-1, 1, subjects)
    driver = one_group([metric(own), metric(own)])[0]
    third = (subjects + 1) // 3
    assert (driver.split, driver.top, driver.bottom) == (Split.THIRDS, third, third)
    assert driver.top_mean == pytest.approx(own[-third:].mean())


def test_fewer_than_eight_are_too_few():
    own = np.linspace(-1, 1, 7)
    driver = one_group([metric(own), metric(own)])[0]
    assert (driver.split, driver.verdict) == (Split.TOO_FEW, Verdict.UNTOLD)
    assert np.isnan(driver.p_holm)


def test_many_small_peer_groups_are_still_small():
    own = np.tile(np.linspace(-1, 1, 5), 6)
    found = drivers([metric(own), metric(own)], group=np.repeat(np.arange(6), 5))
    assert {driver.split for driver in found} == {Split.TOO_FEW}


def test_who_lacks_a_metric_is_not_compared_on_it(ladder, scatter):
    own = scatter.copy()
    own[-4:] = np.nan
    check = np.zeros(40, bool)
    check[:3] = True
    all_there = one_group([metric(scatter), ladder], outcome=1)[0]
    some_gone = one_group([metric(own, check=check), ladder], outcome=1)[0]
    assert some_gone.top == all_there.top - 4
    assert some_gone.bottom == all_there.bottom - 3


def test_nobody_stands_out_of_equals(scatter):
    found = one_group([metric(scatter), metric(np.zeros(40))])
    assert found[0].split == Split.NO_SPREAD
    # The other way round there is a top and a bottom, and they do not differ.
    assert (found[1].effect, found[1].p, found[1].verdict) == (0, 1, Verdict.NO_SIGN)


def test_a_metric_without_spread_or_readings_is_no_trouble():
    none = measured(
        raw=[np.nan] * 9, n=[0] * 9, z=[np.nan] * 9, se=[np.nan] * 9, reliability=[0] * 9,
        check=[False] * 9, group=[0] * 9, mean=[np.nan], scale=[np.nan], tau2=[np.nan],
        sigma2=[np.nan], sign=-1, weight=2.0,
    )  # fmt: skip
    same = measured(
        raw=[4.0] * 9, n=[3] * 9, z=[0.0] * 9, se=[0.0] * 9, reliability=[1.0] * 9,
        check=[False] * 9, group=[0] * 9, mean=[4.0], scale=[0.0], tau2=[0.0],
        sigma2=[0.0], sign=1, weight=1.0,
    )  # fmt: skip
    found = one_group([none, same, metric(np.linspace(-1, 1, 9), weight=0.0)])
    assert [driver.split for driver in found] == [Split.TOO_FEW] * 3
    assert one_group([same, metric(np.linspace(-1, 1, 9))])[0].verdict == Verdict.NO_SIGN


def test_what_does_not_fit_together_is_refused(ladder):
    with pytest.raises(RankingError, match="same subjects"):
        one_group([ladder, metric([1.0, 2.0])])
    with pytest.raises(RankingError, match="one of the metrics"):
        one_group([ladder], outcome=1)
    with pytest.raises(RankingError, match="negative"):
        one_group([replace(ladder, weight=-1.0)])


# -- what the words are worth ----------------------------------------------------------


@pytest.mark.parametrize("subjects", [12, 60])
def test_without_a_driver_hardly_ever_one_is_named(subjects):
    """Family-wise: any of five metrics in a world. 300 worlds: 5 % ± two standard errors."""
    false, held, compared = 0, 0, 0
    for found in simulated(worlds=300, subjects=subjects, effect=0, seed=41):
        told = one_group(found)
        false += any(driver.verdict == Verdict.SEPARATES for driver in told)
        for driver in told:
            low, high = driver.interval(0.95)
            held += low <= 0 <= high
            compared += 1
    assert false / 300 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)
    assert 0.93 <= held / compared <= 0.99


def test_a_planted_driver_is_found():
    """Of two metrics that share most of their truth, and three that share nothing."""
    hits, false = 0, 0
    for found in simulated(worlds=200, subjects=120, effect=0.8, seed=42, sigma2=8.0):
        told = one_group(found, outcome=0)
        hits += told[0].verdict == Verdict.SEPARATES and told[0].effect > 0
        false += any(driver.verdict == Verdict.SEPARATES for driver in told[1:])
    assert hits >= 0.95 * 200
    assert false <= 0.09 * 200
