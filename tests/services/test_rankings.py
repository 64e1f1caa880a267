"""Stored readings become a ranking that is kept as it was."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from coaching.domain import cadence
from coaching.models import Band, Metric, Person, Reading, Standing, Team
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


# -- what is left out, and what is too little -----------------------------------------------


def test_a_metric_without_readings_is_left_out_and_the_ranking_says_so(crew, team, mara, csat):
    calls = factories.make_metric("calls", name="Calls")
    ranking = rankings.run(
        scorecard=factories.make_scorecard(team, csat, calls), by=mara, now=NOW
    )  # fmt: skip
    assert not ranking.standings.filter(metric=calls).exists()
    assert bands(ranking) == bands(ranking, csat)
    first = LAST_WEEK - 7 * cadence.WEEK
    assert ranking.settings["left_out"] == {
        "calls": f"Calls was left out: it has no readings in the weeks of {first} to {LAST_WEEK}. "
        "Import some, rank over more weeks, or take it off the scorecard."
    }


def test_who_has_too_few_observations_counts_as_not_measured(crew, team, mara, csat):
    lea = factories.make_person("Lea", team=team)
    factories.add_reading(lea, csat, LAST_WEEK, mean=1, n=319)
    scorecard = factories.make_scorecard(team, csat, minimum_n=320)
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    # The crew have exactly 320 each.
    assert ranking.yardsticks.get().people == 24
    standing = ranking.standings.get(person=lea, metric=csat)
    assert (standing.n, standing.raw, standing.band) == (0, None, Band.CANNOT_TELL)
    scorecard.minimum_n = 321
    with pytest.raises(rankings.TooLittle, match="nobody has 321 observations"):
        rankings.run(scorecard=scorecard, by=mara, now=NOW)


def test_only_unweighed_metrics_with_readings_are_not_enough(crew, team, mara, csat):
    scorecard = factories.make_scorecard(team, csat, factories.make_metric("calls"))
    scorecard.weights.filter(metric=csat).update(weight=0)
    with pytest.raises(rankings.TooLittle, match="Calls was left out"):
        rankings.run(scorecard=scorecard, by=mara, now=NOW)


def test_a_peer_group_of_one_is_named_and_gets_no_label(fill, team, mara, csat):
    fill(team, 12)
    alone = fill(team, 2, role="Specialist")[0]
    Reading.objects.filter(person__role="Specialist").exclude(person=alone).delete()
    scorecard = factories.make_scorecard(team, csat, peers_by=["role"])
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert {row.band for row in ranking.standings.filter(person=alone)} == {Band.TOO_SMALL}
    assert ranking.settings["small_groups"] == (
        "1 of 2 peer groups have fewer than 8 with readings (Specialist: 1). Nobody in them is "
        "labelled: let peers share fewer attributes, or rank a larger team."
    )


def test_a_peer_group_below_the_minimum_is_not_ranked_and_no_error(fill, team, mara, csat):
    crew = fill(team, 12)
    few = factories.make_person("Lea", team=team, role="Specialist")
    factories.add_reading(few, csat, LAST_WEEK, mean=4, n=2)
    scorecard = factories.make_scorecard(team, csat, peers_by=["role"], minimum_n=10)
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert {row.person for row in ranking.standings.all()} == set(crew)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("people", "Nobody works in Airfield or a team below it. Add people"),
        ("segments", "Airfield has no customer segments. Import readings by segment"),
        ("teams", "No team below Airfield has people. Rank the people of Airfield"),
    ],
)
def test_with_nobody_to_rank_it_says_what_to_do(crew, other_team, mara, csat, subject, said):
    scorecard = factories.make_scorecard(other_team, csat, subject=subject)
    with pytest.raises(rankings.NobodyToRank, match=said):
        rankings.run(scorecard=scorecard, by=mara, now=NOW)


# -- customer segments and teams ------------------------------------------------------------


def test_segments_are_ranked_among_themselves(fill, team, mara, csat):
    segments = fill(team, 9)
    Person.objects.filter(pk__in=[one.pk for one in segments]).update(
        kind=Person.Kind.SEGMENT, email="", user=None
    )
    fill(factories.make_team("Dock", parent=team), 9)
    scorecard = factories.make_scorecard(team, csat, subject="segments")
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert ranking.subject == "segments"
    assert {row.person for row in ranking.standings.all()} == set(segments)


@pytest.fixture
def docks(fill, team) -> list[Team]:
    """Nine teams of three, each better than the last."""
    docks = [factories.make_team(f"Dock {number}", parent=team) for number in range(9)]
    crew = fill(team, 27)
    for place, person in enumerate(crew):
        person.team = docks[place // 3]
    Person.objects.bulk_update(crew, ["team"])
    return docks


def test_a_team_stands_where_one_person_with_all_its_readings_would(docks, team, mara, csat):
    scorecard = factories.make_scorecard(team, csat, subject="teams", peers_by=["role"])
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert ranking.yardsticks.get().group == "everybody"
    fields = ("group", "n", "raw", "estimate", "se", "p_low", "rank_high", "band")
    teams = list(ranking.standings.order_by("metric", "team").values_list(*fields))
    assert len(teams) == 2 * 9

    for dock in docks:
        whole = factories.make_person(team=team)
        for week in range(8):
            period = LAST_WEEK - week * cadence.WEEK
            parts = Reading.objects.filter(person__team=dock, metric=csat, period=period)
            sums = parts.aggregate(n=Sum("n"), sum=Sum("sum"), sumsq=Sum("sumsq"))
            Reading.objects.create(person=whole, metric=csat, period=period, **sums)
    Person.objects.filter(team__in=docks).update(active=False)
    scorecard = factories.make_scorecard(team, csat)
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    wholes = ranking.standings.order_by("metric", "person").values_list(*fields)
    for one, other in zip(teams, wholes, strict=True):
        assert (one[0], one[-1]) == (other[0], other[-1])
        assert [x or 0 for x in one[1:-1]] == pytest.approx([x or 0 for x in other[1:-1]])


def test_the_people_above_the_teams_do_not_count(docks, team, mara, csat):
    scorecard = factories.make_scorecard(team, csat, subject="teams")
    factories.add_reading(mara, csat, LAST_WEEK, mean=1, n=500)
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    assert {row.team for row in ranking.standings.all()} == set(docks)


def test_squares_that_one_person_lacks_are_unknown_for_the_team(docks, team, mara, csat):
    scorecard = factories.make_scorecard(team, csat, subject="teams")
    Reading.objects.filter(person__team=docks[0], period=LAST_WEEK).update(sumsq=None)
    Reading.objects.filter(person__team=docks[1]).update(sumsq=None)
    ranking = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    # 0.8 within each person, and the differences between the people of a team.
    assert ranking.yardsticks.get().sigma2 == pytest.approx(0.64, rel=0.2)


# -- many, and in any order ------------------------------------------------------------------


def test_it_costs_the_same_number_of_queries_for_any_number(
    fill, team, mara, csat, quality, django_assert_max_num_queries
):
    scorecard = factories.make_scorecard(team, csat, quality, peers_by=["role"])
    for number in (8, 80):
        fill(factories.make_team(parent=team), number, weeks=2, role=f"Role {number}")
        with django_assert_max_num_queries(40):
            rankings.run(scorecard=scorecard, by=mara, now=NOW)


def test_the_order_in_which_readings_were_stored_changes_nothing(crew, team, mara, csat):
    scorecard = factories.make_scorecard(team, csat)
    one = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    rows = list(Reading.objects.all())
    Reading.objects.all().delete()
    for row in rows:
        row.pk = None
    Reading.objects.bulk_create(reversed(rows))
    other = rankings.run(scorecard=scorecard, by=mara, now=NOW)
    fields = ("person", "metric", "estimate", "se", "p_low", "rank_low", "band")
    assert set(one.standings.values_list(*fields)) == set(other.standings.values_list(*fields))
