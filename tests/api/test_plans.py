import pytest

from coaching.models import Cohort, Pair
from coaching.services import cohorts
from tests import factories


@pytest.fixture
def plan(mara_api, ranked) -> dict:
    return mara_api.get(f"/api/v1/plans/{ranked.plan.public_id}/").json()


@pytest.fixture
def where(ranked) -> str:
    return f"/api/v1/plans/{ranked.plan.public_id}/"


def test_from_a_ranking_to_running_pairs(mara_api, ranked, mailoutbox):
    answer = mara_api.post(
        "/api/v1/cohorts/",
        {"ranking": ranked.ranking.public_id, "name": "Autumn", "test_date": "2027-05-01"},
    )
    assert answer.status_code == 201
    cohort = answer.json()
    assert (cohort["state"], cohort["target_form"]) == ("draft", "gap_top")
    assert [member["side"] for member in cohort["members"]].count("learner") == 5

    answer = mara_api.post(f"{answer['Location']}plan/")
    assert answer.status_code == 201
    plan, where = answer.json(), answer["Location"]
    assert answer["ETag"] == f'"{plan["revision"]}"'
    assert plan["matched"] == len(plan["pairs"]) == 5
    first = plan["pairs"][0]
    assert sum(part["points"] for part in first["parts"]) == first["score"]
    assert first["metric"]["key"] == "csat"
    assert first["learner"]["name"] in first["reason"]
    assert first["runner_up"]["coach"]["id"] != first["coach"]["id"]
    assert sum(row["load"] for row in plan["coaches"]) == 5

    answer = mara_api.post(f"{where}launch/", headers={"If-Match": answer["ETag"]})
    assert answer.status_code == 200
    assert answer.json()["state"] == "launched"
    running = mara_api.get(f"/api/v1/pairs/?cohort={cohort['id']}").json()
    assert running["count"] == 5
    told = mara_api.get(f"/api/v1/cohorts/{cohort['id']}/").json()
    assert told["pairs"] == {
        "total": 5, "on_track": 5, "at_risk": 0, "stuck": 0, "passed": 0, "ended": 0,
    }  # fmt: skip
    assert told["plans"] == [plan["id"]]


def test_a_launched_plan_is_not_launched_again(mara_api, plan, where):
    assert mara_api.post(f"{where}launch/", {"revision": plan["revision"]}).status_code == 200
    again = mara_api.post(f"{where}launch/", {"revision": plan["revision"]})
    assert again.status_code == 409
    assert again.json()["type"] == "urn:lanemate:already-launched"
    assert Pair.objects.count() == 5
    assert mara_api.post(f"{where}solve/").status_code == 409


def test_nothing_is_launched_unseen(mara_api, plan, where):
    answer = mara_api.post(f"{where}launch/", {})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/revision"


@pytest.mark.parametrize("tag", ['"999"', 'W/"0"', '"0", "1"', '"x"', '"-1"', "*"])
def test_a_plan_that_changed_meanwhile_is_not_launched(mara_api, where, tag):
    mara_api.post(f"{where}solve/")
    mara_api.post(f"{where}solve/")
    answer = mara_api.post(f"{where}launch/", headers={"If-Match": tag})
    assert answer.status_code == 412
    assert not Pair.objects.exists()


def test_a_change_under_a_stale_revision_changes_nothing(mara_api, plan, where):
    seats = {"coach": plan["coaches"][0]["coach"]["id"], "seats": 0}
    stale = {"If-Match": f'"{plan["revision"]}"'}
    first = mara_api.post(f"{where}seats/", seats, headers=stale)
    assert first.status_code == 200
    assert first["ETag"] != stale["If-Match"]
    second = mara_api.post(f"{where}seats/", {**seats, "seats": 4}, headers=stale)
    assert second.status_code == 412
    assert mara_api.get(where).json()["revision"] == first.json()["revision"]
    fresh = {"If-Match": first["ETag"]}
    assert mara_api.post(f"{where}seats/", {**seats, "seats": 4}, headers=fresh).status_code == 200


def test_rules_are_made_and_dropped(mara_api, plan, where):
    pair = plan["pairs"][0]
    names = {"learner": pair["learner"]["id"], "coach": pair["coach"]["id"]}
    told = mara_api.post(f"{where}rules/", {"kind": "forbid", **names}).json()
    assert [rule["kind"] for rule in told["rules"]] == ["forbid"]
    assert names not in [
        {"learner": row["learner"]["id"], "coach": row["coach"]["id"]} for row in told["pairs"]
    ]
    told = mara_api.post(f"{where}rules/", {"kind": "pin", **names}).json()
    assert [rule["kind"] for rule in told["rules"]] == ["pin"]
    assert [row["coach"]["id"] for row in told["pairs"] if row["pinned"]] == [names["coach"]]

    rule = f"{where}rules/{names['learner']}/{names['coach']}/"
    assert mara_api.delete(rule).json()["rules"] == []
    assert mara_api.delete(rule).status_code == 404


def test_a_refused_rule_changes_nothing(mara_api, plan, where):
    first, second = plan["pairs"][:2]
    coach = first["coach"]["id"]
    mara_api.post(f"{where}seats/", {"coach": coach, "seats": 1})
    for learner in (first["learner"]["id"], second["learner"]["id"]):
        answer = mara_api.post(
            f"{where}rules/", {"kind": "pin", "learner": learner, "coach": coach}
        )
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:lanemate:rules-contradict"
    assert len(mara_api.get(where).json()["rules"]) == 1


def test_a_rule_names_two_members(mara_api, plan, where, lea):
    learner = plan["pairs"][0]["learner"]["id"]
    own = mara_api.post(f"{where}rules/", {"kind": "pin", "learner": learner, "coach": learner})
    assert own.json()["errors"][0]["pointer"] == "#/coach"
    strange = {"kind": "pin", "learner": lea.public_id, "coach": plan["pairs"][0]["coach"]["id"]}
    assert mara_api.post(f"{where}rules/", strange).json()["errors"][0]["pointer"] == "#/learner"


def test_members_are_left_out_and_taken_in(mara_api, plan, where, crew):
    person = plan["pairs"][0]["learner"]["id"]
    out = {"person": person, "change": "out", "note": "On leave"}
    told = mara_api.post(f"{where}members/", out).json()
    assert [(row["person"]["id"], row["note"]) for row in told["left_out"]] == [
        (person, "On leave")
    ]
    assert told["matched"] == 4
    told = mara_api.post(f"{where}members/", {"person": person, "change": "in"}).json()
    assert (told["left_out"], told["matched"]) == ([], 5)

    middle = crew[7].public_id
    answer = mara_api.post(f"{where}members/", {"person": middle, "change": "in"})
    assert answer.status_code == 400
    assert "learn or coach" in answer.json()["detail"]
    answer = mara_api.post(
        f"{where}members/", {"person": middle, "change": "in", "side": "learner"}
    )
    assert answer.status_code == 200


def test_people_of_another_team_cannot_be_taken_in(mara_api, where, otto):
    answer = mara_api.post(
        f"{where}members/", {"person": otto.public_id, "change": "in", "side": "coach"}
    )
    assert answer.json()["errors"][0]["pointer"] == "#/person"


def test_without_seats_everybody_is_unpaired_with_a_reason(mara_api, plan, where):
    for row in plan["coaches"]:
        told = mara_api.post(f"{where}seats/", {"coach": row["coach"]["id"], "seats": 0}).json()
    assert told["pairs"] == []
    assert len(told["unpaired"]) == 5
    assert all(row["reason"] for row in told["unpaired"])
    answer = mara_api.post(f"{where}launch/", {"revision": told["revision"]})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:lanemate:nothing-to-launch")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"ranking": "zzzzzzzzzzzz"}, "#/ranking"),
        ({"test_date": "someday"}, "#/test_date"),
        ({"target_form": "moon"}, "#/target_form"),
    ],
)
def test_a_cohort_that_makes_no_sense_is_told_where(mara_api, ranked, change, pointer):
    good = {"ranking": ranked.ranking.public_id, "name": "Autumn", "test_date": "2027-05-01"}
    answer = mara_api.post("/api/v1/cohorts/", {**good, **change})
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("day", "refusal"), [("2027-03-10", "too-soon"), ("9999-12-31", "too-far")]
)
def test_a_test_before_the_core_ends_or_in_another_age_is_refused(mara_api, ranked, day, refusal):
    body = {"ranking": ranked.ranking.public_id, "name": "Now", "test_date": day}
    answer = mara_api.post("/api/v1/cohorts/", body)
    assert (answer.status_code, answer.json()["type"]) == (400, f"urn:lanemate:{refusal}")


def test_a_running_cohort_gets_no_further_plan(mara_api, ranked, mara, now):
    cohorts.launch(plan=ranked.plan, by=mara, now=now)
    answer = mara_api.post(f"/api/v1/cohorts/{ranked.cohort.public_id}/plan/")
    assert answer.status_code == 409
    assert ranked.cohort.plans.count() == 1


def test_cohorts_are_filtered_by_state(mara_api, ranked, team, csat, now):
    factories.make_cohort(team, csat, now=now, state="closed")
    found = mara_api.get("/api/v1/cohorts/?state=closed").json()["results"]
    assert [row["state"] for row in found] == [Cohort.State.CLOSED]
