import numpy as np
import pytest

from coaching.domain.ranking import (
    Band,
    RankingError,
    from_units,
    interval_in_units,
    percentile,
    rank_metric,
    se_in_units,
    tally,
    to_units,
)

LABELS = {Band.WEAK, Band.STRONG, Band.LEANING_WEAK, Band.LEANING_STRONG}


def words(ranking, *people):
    return [Band(ranking.band[person]).words for person in people]


def test_a_missing_person_gets_the_peers_mean_with_full_spread(team):
    ranking = rank_metric(team(first=[(0, 0)]), direction="higher")
    assert ranking.theta[0] == ranking.mean[0]
    assert ranking.se[0] ** 2 > ranking.tau2[0]
    assert ranking.reliability[0] == ranking.z[0] == 0
    assert np.isnan(ranking.raw[0])
    assert words(ranking, 0) == ["cannot tell"]
    assert ranking.people[0] == 39
    assert ranking.rank_low[0] < 0.1
    assert ranking.rank_high[0] > 0.9


def test_a_group_in_which_nobody_has_figures_is_no_error(scores):
    figures = scores(np.full(20, 4.0), np.repeat([30, 0], 10))
    ranking = rank_metric(figures, direction="higher", group=np.repeat([0, 1], 10), groups=3)
    assert np.isnan(ranking.mean[1:]).all()
    assert np.isnan(ranking.p_low[10:]).all()
    assert words(ranking, 15) == ["cannot tell"]


def test_nobody_at_all_is_no_error():
    ranking = rank_metric(tally(kind="mean", person=[], n=[], total=[]), direction="higher")
    assert ranking.theta.size == 0


def test_three_perfect_surveys_do_not_beat_seventy_good_ones(team):
    ranking = rank_metric(team(first=[(5.0, 3), (4.5, 70)]), direction="higher")
    perfect, proven = 0, 1
    assert ranking.raw[perfect] > ranking.raw[proven]
    assert ranking.theta[perfect] < ranking.theta[proven]
    assert ranking.se[perfect] > 0
    assert ranking.reliability[perfect] < 0.3
    assert words(ranking, perfect) == ["cannot tell"]


@pytest.mark.parametrize(
    "figures",
    [
        {"kind": "mean", "n": [25] * 20, "total": [100] * 20, "sumsq": [424] * 20},
        {"kind": "duration", "n": [25] * 20, "total": [100] * 20, "sumsq": [424] * 20},
        {"kind": "proportion", "n": range(5, 25), "total": range(5, 25)},
        {"kind": "proportion", "n": range(5, 25), "total": [0] * 20},
        {"kind": "rate", "n": range(5, 25), "total": [0] * 20},
    ],
)
def test_where_all_are_the_same_nobody_is_labelled(figures):
    ranking = rank_metric(tally(person=range(20), **figures), direction="higher")
    assert np.ptp(ranking.theta) < 1e-12
    assert (ranking.se > 0).all()
    assert not LABELS & set(ranking.band)
    np.testing.assert_allclose(ranking.p_low.mean(), 0.25)
    np.testing.assert_allclose(ranking.z, 0, atol=1e-9)


def test_the_same_figures_get_the_same_result(team):
    ranking = rank_metric(team(first=[(4.0, 33), (4.0, 33)]), direction="higher")
    for name in ("theta", "se", "reliability", "z", "p_low", "p_high", "rank_low", "band"):
        first, second = getattr(ranking, name)[:2]
        assert first == second, name


@pytest.mark.parametrize("people", range(1, 8))
def test_a_small_group_is_shown_but_not_labelled(scores, people):
    ranking = rank_metric(scores(np.arange(people, dtype=float), 500), direction="higher")
    assert np.isfinite([ranking.theta, ranking.se, ranking.rank_low, ranking.p_low]).all()
    assert set(ranking.band) == {Band.GROUP_TOO_SMALL}


def test_eight_people_are_enough(scores):
    ranking = rank_metric(scores(np.arange(8.0), 500), direction="higher")
    assert words(ranking, 0, 4, 7) == ["weak", "middle", "strong"]


def test_missing_people_do_not_make_a_group_large(scores):
    ranking = rank_metric(scores(np.arange(9.0), [500] * 7 + [0] * 2), direction="higher")
    assert words(ranking, 0, 8) == ["group too small", "cannot tell"]


def test_without_any_noise_the_values_stand_as_they_are(scores):
    means = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0, 0.0])
    ranking = rank_metric(scores(means, [10] * 8 + [0], sd=0), direction="higher")
    assert ranking.theta[:8].tolist() == means[:8].tolist()
    assert (ranking.se[:8] == 0).all()
    assert (ranking.reliability[:8] == 1).all()
    assert words(ranking, *range(9)) == [
        "middle", "weak", "middle", "weak", "middle", "strong", "middle", "strong", "cannot tell",
    ]  # fmt: skip
    ranks = means[:8].argsort().argsort() / 7
    np.testing.assert_allclose(ranking.rank_low[:8], ranks)
    np.testing.assert_allclose(ranking.rank_high[:8], ranks)
    np.testing.assert_allclose(ranking.tau2, means[:8].var(ddof=1))
    assert ranking.se[8] ** 2 > ranking.tau2[0]


def test_exact_values_that_tie_at_the_cut_share_it(scores):
    ranking = rank_metric(scores([1, 2, 2, 2, 2, 3, 3, 3, 3, 3], 10, sd=0), direction="higher")
    np.testing.assert_allclose(ranking.p_low, [1] + [1.5 / 4] * 4 + [0] * 5, atol=1e-9)
    np.testing.assert_allclose(ranking.rank_low[1:5], 2.5 / 9)


def test_without_noise_and_differences_nobody_stands_out(scores):
    ranking = rank_metric(scores([4.1] * 12, 10, sd=0), direction="higher")
    np.testing.assert_allclose(ranking.p_low, 0.25)
    assert not LABELS & set(ranking.band)


def test_a_value_that_cannot_be_believed_is_to_be_checked(team):
    clean = rank_metric(team(), direction="higher")
    ranking = rank_metric(team(first=[(450.0, 50)]), direction="higher")
    assert words(ranking, 0) == ["check data"]
    assert ranking.raw[0] == pytest.approx(450)
    # The others' yardstick does not feel it.
    assert ranking.scale[0] == pytest.approx(clean.scale[0], rel=0.1)
    assert ranking.tau2[0] == pytest.approx(clean.tau2[0], rel=0.3)
    assert abs(ranking.z).max() == 3
    np.testing.assert_allclose(ranking.p_low[1:].mean(), 0.25)


def test_a_typing_error_cannot_hide_in_the_noise_it_makes(team):
    figures = team()
    figures.total[0] += 450
    figures.sumsq[0] += 450**2
    assert words(rank_metric(figures, direction="higher"), 0) == ["check data"]


def test_who_alone_shows_the_noise_is_not_set_aside(scores):
    means, n = np.linspace(3.9, 4.1, 20), np.ones(20)
    means[0], n[0] = 40.0, 12
    ranking = rank_metric(scores(means, n), direction="higher")
    assert not ranking.check_data.any()
    assert ranking.sigma2[0] == pytest.approx(0.64)


def test_at_most_a_tenth_of_a_group_is_to_be_checked(team):
    far = [(400.0 + index, 50) for index in range(7)]
    ranking = rank_metric(team(first=far), direction="higher")
    checked = np.flatnonzero(ranking.band == Band.CHECK_DATA)
    assert checked.tolist() == [3, 4, 5, 6]
    tied = rank_metric(team(first=[(400.0, 50)] * 7), direction="higher")
    assert not tied.check_data.any()


def test_one_different_value_among_equals_is_to_be_checked():
    total = np.full(30, 100.0)
    total[4] = 9900
    figures = tally(kind="rate", person=range(30), n=np.full(30, 100), total=total)
    assert np.flatnonzero(rank_metric(figures, direction="lower").check_data).tolist() == [4]


def test_bad_luck_on_two_calls_is_no_mistake_in_the_data():
    n, total = np.full(40, 200.0), np.tile([178, 180, 182, 184], 10).astype(float)
    n[0], total[0] = 2, 0
    ranking = rank_metric(
        tally(kind="proportion", person=range(40), n=n, total=total), direction="higher"
    )
    assert words(ranking, 0) == ["cannot tell"]


def test_nothing_of_two_is_luck_and_nothing_of_two_hundred_is_not():
    n = np.full(40, 200.0)
    total = np.round(n * (0.4 + 0.6 * np.sqrt(np.linspace(0, 1, 40))))
    n[:2], total[:2] = [2, 200], 0
    ranking = rank_metric(
        tally(kind="proportion", person=range(40), n=n, total=total), direction="higher"
    )
    assert words(ranking, 0, 1) == ["cannot tell", "weak"]
    assert ranking.p_low[0] >= 0.8
    assert ranking.reliability[0] < 0.5


@pytest.mark.parametrize("q", [0, -0.1, 0.6, np.nan])
def test_it_refuses_a_part_that_is_none(team, q):
    with pytest.raises(RankingError, match="above 0 and at most"):
        rank_metric(team(), direction="higher", q=q)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"direction": "up"}, "'higher' or 'lower'"),
        ({"direction": "lower", "group": [0]}, "40 people, but 1 peer"),
        ({"direction": "lower", "group": [2] * 40, "groups": 2}, "from 0 to 1"),
        ({"direction": "lower", "group": [-1] * 40}, "from 0 to 0"),
    ],
)
def test_it_refuses_what_does_not_fit_and_says_why(team, more, problem):
    with pytest.raises(RankingError, match=problem):
        rank_metric(team(), **more)


def test_where_less_is_better_the_slow_are_weak():
    seconds = np.linspace(200, 400, 20)
    n = np.full(20, 400.0)
    figures = tally(
        kind="duration", person=range(20), n=n, total=n * seconds, sumsq=1.25 * n * seconds**2
    )
    ranking = rank_metric(figures, direction="lower")
    assert words(ranking, 0, 10, 19) == ["strong", "middle", "weak"]
    assert ranking.cut_high[0] < ranking.cut_skill[0] < ranking.cut_need[0] < ranking.cut_low[0]
    assert ranking.top_mean[0] < ranking.cut_high[0]
    seconds_again = to_units(kind="duration", value=ranking.theta)
    assert (np.abs(seconds_again / seconds - 1) < 0.05).all()


def test_cuts_and_top_mean_are_those_of_the_true_values(scores):
    rng = np.random.default_rng(5)
    true = rng.normal(4, 0.3, 4000)
    n = rng.integers(5, 60, 4000)
    raw = true + 0.8 / np.sqrt(n) * rng.normal(size=4000)
    ranking = rank_metric(scores(raw, n), direction="higher")
    low, high = np.quantile(true, [0.25, 0.75])
    assert ranking.cut_low[0] == pytest.approx(low, abs=0.02)
    assert ranking.cut_high[0] == pytest.approx(high, abs=0.02)
    assert ranking.top_mean[0] == pytest.approx(true[true >= high].mean(), abs=0.02)
    assert np.quantile(raw, 0.75) > high + 0.02
    assert percentile(ranking, share=0.75)[0] == pytest.approx(ranking.cut_high[0])
    assert percentile(ranking, share=0.9)[0] == pytest.approx(np.quantile(true, 0.9), abs=0.02)


def test_a_percentile_counts_from_the_worst_whatever_the_direction(team):
    higher = rank_metric(team(), direction="higher")
    lower = rank_metric(team(), direction="lower")
    np.testing.assert_allclose(
        percentile(higher, share=0.8), percentile(lower, share=0.2), rtol=1e-9
    )
    with pytest.raises(RankingError, match="between 0 and 1"):
        percentile(higher, share=1)


def test_units_and_the_working_scale_lead_into_each_other():
    assert from_units(kind="duration", value=to_units(kind="duration", value=5.3)) == 5.3
    assert from_units(kind="mean", value=4.2) == to_units(kind="mean", value=4.2) == 4.2
    np.testing.assert_allclose(se_in_units(kind="duration", value=np.log(200), se=0.1), 20)
    assert se_in_units(kind="rate", value=3, se=0.1) == 0.1
    low, high = interval_in_units(kind="duration", value=np.log(200), se=0.1)
    np.testing.assert_allclose([low, high], 200 * np.exp([-0.1959964, 0.1959964]))
    with pytest.raises(RankingError, match="longer than zero"):
        from_units(kind="duration", value=0)
