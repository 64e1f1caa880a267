"""Published results, and real figures that are often over-read."""

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from coaching.domain.ranking import (
    Band,
    composite,
    moment_variance,
    pooled_noise,
    rank_metric,
    tally,
)


def column(rows, name, kind=float):
    return np.array([kind(float(row[name])) for row in rows])


def test_eighteen_batters_of_1970(real_rows):
    """Efron & Morris 1975: shrinking cuts the squared error to less than a third."""
    rows = real_rows("efron_morris_1970.csv")
    hits, later = column(rows, "hits_first45"), column(rows, "avg_remaining")
    figures = tally(kind="proportion", person=range(18), n=np.full(18, 45), total=hits)
    ranking = rank_metric(figures, direction="higher")
    assert ((figures.y - later) ** 2).sum() == pytest.approx(0.0753, abs=1e-4)
    assert ((ranking.theta - later) ** 2).sum() == pytest.approx(0.0214, abs=1e-4)
    assert set(ranking.band) == {Band.CANNOT_TELL}


def test_the_claims_of_five_states(real_rows):
    """Hachemeister 1975, with the published credibility fit of Buehlmann and Straub."""
    rows = real_rows("hachemeister_credibility.csv")
    claims = column(rows, "claims")
    figures = tally(
        kind="mean",
        person=column(rows, "state", int) - 1,
        n=claims,
        total=claims * column(rows, "mean_claim"),
        period=column(rows, "quarter", int),
    )
    group = np.zeros(5, int)
    sigma2, _ = pooled_noise(figures, group=group, groups=1, yardstick=figures.observed)
    v = sigma2[0] / figures.n
    tau2 = moment_variance(y=figures.y, v=v, group=group, groups=1)[0]
    assert sigma2[0] == pytest.approx(139_120_026, abs=1)
    assert tau2 == pytest.approx(89_639, abs=1)
    assert np.average(figures.y, weights=1 / (v + tau2)) == pytest.approx(1684, abs=1)
    assert rank_metric(figures, direction="lower").sigma2 == pytest.approx(sigma2)


def test_eight_agents_whom_nothing_tells_apart(real):
    """The "top" and "weak" agents of many a dashboard differ by nothing but luck."""
    book = CalamineWorkbook.from_path(real("call_centre_calls.xlsx"))
    table = [row[-10:] for row in book.get_sheet_by_index(0).to_python() if row[-10]]
    head, calls = table[0], [row for row in table[1:] if row[5] == "Y"]
    assert head[5].startswith("Answered")
    agents = sorted({call[1] for call in calls})
    person = [agents.index(call[1]) for call in calls]
    rating = np.array([float(call[9]) for call in calls])
    solved = np.array([call[6] == "Y" for call in calls], float)
    talk = np.array([60 * call[8].minute + call[8].second for call in calls], float)
    each = {"person": person, "n": np.ones(len(calls))}
    rankings = [
        rank_metric(tally(kind="mean", total=rating, sumsq=rating**2, **each), direction="higher"),
        rank_metric(tally(kind="proportion", total=solved, **each), direction="higher"),
        rank_metric(tally(kind="duration", total=talk, sumsq=talk**2, **each), direction="lower"),
    ]
    whole = composite(rankings, weights=[1, 1, 1])
    assert len(agents) == 8
    assert [ranking.tau2_plug_in[0] for ranking in rankings] == [0, 0, 0]
    for ranking in (*rankings, whole):
        assert set(ranking.band) == {Band.CANNOT_TELL}
    assert whole.p_low.max() == pytest.approx(0.34, abs=0.005)


def test_lecturers_at_the_top_by_luck_and_by_skill(real_rows):
    """Raw, the best twenty are those whom three students rated; shrunken, they are not."""
    rows = [row for row in real_rows("lecturer_ratings.csv") if int(row["lectage"]) >= 3]
    _, person = np.unique(column(rows, "d", int), return_inverse=True)
    rating = column(rows, "y")
    figures = tally(
        kind="mean", person=person, n=np.ones(rating.size), total=rating, sumsq=rating**2
    )
    ranking = rank_metric(figures, direction="higher")

    def top(values):
        return np.median(figures.n[np.argsort(-values, kind="stable")[:20]])

    assert top(figures.y) == 3
    assert top(ranking.theta) == pytest.approx(27, abs=0.5)


def test_ratings_of_people_scatter_more_than_their_noise(real_rows):
    rows = real_rows("lecturer_ratings.csv")
    _, person = np.unique(column(rows, "d", int), return_inverse=True)
    rating = column(rows, "y")
    figures = tally(
        kind="mean", person=person, n=np.ones(rating.size), total=rating, sumsq=rating**2,
        period=column(rows, "lectage", int),
    )  # fmt: skip
    assert rank_metric(figures, direction="higher").phi[0] == pytest.approx(1.8, abs=0.05)
