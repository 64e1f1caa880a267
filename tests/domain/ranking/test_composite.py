import numpy as np
import pytest

from coaching.domain.ranking import Band, RankingError, composite, rank_metric


@pytest.fixture
def metrics(scores):
    """Three well measured metrics of forty people who are good at all or none of them."""
    rng = np.random.default_rng(11)
    talent = rng.normal(size=40)

    def build(n=(200, 200, 200), missing=()):
        """The first person lacks the metrics named in `missing`."""
        rankings = []
        for index, count in enumerate(n):
            means = talent + 0.3 * rng.normal(size=40)
            counts = np.full(40, float(count))
            counts[0] = 0 if index in missing else count
            rankings.append(rank_metric(scores(means, counts, sd=3.0), direction="higher"))
        return rankings

    return build


def test_it_weighs_the_scores_and_their_errors(metrics):
    parts = metrics()
    whole = composite(parts, weights=[2, 1, 1])
    w = [0.5, 0.25, 0.25]
    np.testing.assert_allclose(
        whole.score, sum(share * part.z for share, part in zip(w, parts, strict=True))
    )
    alone = sum((share * part.se_z) ** 2 for share, part in zip(w, parts, strict=True))
    np.testing.assert_allclose(whole.se**2, alone)
    np.testing.assert_allclose(whole.p_low.mean(), 0.25)
    assert {Band.WEAK, Band.MIDDLE, Band.STRONG} <= set(whole.band)
    assert whole.people.tolist() == [40]


def test_metrics_of_the_same_calls_err_together(metrics):
    parts = metrics()
    whole = composite(parts, weights=[1, 1, 1], shared_calls=0.4)
    se = np.array([part.se_z for part in parts]) / 3
    np.testing.assert_allclose(whole.se**2, 0.6 * (se**2).sum(0) + 0.4 * se.sum(0) ** 2)


def test_what_was_not_measured_is_no_bonus(metrics):
    parts = metrics(missing={2})
    whole = composite(parts, weights=[1, 1, 1])
    np.testing.assert_allclose(whole.score[0], (parts[0].z[0] + parts[1].z[0]) / 3)
    assert whole.se[0] > whole.se[1:].max()
    assert whole.observed_weight[0] == pytest.approx(2 / 3)
    assert whole.eligible[0]


def test_too_little_was_measured_to_tell(metrics):
    whole = composite(metrics(missing={1, 2}), weights=[1, 1, 1])
    assert not whole.eligible[0]
    assert whole.band[0] == Band.CANNOT_TELL
    assert whole.eligible[1:].all()


def test_exactly_sixty_percent_of_the_weight_is_enough(metrics):
    whole = composite(metrics(missing={2}), weights=[0.3, 0.3, 0.4])
    assert whole.observed_weight[0] == pytest.approx(0.6)
    assert whole.eligible[0]


def test_unreliable_metrics_cannot_label(metrics):
    whole = composite(metrics(n=(4, 4, 4)), weights=[1, 1, 1])
    assert not whole.eligible.any()
    assert set(whole.band) == {Band.CANNOT_TELL}


def test_a_value_to_check_bars_the_person_unless_it_does_not_count(metrics, scores):
    parts = metrics()
    means = np.linspace(0, 1, 40)
    means[5] = 500
    parts[2] = rank_metric(scores(means, 200), direction="higher")
    assert composite(parts, weights=[1, 1, 1]).band[5] == Band.CHECK_DATA
    assert composite(parts, weights=[1, 1, 0]).band[5] != Band.CHECK_DATA


def test_one_metric_alone_says_what_the_metric_says(metrics):
    (part,) = metrics(n=(200,))
    whole = composite([part], weights=[7])
    inside = np.abs(part.z) < 3
    np.testing.assert_allclose(whole.p_low[inside], part.p_low[inside], atol=0.02)


def test_a_small_group_is_not_labelled(scores):
    part = rank_metric(scores(np.arange(7.0), 500), direction="higher")
    assert set(composite([part], weights=[1]).band) == {Band.GROUP_TOO_SMALL}


def test_a_group_without_a_metric_is_ranked_on_the_others(scores):
    group = np.repeat([0, 1], 20)
    means = np.tile(np.linspace(0, 4, 20), 2)
    first = rank_metric(scores(means, 300), direction="higher", group=group)
    second = rank_metric(scores(means, 300 * (1 - group)), direction="higher", group=group)
    whole = composite([first, second], weights=[7, 3])
    assert np.isfinite(whole.p_low).all()
    assert np.isnan(second.z[20:]).all()
    assert whole.band[20] == Band.WEAK


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ([1, -1, 1], "negative"),
        ([1, np.nan, 1], "negative or missing"),
        ([0, 0, 0], "above zero"),
        ([1, 1], "a weight for each"),
    ],
)
def test_it_refuses_weights_that_weigh_nothing(metrics, weights, problem):
    with pytest.raises(RankingError, match=problem):
        composite(metrics(), weights=weights)


def test_it_refuses_what_does_not_belong_together(metrics, scores):
    stranger = rank_metric(scores([1.0, 2.0], 9), direction="higher")
    with pytest.raises(RankingError, match="same people"):
        composite([*metrics(), stranger], weights=[1, 1, 1, 1])
    with pytest.raises(RankingError, match="at least one metric"):
        composite([], weights=[])
    with pytest.raises(RankingError, match="between 0 and 1"):
        composite(metrics(), weights=[1, 1, 1], shared_calls=1.5)
