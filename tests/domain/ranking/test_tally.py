import numpy as np
import pytest

from coaching.domain.ranking import RankingError, pooled_noise, row_faults, tally


def noise(figures):
    everybody = figures.observed
    sigma2, phi = pooled_noise(
        figures, group=np.zeros(figures.n.size, int), groups=1, yardstick=everybody
    )
    return sigma2[0], phi[0]


def test_it_adds_up_the_rows_of_a_person():
    figures = tally(
        kind="mean", person=[1, 0, 1], n=[2, 4, 3], total=[8, 18, 15], sumsq=[34, 82, 75], people=3
    )
    assert figures.n.tolist() == [4, 5, 0]
    assert figures.sumsq.tolist() == [82, 109, 0]
    np.testing.assert_allclose(figures.y, [4.5, 4.6, np.nan])


def test_a_duration_is_the_log_of_its_mean():
    figures = tally(kind="duration", person=[0, 0], n=[1, 1], total=[100, 300])
    np.testing.assert_allclose(figures.y, [np.log(200)])


@pytest.mark.parametrize("nothing", [0.0, np.nan, np.inf, -np.inf])
def test_no_figures_are_a_missing_person(nothing):
    n = max(nothing, 0.0) if np.isfinite(nothing) else abs(nothing)
    figures = tally(kind="mean", person=[0, 1], n=[n, 3], total=[12, 12], sumsq=[50, 50])
    assert figures.observed.tolist() == [False, True]


def test_an_infinite_sum_is_a_missing_person():
    figures = tally(kind="rate", person=[0, 1], n=[2, 3], total=[np.inf, 1])
    assert figures.observed.tolist() == [False, True]


@pytest.mark.parametrize(
    ("kind", "n", "total", "sumsq", "problem"),
    [
        ("proportion", 3, 4, None, "more successes than trials"),
        ("proportion", 3, -1, None, "cannot be negative"),
        ("rate", -3, 1, None, "cannot be negative"),
        ("rate", 3, -1, None, "cannot be negative"),
        ("duration", 3, 0, 1, "longer than zero"),
        ("duration", 3, -9, 30, "cannot be negative"),
        ("mean", -1, 5, 25, "cannot be negative"),
        ("mean", 2, 9, 20, "too small"),
        ("mean", 2, 9, -1, "cannot be negative"),
    ],
)
def test_it_refuses_impossible_rows_and_names_them(kind, n, total, sumsq, problem):
    squares = None if sumsq is None else [5, sumsq]
    with pytest.raises(RankingError, match=rf"Row 2, \w+: .*{problem}"):
        tally(kind=kind, person=[0, 1], n=[5, n], total=[5, total], sumsq=squares)


def test_every_fault_is_found_at_once():
    faults = row_faults(kind="proportion", n=[-1, 2, 5], total=[0, 3, 5])
    assert [(fault.column, fault.rows.tolist()) for fault in faults] == [
        ("n", [0]),
        ("sum", [0, 1]),
    ]


def test_scores_may_be_negative():
    assert not row_faults(kind="mean", n=[4], total=[-100], sumsq=[5000])


def test_rounded_figures_are_no_fault():
    assert not row_faults(kind="duration", n=[3], total=[7.01], sumsq=[16.37])


@pytest.mark.parametrize("person", [[0, 2], [-1, 0]])
def test_it_refuses_a_person_who_is_not_there(person):
    with pytest.raises(RankingError, match="from 0 to 1"):
        tally(kind="rate", person=person, n=[1, 1], total=[1, 1], people=2)


def test_it_refuses_columns_of_different_lengths():
    with pytest.raises(RankingError, match="same number of rows"):
        tally(kind="rate", person=[0, 1], n=[1], total=[1, 1])


def test_noise_of_scores_is_pooled_within_people():
    values = [[5, 5, 5], [2, 4], [3, 4, 4, 5]]
    figures = tally(
        kind="mean",
        person=range(3),
        n=[len(one) for one in values],
        total=[sum(one) for one in values],
        sumsq=[sum(x * x for x in one) for one in values],
    )
    within = sum(np.var(one) * len(one) for one in values)
    np.testing.assert_allclose(noise(figures), [within / (2 + 1 + 3), 1])


def test_noise_of_durations_is_relative():
    values = [[100, 300], [20, 30, 40]]
    figures = tally(
        kind="duration",
        person=range(2),
        n=[2, 3],
        total=[sum(one) for one in values],
        sumsq=[sum(x * x for x in one) for one in values],
    )
    within = sum(np.var(one) * len(one) / np.mean(one) ** 2 for one in values)
    np.testing.assert_allclose(noise(figures)[0], within / 3)


def test_noise_of_proportions_and_rates_follows_from_the_level():
    resolved = tally(kind="proportion", person=range(2), n=[30, 10], total=[20, 10])
    np.testing.assert_allclose(noise(resolved)[0], 0.75 * 0.25)
    sales = tally(kind="rate", person=range(2), n=[30, 10], total=[50, 10])
    np.testing.assert_allclose(noise(sales)[0], 60 / 40)


def test_without_squares_the_scatter_between_periods_is_the_noise():
    figures = tally(
        kind="mean",
        person=[0, 0, 1, 1, 1],
        n=[1, 3, 2, 2, 4],
        total=[4, 15, 8, 10, 14],
        period=["jan", "feb", "jan", "feb", "mar"],
    )
    first = 1 * (4 - 4.75) ** 2 + 3 * (5 - 4.75) ** 2
    second = 2 * (4 - 4) ** 2 + 2 * (5 - 4) ** 2 + 4 * (3.5 - 4) ** 2
    np.testing.assert_allclose(noise(figures), [(first + second) / (1 + 2), 1])


def test_a_period_split_over_rows_is_one_look():
    split = tally(kind="mean", person=[0, 0, 0], n=[1, 2, 3], total=[4, 11, 12], period=[1, 1, 2])
    whole = tally(kind="mean", person=[0, 0], n=[3, 3], total=[15, 12], period=[1, 2])
    assert split.scatter_df.tolist() == whole.scatter_df.tolist() == [1]
    np.testing.assert_allclose(split.scatter, whole.scatter)


def test_good_and_bad_weeks_widen_the_noise():
    weeks = {"person": [0, 0, 1, 1], "n": [50, 50, 50, 50], "period": [1, 2, 1, 2]}
    restless = tally(kind="proportion", total=[45, 25, 20, 40], **weeks)
    p = 130 / 200
    over = (50 * (0.9 - 0.7) ** 2 * 2 + 50 * (0.4 - 0.6) ** 2 * 2) / (p * (1 - p) * 2)
    np.testing.assert_allclose(noise(restless), [p * (1 - p) * over, over])
    steady = tally(kind="proportion", total=[35, 35, 30, 30], **weeks)
    assert noise(steady)[1] == 1


def test_a_group_without_visible_noise_takes_that_of_the_others():
    figures = tally(kind="mean", person=range(3), n=[1, 1, 3], total=[4, 5, 12], sumsq=[16, 25, 50])
    sigma2, _ = pooled_noise(
        figures, group=np.array([0, 0, 1]), groups=3, yardstick=figures.observed
    )
    np.testing.assert_allclose(sigma2, [1, 1, np.nan])


@pytest.mark.parametrize("kind", ["mean", "duration"])
@pytest.mark.parametrize(
    "figures",
    [
        {"person": [0, 1], "n": [3, 3], "total": [12, 14]},
        {"person": [0, 1], "n": [1, 1], "total": [4, 5], "sumsq": [16, 25]},
        {"person": [0, 1], "n": [3, 3], "total": [12, 14], "period": [1, 2]},
    ],
)
def test_it_refuses_values_whose_noise_shows_nowhere(kind, figures):
    with pytest.raises(RankingError, match="sum of squares"):
        noise(tally(kind=kind, **figures))
