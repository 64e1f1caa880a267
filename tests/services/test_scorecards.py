"""A scorecard is proposed, changed with every change logged, and refuses nonsense in words."""

import pytest

from coaching.models import Event, Person, Scorecard
from coaching.services import rankings, scorecards
from coaching.services.scorecards import NoReadings, ScorecardRefused
from tests import factories
from tests.conftest import NOW
from tests.services.conftest import LAST_WEEK


@pytest.fixture
def card(crew, team, mara) -> Scorecard:
    return scorecards.default_scorecard(team=team, by=mara, now=NOW)


@pytest.fixture
def change(card, mara):
    def change(**values) -> Scorecard:
        return scorecards.change_scorecard(scorecard=card, by=mara, now=NOW, **values)

    return change


def logged() -> list[Event]:
    return list(Event.objects.filter(verb="scorecard changed").order_by("pk"))


def test_every_change_is_logged_with_the_old_and_the_new_value(card, change, csat, quality, mara):
    change(q=0.2, weeks=8, weights={csat: 2.0}, name="Voice")
    card.refresh_from_db()
    assert (card.q, card.weeks, card.name, card.version) == (0.2, 8, "Voice", 2)
    (event,) = logged()
    assert (event.actor, event.subject_id, event.team) == (mara, card.public_id, card.team)
    assert event.details == {
        "version": 2,
        "changes": [
            {"field": "name", "old": "Harbour: all metrics", "new": "Voice"},
            {"field": "weeks", "old": 13, "new": 8},
            {"field": "q", "old": 0.25, "new": 0.2},
            {"field": "weight", "metric": "csat", "name": csat.name, "old": 1.0, "new": 2.0},
            {"field": "weight", "metric": "quality", "name": quality.name, "old": 1.0, "new": None},
        ],
    }
    assert [(row.metric, row.weight) for row in card.weights.all()] == [(csat, 2.0)]


def test_what_stays_the_same_is_no_change(card, change, csat, quality):
    same = {csat: 1.0, quality: 1.0}
    change(name=f" {card.name} ", weights=same, q=0.25, peers_by=["role"], subject="people")
    assert (card.version, logged()) == (1, [])


def test_the_same_peers_in_another_order_are_the_same_peers(card, change):
    change(peers_by=["site", "role"])
    change(peers_by=["role", "site"])
    assert (card.peers_by, card.version, len(logged())) == (["role", "site"], 2, 1)


def test_a_ranking_keeps_the_version_it_was_made_with(card, change, mara):
    ranking = rankings.run(scorecard=card, by=mara, now=NOW)
    change(q=0.1, minimum_n=30)
    assert (ranking.settings["version"], ranking.settings["q"]) == (1, 0.25)
    settings = scorecards.settings_of(card)
    assert (settings["version"], settings["q"], settings["minimum_n"]) == (2, 0.1, 30)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "x" * 121),
        ("q", 0.04),
        ("q", 0.51),
        ("q", float("nan")),
        ("minimum_n", -1),
        ("minimum_n", float("inf")),
        ("subject", "robots"),
        ("subject", "teams"),
        ("weeks", 0),
        ("weeks", 105),
        ("policy", "gut"),
        ("peers_by", ["salary"]),
        ("peers_by", ["role", "role"]),
        ("weights", {}),
    ],
)
def test_nonsense_is_refused_at_its_field_and_changes_nothing(card, change, field, value):
    with pytest.raises(ScorecardRefused) as refusal:
        change(**{"weeks": 5, field: value})
    assert refusal.value.field == field
    assert refusal.value.message.endswith((".", "!"))
    card.refresh_from_db()
    assert (card.version, card.weeks, logged()) == (1, 13, [])


@pytest.mark.parametrize("weight", [-1, 1001, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(card, change, csat, weight):
    with pytest.raises(ScorecardRefused, match="Customer satisfaction"):
        change(weights={csat: weight})


def test_two_managers_do_not_overwrite_each_other_unseen(card, change):
    change(weeks=6, version=1)
    with pytest.raises(ScorecardRefused, match="while you were looking") as refusal:
        change(weeks=9, version=1)
    assert refusal.value.field == "version"
    assert change(weeks=9, version=2).weeks == 9


def test_a_new_metric_comes_in_when_it_is_proposed_again(card, mara, crew):
    talk = factories.make_metric("talk-time", kind="duration", direction="lower")
    factories.add_reading(crew[0], talk, LAST_WEEK, mean=300, sd=80)
    scorecards.propose_again(scorecard=card, by=mara, now=NOW)
    assert talk in card.metrics.all()
    (event,) = logged()
    assert event.details["changes"][0]["new"] == 1.0
    scorecards.propose_again(scorecard=card, by=mara, now=NOW)
    assert len(logged()) == 1


def test_teams_are_ranked_with_teams_below_only(card, change, team, mara):
    factories.make_team("Quay", parent=team)
    with pytest.raises(ScorecardRefused) as refusal:
        change(subject="teams")
    assert refusal.value.field == "peers_by"
    assert change(subject="teams", peers_by=[]).subject == "teams"
    other = scorecards.default_scorecard(team=team, by=mara, now=NOW, subject="teams")
    assert (other.name, other.peers_by, other.metrics.count()) == ("Harbour: its teams", [], 2)


def test_segments_need_readings_of_their_own(crew, csat, team, mara):
    with pytest.raises(NoReadings, match="no customer segments"):
        scorecards.default_scorecard(team=team, by=mara, now=NOW, subject="segments")
    north = factories.make_person("North", team=team, email="", kind=Person.Kind.SEGMENT)
    factories.add_reading(north, csat, LAST_WEEK, mean=4)
    card = scorecards.default_scorecard(team=team, by=mara, now=NOW, subject="segments")
    assert (card.name, list(card.metrics.all())) == ("Harbour: customer segments", [csat])
