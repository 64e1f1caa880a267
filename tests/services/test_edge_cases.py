"""Figures that mislead, from stored readings to stored standings: no traceback, no label."""

import numpy as np
import pytest

from coaching.domain import cadence
from coaching.errors import CoachingError
from coaching.models import Band, Person, Reading, Scorecard, Standing
from coaching.services import cohorts, rankings
from tests import factories
from tests.conftest import NOW
from tests.services.conftest import LAST_WEEK

LABELS = {Band.WEAK, Band.STRONG, Band.LEANING_WEAK, Band.LEANING_STRONG}


@pytest.fixture
def scorecard(team, csat) -> Scorecard:
    return factories.make_scorecard(team, csat)


@pytest.fixture
def add(team):
    """Somebody with one week of readings: n, sum and perhaps the sum of squares."""

    def add_one(metric, n: float, total: float, sumsq: float | None = None) -> Person:
        person = factories.make_person(team=team)
        Reading.objects.create(
            person=person, metric=metric, period=LAST_WEEK, n=n, sum=total, sumsq=sumsq
        )
        return person

    return add_one


@pytest.fixture
def others(add, csat) -> list[Person]:
    """Forty people around 4.3 with 100 surveys each and a spread of 0.9 within each."""
    means = 4.3 + 0.2 * np.random.default_rng(4).standard_normal(40)
    return [add(csat, 100, 100 * mean, 100 * (mean**2 + 0.81)) for mean in means]


def rank(scorecard, mara) -> dict[Person, Standing]:
    """Everybody's standing on the scorecard's first metric."""
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    metric = scorecard.metrics.order_by("scorecardmetric").first()
    return {row.person: row for row in ranking.standings.filter(metric=metric)}


def overall(person: Person) -> Standing:
    return person.standings.get(metric=None)


def test_who_was_never_measured_on_a_metric_is_an_average_peer_at_most(
    scorecard, others, add, quality, csat, mara
):
    scorecard.weights.create(metric=quality)
    lea = add(quality, 10, 800, 10 * (80**2 + 49))
    for place, person in enumerate(others[:10]):
        factories.add_reading(person, quality, LAST_WEEK, mean=78 + place, sd=7)
    standing = rank(scorecard, mara)[lea]
    assert (standing.n, standing.raw, standing.reliability, standing.z) == (0, None, 0, 0)
    yardstick = standing.ranking.yardsticks.get(metric=csat)
    assert standing.estimate == pytest.approx(yardstick.mean)
    assert standing.se**2 > yardstick.tau2 > 0
    assert {standing.band, overall(lea).band} == {Band.CANNOT_TELL}


def test_three_perfect_surveys_do_not_beat_seventy_good_ones(scorecard, others, add, csat, mara):
    perfect, proven = add(csat, 3, 15, 75), add(csat, 70, 315, 70 * (4.5**2 + 0.81))
    standings = rank(scorecard, mara)
    assert standings[perfect].raw == 5
    assert standings[perfect].estimate < standings[proven].estimate
    assert standings[perfect].se > standings[proven].se > 0
    assert standings[perfect].reliability < 0.3
    assert {standings[perfect].band, overall(perfect).band} == {Band.CANNOT_TELL}


@pytest.mark.parametrize(
    ("kind", "figures"),
    [
        ("mean", (30, 120, 30 * (16 + 0.81))),
        ("proportion", (30, 30, None)),
        ("proportion", (30, 0, None)),
        ("rate", (30, 0, None)),
        ("duration", (30, 9000, 30 * (300**2 + 100**2))),
    ],
)
def test_where_all_are_the_same_nobody_is_labelled(team, add, mara, kind, figures):
    metric = factories.make_metric(kind, kind=kind)
    for _ in range(12):
        add(metric, *figures)
    standings = rank(factories.make_scorecard(team, metric), mara).values()
    assert len({(row.estimate, row.se, row.p_low) for row in standings}) == 1
    assert all(row.se > 0 for row in standings)
    assert not {row.band for row in Standing.objects.all()} & LABELS


def test_the_same_figures_get_the_same_standing(scorecard, others, add, csat, mara):
    twins = [add(csat, 25, 110, 25 * (4.4**2 + 0.81)) for _ in range(3)]
    first, *rest = (rank(scorecard, mara)[twin] for twin in twins)
    for other in rest:
        assert (other.group, other.band) == (first.group, first.band)
        for name in ("n", "raw", "estimate", "se", "z", "p_low", "p_high", "rank_low", "rank_high"):
            assert getattr(other, name) == pytest.approx(getattr(first, name), rel=1e-12)


@pytest.mark.parametrize("number", [1, 2, 7])
def test_few_people_are_shown_but_not_labelled(scorecard, add, csat, mara, number):
    for place in range(number):
        add(csat, 400, 400 * (3 + 0.3 * place), 400 * ((3 + 0.3 * place) ** 2 + 0.5))
    standings = rank(scorecard, mara)
    assert {row.band for row in Standing.objects.all()} == {Band.TOO_SMALL}
    assert all(row.estimate > 2.9 for row in standings.values())
    ranking = next(iter(standings.values())).ranking
    assert ranking.settings["small_groups"] == (
        f"Only {number} of them {'has' if number == 1 else 'have'} readings. Below 8 nobody is "
        "labelled: rank a larger team."
    )


def test_without_any_noise_the_values_stand_as_they_are(scorecard, add, csat, mara):
    for place in range(12):
        mean = 3 + 0.125 * place
        add(csat, 8, 8 * mean, 8 * mean**2)
    for standing in rank(scorecard, mara).values():
        assert (standing.estimate, standing.se) == (standing.raw, 0)


def test_a_value_that_cannot_be_believed_is_checked_and_never_selected(
    scorecard, others, add, csat, mara
):
    typo = add(csat, 30, 30 * 0.5, 30 * (0.25 + 0.81))
    scorecard.policy = Scorecard.Policy.QUOTA
    scorecard.save()
    standings = rank(scorecard, mara)
    assert {standings[typo].band, overall(typo).band} == {Band.CHECK}
    assert standings[typo].raw == 0.5
    mean = np.mean([standings[one].raw for one in others])
    assert standings[typo].ranking.yardsticks.get().mean == pytest.approx(mean, abs=0.01)
    # Even where the lowest are taken whatever the evidence.
    cohort = cohorts.create(
        ranking=standings[typo].ranking, name="Autumn", target_form="gap_top",
        test_date=(NOW + 8 * cadence.WEEK).date(), by=mara, now=NOW,
    )  # fmt: skip
    members = {member.person for member in cohort.members.all()}
    assert members
    assert typo not in members


def test_nothing_of_two_is_luck_and_nothing_of_two_hundred_is_not(team, add, mara):
    metric = factories.make_metric("resolved", kind="proportion")
    for share in np.linspace(0.5, 0.9, 30):
        add(metric, 100, round(100 * share))
    few, many = add(metric, 2, 0), add(metric, 200, 0)
    standings = rank(factories.make_scorecard(team, metric), mara)
    assert standings[few].reliability < 0.5
    assert standings[few].band == Band.CANNOT_TELL
    assert standings[many].band in {Band.WEAK, Band.CHECK}


def test_means_without_a_spread_are_refused_with_the_metrics_name(scorecard, add, csat, mara):
    for _ in range(10):
        add(csat, 10, 40)
    with pytest.raises(CoachingError, match="Customer satisfaction: The noise of a mean") as said:
        rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert "Give the sum of squares" in said.value.message
    assert not Standing.objects.exists()
