"""Stored readings become a ranking that is kept as it was."""

from datetime import timedelta

import pytest

from coaching.domain import cadence
from coaching.models import Band, Metric, Reading, Standing
from coaching.services import rankings, scorecards
from tests import factories
from tests.conftest import NOW
from tests.services.conftest import LAST_WEEK


def bands(ranking, metric=None) -> dict[str, int]:
    found = list(ranking.standings.filter(metric=metric).values_list("band", flat=True))
    return {band: found.count(band) for band in set(found)}


def test_the_first_scorecard_holds_everything_that_was_imported(crew, team, mara, csat, quality):
    factories.make_metric("never-read")
    scorecard = scorecards.default_scorecard(team=team, by=mara, now=NOW)
    assert set(scorecard.metrics.all()) == {csat, quality}
    assert {row.weight for row in scorecard.weights.all()} == {1}
    assert (scorecard.peers_by, scorecard.weeks, scorecard.policy) == (["role"], 13, "evidence")


def test_without_roles_everybody_is_a_peer(crew, team, mara):
    type(mara).objects.update(role="")
    assert scorecards.default_scorecard(team=team, by=mara, now=NOW).peers_by == []


def test_without_readings_there_is_nothing_to_rank(team, mara, csat):
    with pytest.raises(scorecards.NoReadings):
        scorecards.default_scorecard(team=team, by=mara, now=NOW)
    with pytest.raises(scorecards.NoReadings):
        rankings.run(scorecard=factories.make_scorecard(team, csat), by=mara, now=NOW)


def test_without_weights_there_is_nothing_to_rank(crew, team, mara, csat):
    scorecard = factories.make_scorecard(team, csat)
    scorecard.weights.update(weight=0)
    with pytest.raises(scorecards.NoWeight):
        rankings.run(scorecard=scorecard, by=mara, now=NOW)


def test_the_ends_are_labelled_and_the_middle_is_left_alone(ranking, crew):
    standings = {row.person: row for row in ranking.standings.filter(metric=None)}
    assert len(standings) == 24
    assert standings[crew[0]].band == Band.WEAK
    assert standings[crew[-1]].band == Band.STRONG
    assert standings[crew[12]].band == Band.MIDDLE
    assert 3 <= bands(ranking)[Band.WEAK] <= 6
    assert 3 <= bands(ranking)[Band.STRONG] <= 6
    # In order, and shrunk toward each other.
    zs = [standings[person].z for person in crew]
    assert zs[0] < zs[8] < zs[16] < zs[-1]


def test_a_yardstick_is_kept_for_the_targets(ranking, csat):
    yardstick = ranking.yardsticks.get()
    assert (yardstick.metric, yardstick.group, yardstick.people) == (csat, "Agent", 24)
    assert yardstick.low_cut < yardstick.mean == pytest.approx(3.75, abs=0.02)
    assert yardstick.mean < yardstick.top_quartile < 4.5
    assert yardstick.tau2 > 0


def test_nobody_is_labelled_in_a_group_of_seven(fill, team, mara, csat):
    fill(team, 7)
    ranking = rankings.run(scorecard=factories.make_scorecard(team, csat), by=mara, now=NOW)
    assert bands(ranking) == bands(ranking, csat) == {Band.TOO_SMALL: 7}


def test_peers_are_ranked_among_themselves(fill, team, mara, csat):
    fill(team, 12)
    fill(team, 7, role="Specialist")
    scorecard = factories.make_scorecard(team, csat, peers_by=["role"])
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert set(ranking.yardsticks.values_list("group", "people")) == {
        ("Agent", 12), ("Specialist", 7),
    }  # fmt: skip
    specialists = ranking.standings.filter(metric=None, group="Specialist")
    assert {row.band for row in specialists} == {Band.TOO_SMALL}


def test_the_longest_peer_group_fits(fill, team, mara, csat):
    crew = fill(team, 8)
    longest = {name: name[0] * 100 for name in ("role", "site", "shift", "language")}
    type(mara).objects.filter(pk__in=[person.pk for person in crew]).update(**longest)
    scorecard = factories.make_scorecard(team, csat, peers_by=list(longest))
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert len(ranking.yardsticks.get().group) == 409
    ranking.yardsticks.get().full_clean()


# -- the window ----------------------------------------------------------------------------


def test_the_newest_weeks_with_readings_count(team, mara, csat):
    lea = factories.make_person("Lea", team=team)
    for week in (0, 12, 13, 30):
        factories.add_reading(lea, csat, LAST_WEEK - week * cadence.WEEK, mean=3)
    scorecard = factories.make_scorecard(team, csat)
    assert rankings.window_of(scorecard) == (LAST_WEEK - 12 * cadence.WEEK, LAST_WEEK)
    scorecard.weeks = 1
    assert rankings.window_of(scorecard) == (LAST_WEEK, LAST_WEEK)
    # What is older than a holiday of the whole team still counts.
    Reading.objects.filter(period__gt=LAST_WEEK - 20 * cadence.WEEK).delete()
    old = LAST_WEEK - 30 * cadence.WEEK
    assert rankings.window_of(scorecard) == (old, old)


def test_readings_outside_the_window_change_nothing(crew, team, mara, csat):
    scorecard = factories.make_scorecard(team, csat, weeks=4)
    one = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    Reading.objects.filter(period__lte=LAST_WEEK - 4 * cadence.WEEK).update(sum=1, sumsq=None)
    other = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    fields = ("person", "metric", "estimate", "se", "band")
    assert list(one.standings.values_list(*fields)) == list(other.standings.values_list(*fields))


def test_teams_below_are_ranked_too_and_others_not(fill, team, other_team, mara, csat):
    below = factories.make_team("Dock", parent=team)
    crew = fill(below, 9)
    fill(other_team, 9)
    ranking = rankings.run(scorecard=factories.make_scorecard(team, csat), by=mara, now=NOW)
    assert {row.person for row in ranking.standings.all()} == set(crew)


def test_who_has_left_is_not_ranked(crew, team, mara, csat):
    type(mara).objects.filter(pk=crew[0].pk).update(active=False)
    ranking = rankings.run(scorecard=factories.make_scorecard(team, csat), by=mara, now=NOW)
    assert not ranking.standings.filter(person=crew[0]).exists()


def test_a_ranking_stays_as_it_was(ranking, crew, csat):
    before = list(ranking.standings.values_list("person", "estimate", "band"))
    factories.add_reading(crew[0], csat, LAST_WEEK, mean=5, n=1000)
    assert list(ranking.standings.values_list("person", "estimate", "band")) == before


def test_a_metric_without_spread_says_so_in_words_or_labels_nobody(team, mara):
    metric = factories.make_metric("flat", lower=1, upper=5)
    for _ in range(10):
        person = factories.make_person(team=team)
        for week in range(4):
            factories.add_reading(person, metric, LAST_WEEK - week * cadence.WEEK, mean=3, sd=0.0)
    ranking = rankings.run(scorecard=factories.make_scorecard(team, metric), by=mara, now=NOW)
    assert not set(bands(ranking)) & {Band.WEAK, Band.STRONG}


@pytest.mark.parametrize("kind", Metric.Kind.values)
@pytest.mark.parametrize("direction", Metric.Direction.values)
def test_every_kind_of_metric_is_ranked_in_its_direction(team, mara, kind, direction):
    metric = factories.make_metric(f"{kind}-{direction}", kind=kind, direction=direction)
    crew = [factories.make_person(team=team) for _ in range(16)]
    for place, person in enumerate(crew):
        for week in range(6):
            factories.add_reading(
                person, metric, LAST_WEEK - timedelta(weeks=week),
                mean=0.3 + 0.03 * place + 0.01 * ((place + week) % 2), n=200, sd=0.2,
            )  # fmt: skip
    ranking = rankings.run(scorecard=factories.make_scorecard(team, metric), by=mara, now=NOW)
    weak = crew[0] if direction == "higher" else crew[-1]
    strong = crew[-1] if direction == "higher" else crew[0]
    standing = {row.person: row for row in ranking.standings.filter(metric=metric)}
    assert standing[weak].band == Band.WEAK
    assert standing[strong].band == Band.STRONG
    assert standing[weak].z < 0 < standing[strong].z
    assert metric.in_units(standing[crew[0]].estimate) == pytest.approx(0.3, abs=0.03)
    assert Standing.objects.filter(p_low__gt=1).count() == 0
