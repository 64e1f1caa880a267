"""Policies, what they promise, what another width would change, and who gets the labels."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from coaching.domain import ranking, selection
from coaching.domain.ranking.kinds import Band
from coaching.domain.selection import Policy, choose, fairness


def people(rng: np.random.Generator, number: int):
    """Chances of `number` people whose scores are known to within half a spread."""
    score = rng.normal(size=number)
    return dict(
        score=score,
        se=np.full(number, 0.4),
        group=np.zeros(number, dtype=np.intp),
        band=np.full(number, Band.MIDDLE),
        yardstick=np.ones(number, dtype=bool),
    )


def chances(number: int = 60, q: float = 0.25):
    frame = people(np.random.default_rng(7), number)
    found = selection.bands_at(q, **frame)
    return {"p_low": found.p_low, "p_high": found.p_high, "eligible": np.ones(number, bool)}


# -- policies ------------------------------------------------------------------------------


def test_the_policies_ask_for_less_and_less():
    known = chances()
    evidence, leaning = choose("evidence", **known), choose("leaning", **known)
    assert 0 < evidence.learners < leaning.learners
    assert not (evidence.learner & ~leaning.learner).any()
    assert (known["p_low"][evidence.learner] >= 0.8).all()


def test_the_expected_number_right_is_the_sum_of_the_chances():
    known = chances()
    for policy in Policy:
        chosen = choose(policy, **known)
        assert chosen.learners_right == pytest.approx(known["p_low"][chosen.learner].sum())
        assert chosen.learners_right + chosen.learners_wrong == pytest.approx(chosen.learners)
        assert chosen.coaches_right == pytest.approx(known["p_high"][chosen.coach].sum())


def test_the_expected_number_right_comes_true():
    """Worlds drawn from the chances themselves: what was promised is what happens."""
    rng = np.random.default_rng(11)
    promised, happened = 0.0, 0
    for _ in range(400):
        score = rng.normal(scale=np.sqrt(0.8), size=80)
        frame = people(rng, 80) | {"score": score, "se": np.full(80, np.sqrt(0.2))}
        truth = score + rng.normal(scale=np.sqrt(0.2), size=80)
        found = selection.bands_at(0.25, **frame)
        chosen = choose("quota", p_low=found.p_low, p_high=found.p_high, eligible=np.ones(80, bool))
        worst = truth <= np.sort(truth)[19]
        promised += chosen.learners_right
        happened += int((chosen.learner & worst).sum())
    assert happened == pytest.approx(promised, rel=0.03)


@given(
    low=st.lists(st.floats(0, 1), min_size=1, max_size=40),
    seats=st.integers(0, 60),
    seed=st.integers(0, 99),
)
def test_a_quota_takes_the_likeliest_and_nobody_twice(low, seats, seed):
    p_low = np.array(low)
    p_high = 1 - p_low
    eligible = np.random.default_rng(seed).random(p_low.size) < 0.8
    chosen = choose("quota", p_low=p_low, p_high=p_high, eligible=eligible, quota=seats)
    assert chosen.learners == min(seats, eligible.sum())
    assert not (chosen.learner & chosen.coach).any()
    assert not (chosen.learner & ~eligible).any()
    left = p_low[eligible & ~chosen.learner]
    if chosen.learners and left.size:
        assert p_low[chosen.learner].min() >= left.max()


def test_a_tie_goes_to_the_smaller_id():
    same = np.full(4, 0.6)
    chosen = choose("quota", p_low=same, p_high=same, eligible=np.ones(4, bool), quota=1)
    assert chosen.learner.tolist() == [True, False, False, False]
    assert chosen.coach.tolist() == [False, True, False, False]


def test_nobody_without_a_chance_is_chosen():
    unknown = np.full(3, np.nan)
    for policy in Policy:
        chosen = choose(policy, p_low=unknown, p_high=unknown, eligible=np.ones(3, bool), quota=2)
        assert (chosen.learners, chosen.coaches, chosen.learners_right) == (0, 0, 0.0)


# -- what if -------------------------------------------------------------------------------


def test_the_same_width_gives_the_same_bands_as_the_ranking():
    rng = np.random.default_rng(3)
    n = rng.integers(2, 60, size=40)
    truth = rng.normal(4, 0.4, size=40)
    total = n * truth
    tally = ranking.tally(
        kind="mean", person=range(40), n=n, total=total, sumsq=n * (truth**2 + 0.5), people=40
    )
    group = np.arange(40) % 2
    one = ranking.rank_metric(tally, direction="higher", group=group, groups=2)
    whole = ranking.composite([one], weights=[1])
    again = selection.bands_at(
        0.25, score=whole.score, se=whole.se, group=whole.group, band=whole.band,
        yardstick=one.observed & ~one.check_data,
    )  # fmt: skip
    np.testing.assert_allclose(again.p_low, whole.p_low, atol=1e-12)
    np.testing.assert_array_equal(again.band, whole.band)
    other = ranking.composite([one], weights=[1], q=0.4)
    wider = selection.bands_at(
        0.4, score=whole.score, se=whole.se, group=whole.group, band=whole.band,
        yardstick=one.observed & ~one.check_data,
    )  # fmt: skip
    np.testing.assert_allclose(wider.p_high, other.p_high, atol=1e-12)
    np.testing.assert_array_equal(wider.band, other.band)


@given(q=st.floats(0.05, 0.5), wider=st.floats(0.05, 0.5), seed=st.integers(0, 200))
def test_a_wider_band_lets_nobody_leave(q, wider, seed):
    q, wider = min(q, wider), max(q, wider)
    frame = people(np.random.default_rng(seed), 24)
    eligible = np.ones(24, bool)
    before, after = (selection.bands_at(width, **frame) for width in (q, wider))
    chosen = [
        choose("evidence", p_low=found.p_low, p_high=found.p_high, eligible=eligible).learner
        for found in (before, after)
    ]
    assert not selection.moves(*chosen).leaves.any()
    assert before.p_low.mean() == pytest.approx(q, abs=1e-9)


@pytest.mark.parametrize("band", [Band.CANNOT_TELL, Band.GROUP_TOO_SMALL, Band.CHECK_DATA])
def test_who_cannot_be_placed_cannot_be_placed_at_any_width(band):
    frame = people(np.random.default_rng(1), 20)
    frame["score"][0] = -9
    frame["band"][0] = band
    assert selection.bands_at(0.5, **frame).band[0] == band


@pytest.mark.parametrize("q", [0, 0.04, 0.51, float("nan")])
def test_a_width_out_of_range_is_refused(q):
    with pytest.raises(ranking.RankingError, match="from 5% to 50%"):
        selection.bands_at(q, **people(np.random.default_rng(1), 9))


def test_moves_name_everybody_once():
    before, after = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    moves = selection.moves(before, after)
    assert (moves.stays.tolist(), moves.leaves.tolist(), moves.enters.tolist()) == (
        [True, False, False, False], [False, True, False, False], [False, False, True, False],
    )  # fmt: skip


def test_undecided_is_who_leans_or_cannot_be_told():
    band = np.array([Band.WEAK, Band.LEANING_WEAK, Band.MIDDLE, Band.CANNOT_TELL, Band.CHECK_DATA])
    low = np.array([0.9, 0.6, 0.3, 0.4, 0.9])
    known = {"p_low": low, "p_high": 1 - low, "eligible": selection.placeable(band)}
    strict, lenient = choose("evidence", **known), choose("leaning", **known)
    assert selection.undecided(strict, band).tolist() == [False, True, False, True, False]
    assert selection.undecided(lenient, band).tolist() == [False, False, False, True, False]


# -- fairness ------------------------------------------------------------------------------


@given(
    people=st.integers(1, 60), others=st.integers(1, 60), data=st.data(),
)  # fmt: skip
def test_intervals_and_tests_are_those_of_scipy(people, others, data):
    hits, more = data.draw(st.integers(0, people)), data.draw(st.integers(0, others))
    expected = stats.binomtest(hits, people).proportion_ci(0.9, method="wilson")
    assert selection.wilson(hits, people) == pytest.approx((expected.low, expected.high), abs=1e-9)
    table = [[hits, people - hits], [more, others - more]]
    assert selection.fisher(hits, people, more, others) == pytest.approx(
        stats.fisher_exact(table).pvalue, rel=1e-6, abs=1e-12
    )


def test_a_shift_labelled_out_of_proportion_is_named():
    shift = ["night"] * 20 + ["day"] * 60
    labelled = np.array([True] * 12 + [False] * 8 + [True] * 6 + [False] * 54)
    day, night = fairness(labelled, {"shift": shift})["shift"]
    assert (night.value, night.people, night.labelled, night.lean) == ("night", 20, 12, 1)
    assert night.low < 0.6 < night.high
    assert day.lean == -1
    assert night.p == pytest.approx(day.p)


def test_a_shift_labelled_in_proportion_is_not():
    shift = ["night"] * 20 + ["day"] * 60
    labelled = np.array(([True] + [False] * 4) * 16)
    assert {share.lean for share in fairness(labelled, {"shift": shift})["shift"]} == {0}


def test_many_comparisons_ask_for_more():
    """Seven of fourteen against one in five is news for one site, and chance among forty."""
    sites = ["A"] * 14 + [f"{number:02}" for number in range(40) for _ in range(10)]
    labelled = np.array([True] * 7 + [False] * 7 + ([True] * 2 + [False] * 8) * 40)
    one = ["A" if site == "A" else "else" for site in sites]
    assert fairness(labelled, {"site": one})["site"][0].lean == 1
    assert not any(share.lean for share in fairness(labelled, {"site": sites})["site"])


def test_groups_under_five_are_suppressed():
    rows = fairness(np.array([True] * 4 + [False] * 8), {"site": ["Oslo"] * 4 + ["Rome"] * 8})
    oslo, rome = rows["site"]
    assert oslo.suppressed
    assert (oslo.labelled, oslo.low, oslo.p, oslo.share) == (None, None, None, None)
    assert (rome.people, rome.labelled) == (8, 0)


def test_an_unknown_value_is_said_and_stands_last():
    rows = fairness(np.zeros(15, bool), {"site": [""] * 5 + ["Zug"] * 5 + ["Bern"] * 5})
    assert [share.value for share in rows["site"]] == ["Bern", "Zug", "not known"]


def test_with_one_value_there_is_nothing_to_compare():
    (share,) = fairness(np.ones(9, bool), {"site": ["Bern"] * 9})["site"]
    assert (share.p, share.lean, share.share) == (None, 0, 1.0)


@pytest.mark.parametrize(
    ("started", "words"),
    [
        (None, ""),
        (date(2026, 9, 2), "under 6 months"),
        (date(2026, 9, 1), "6 months to 2 years"),
        (date(2025, 3, 2), "6 months to 2 years"),
        (date(2025, 3, 1), "over 2 years"),
        (date(2027, 4, 1), "under 6 months"),
    ],
)
def test_tenure_comes_in_three_steps(started, words):
    assert selection.tenure(started, on=date(2027, 3, 1)) == words
