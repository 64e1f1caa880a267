from datetime import timedelta

import pytest

from coaching.models import Event, Ranking
from coaching.services import rankings
from tests import factories
from tests.conftest import NOW


def test_a_scorecard_is_proposed_changed_and_ranked(mara_api, team, crew, other_metric):
    answer = mara_api.post("/api/v1/scorecards/", {"team": team.public_id})
    assert answer.status_code == 201
    where = answer["Location"]
    assert answer.json()["weights"] == [
        {"metric": {"key": "csat", "name": "Customer satisfaction"}, "weight": 1.0}
    ]
    assert answer.json()["latest_ranking"] is None

    weights = [{"metric": "csat", "weight": 2}, {"metric": "resolution", "weight": 0}]
    changed = mara_api.patch(
        where,
        {
            "name": "Voice",
            "weights": weights,
            "peers_by": ["site"],
            "weeks": 6,
            "policy": "quota",
            "q": 0.2,
            "minimum_n": 5,
            "version": 1,
        },
    ).json()
    assert (changed["q"], changed["minimum_n"], changed["version"]) == (0.2, 5, 2)
    assert (changed["name"], changed["weeks"], changed["policy"]) == ("Voice", 6, "quota")
    assert changed["peers_by"] == ["site"]
    assert [(row["metric"]["key"], row["weight"]) for row in changed["weights"]] == [
        ("csat", 2.0), ("resolution", 0.0),
    ]  # fmt: skip
    assert Event.objects.filter(verb="scorecard changed").exists()

    ranked = mara_api.post(f"{where}rank/")
    assert ranked.status_code == 201
    assert ranked.json()["settings"].keys() >= {"version", "left_out", "small_groups"}
    assert "notes" not in ranked.json()["settings"]
    assert mara_api.get(where).json()["latest_ranking"] == ranked.json()["id"]
    assert mara_api.get(ranked["Location"]).json()["yardsticks"][0]["people"] == 20


def test_metrics_that_are_left_out_do_not_count_any_more(mara_api, ranked, other_metric):
    where = f"/api/v1/scorecards/{ranked.scorecard.public_id}/"
    changed = mara_api.patch(where, {"weights": [{"metric": "resolution", "weight": 1}]}).json()
    assert [row["metric"]["key"] for row in changed["weights"]] == ["resolution"]
    answer = mara_api.post(f"{where}rank/")
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:lanemate:no-readings"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "  "}, "#/name"),
        ({"weeks": 0}, "#/weeks"),
        ({"weeks": 1.5}, "#/weeks"),
        ({"policy": "gut"}, "#/policy"),
        ({"q": 0.6}, "#/q"),
        ({"minimum_n": -1}, "#/minimum_n"),
        ({"subject": "teams"}, "#/subject"),
        ({"version": 7}, "#/version"),
        ({"peers_by": ["salary"]}, "#/peers_by/0"),
        ({"peers_by": ["role", "role"]}, "#/peers_by"),
        ({"weights": [{"metric": "csat", "weight": -1}]}, "#/weights/0/weight"),
        ({"weights": [{"metric": "unknown", "weight": 1}]}, "#/weights/0/metric"),
        ({"weights": [{"metric": "csat", "weight": 0}]}, "#/weights"),
        ({"weights": []}, "#/weights"),
        ({"weights": [{"metric": "csat", "weight": 1}] * 2}, "#/weights"),
    ],
)
def test_a_change_that_makes_no_sense_is_told_where(mara_api, ranked, change, pointer):
    answer = mara_api.patch(f"/api/v1/scorecards/{ranked.scorecard.public_id}/", change)
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    ranked.scorecard.refresh_from_db()
    assert ranked.scorecard.weights.get().weight == 1


def test_a_team_without_readings_has_no_scorecard(mara_api, team):
    answer = mara_api.post("/api/v1/scorecards/", {"team": team.public_id})
    assert answer.status_code == 400
    assert "Import an export first" in answer.json()["detail"]


def test_only_teams_one_manages_get_a_scorecard(mara_api, other_team):
    answer = mara_api.post("/api/v1/scorecards/", {"team": other_team.public_id})
    assert answer.json()["errors"][0]["pointer"] == "#/team"


def test_standings_are_filtered_and_ordered(mara_api, ranked, crew):
    where = f"/api/v1/rankings/{ranked.ranking.public_id}/standings/"
    assert mara_api.get(where).json()["count"] == 40
    weak = mara_api.get(f"{where}?metric=csat&band=weak&ordering=-p_low").json()
    assert weak["count"] == 5
    assert {row["person"]["name"] for row in weak["results"]} == {p.name for p in crew[:5]}
    chances = [row["p_low"] for row in weak["results"]]
    assert chances == sorted(chances, reverse=True)
    overall = mara_api.get(f"{where}?metric=overall").json()["results"]
    assert {row["metric"] for row in overall} == {None}
    found = mara_api.get(f"{where}?search={crew[0].name.upper()}&metric=csat").json()["results"]
    assert found[0]["estimate"]["value"] == pytest.approx(3.0, abs=0.2)
    assert found[0]["estimate"]["text"].startswith(("3.", "2.9"))
    elsewhere = factories.make_team("Elsewhere")
    assert mara_api.get(f"{where}?team={elsewhere.public_id}").json()["count"] == 0
    assert mara_api.get(f"{where}?band=best").status_code == 400
    assert mara_api.get(f"{where}?ordering=person__email").status_code == 400


def test_durations_are_told_in_seconds(mara_api, team, mara, now):
    time = factories.make_metric("handle-time", kind="duration", direction="lower")
    for number in range(8):
        person = factories.make_person(team=team)
        factories.add_reading(person, time, now.date(), mean=300 + 10 * number, n=50, sd=100)
    card = factories.make_scorecard(team, time)
    rankings.run(scorecard=card, by=mara, now=now)
    where = f"/api/v1/rankings/{Ranking.objects.get().public_id}/"
    mean = mara_api.get(where).json()["yardsticks"][0]["mean"]
    assert 280 < mean["value"] < 400
    assert mean["text"].endswith("min")


def test_nobody_of_a_peer_group_under_five_is_listed(mara_api, mara, team, csat):
    agents = [factories.make_person(team=team) for _ in range(8)]
    trainers = [factories.make_person(team=team, role="Trainer") for _ in range(4)]
    for number, person in enumerate([*agents, *trainers]):
        factories.add_reading(person, csat, NOW.date() - timedelta(weeks=1), mean=3 + number / 10)
    card = factories.make_scorecard(team, csat, peers_by=["role"])
    ranking = rankings.run(scorecard=card, by=mara, now=NOW)
    for address in ("", "?metric=csat", "?metric=overall"):
        rows = mara_api.get(f"/api/v1/rankings/{ranking.public_id}/standings/{address}").json()
        assert {row["group"] for row in rows["results"]} == {"Agent"}, address
