import pytest

from coaching.models import Cohort, Pair
from coaching.services import launches
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
        "waiting": 0,
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
    out = {"person": person, "change": "out", "reason": "On leave"}
    told = mara_api.post(f"{where}members/", out).json()
    assert [(row["person"]["id"], row["reason"]) for row in told["left_out"]] == [
        (person, "On leave")
    ]
    assert told["matched"] == 4
    told = mara_api.post(
        f"{where}members/", {"person": person, "change": "in", "reason": "Back"}
    ).json()
    assert (told["left_out"], told["matched"]) == ([], 5)

    middle = crew[7].public_id
    answer = mara_api.post(
        f"{where}members/", {"person": middle, "change": "in", "reason": "Asked"}
    )
    assert answer.status_code == 400
    assert "learn or coach" in answer.json()["detail"]
    answer = mara_api.post(
        f"{where}members/", {"person": middle, "change": "in", "side": "learner", "reason": "Asked"}
    )
    assert answer.status_code == 200


def test_people_of_another_team_cannot_be_taken_in(mara_api, where, otto):
    answer = mara_api.post(
        f"{where}members/",
        {"person": otto.public_id, "change": "in", "side": "coach", "reason": "Good"},
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
    launches.launch(plan=ranked.plan, by=mara, now=now)
    answer = mara_api.post(f"/api/v1/cohorts/{ranked.cohort.public_id}/plan/")
    assert answer.status_code == 409
    assert ranked.cohort.plans.count() == 1


def test_cohorts_are_filtered_by_state(mara_api, ranked, team, csat, now):
    factories.make_cohort(team, csat, now=now, state="closed")
    found = mara_api.get("/api/v1/cohorts/?state=closed").json()["results"]
    assert [row["state"] for row in found] == [Cohort.State.CLOSED]


# -- wishes, prices and steps ------------------------------------------------------------------


def test_wishes_are_changed_and_taken_back(mara_api, plan, where):
    told = mara_api.patch(f"{where}wishes/", {"floor": 10, "lot": 4}, format="json").json()
    assert (told["floor"], told["lot"], told["step"]) == (10, 4, 2)
    assert told["preferences"] == plan["preferences"]
    told = mara_api.patch(f"{where}wishes/", {"lot": None}, format="json").json()
    assert (told["floor"], told["lot"]) == (10, None)
    told = mara_api.post(f"{where}undo/").json()
    assert (told["floor"], told["lot"]) == (10, 4)
    told = mara_api.post(f"{where}undo/").json()
    assert (told["floor"], told["lot"]) == (0, None)
    again = mara_api.post(f"{where}undo/")
    assert (again.status_code, again.json()["type"]) == (409, "urn:lanemate:nothing-to-undo")
    assert mara_api.post(f"{where}redo/").json()["lot"] == 4
    steps = mara_api.get(f"{where}steps/").json()
    assert [(step["number"], step["here"]) for step in steps] == [
        (1, False), (2, True), (3, False),
    ]  # fmt: skip
    assert steps[1]["what"] == "No pair below 10; The lot 4 draws who waits"
    assert steps[1]["by"]["name"] == "Mara Lindqvist"


def test_a_refused_wish_points_at_its_field(mara_api, where):
    answer = mara_api.patch(f"{where}wishes/", {"preferences": {"star": 1}}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/preferences"


def test_who_is_too_late_is_told_who_was_quicker(mara_api, plan, where):
    seen = {"If-Match": f'"{plan["revision"]}"'}
    mara_api.patch(f"{where}wishes/", {"floor": 5}, format="json")
    answer = mara_api.post(f"{where}undo/", headers=seen)
    assert answer.status_code == 412
    assert "Mara Lindqvist changed this plan" in answer.json()["detail"]
    assert "No pair below 5" in answer.json()["detail"]


def test_prices_are_what_a_pin_then_costs(mara_api, plan, where):
    pair = plan["pairs"][0]
    told = mara_api.get(f"{where}prices/{pair['learner']['id']}/").json()
    assert told["offers"][0]["here"]
    assert told["offers"][0]["coach"] == pair["coach"]
    offer = next(one for one in told["offers"] if one["possible"] and not one["here"])
    assert offer["moves"][0] == {
        "learner": pair["learner"], "before": pair["coach"], "after": offer["coach"],
    }  # fmt: skip
    rule = {"kind": "pin", "learner": pair["learner"]["id"], "coach": offer["coach"]["id"]}
    price = mara_api.post(f"{where}rules/price/", rule).json()
    assert (price["lost_seats"], price["lost_score"], price["refused"]) == (
        offer["lost_seats"], offer["lost_score"], "",
    )  # fmt: skip
    assert mara_api.get(where).json()["rules"] == []
    pinned = mara_api.post(f"{where}rules/", rule).json()
    assert pinned["total"] == plan["total"] - offer["lost_score"]
    moves = mara_api.get(f"{where}steps/").json()[-1]["moves"]
    assert moves[0]["why"]


def test_two_pairs_are_swapped(mara_api, plan, where):
    one = plan["pairs"][0]
    other = next(row for row in plan["pairs"] if row["coach"] != one["coach"])
    both = {"one": one["id"], "other": other["id"]}
    price = mara_api.post(f"{where}swap/price/", both).json()
    told = mara_api.post(f"{where}swap/", both).json()
    assert told["total"] == plan["total"] - price["lost_score"]
    coach = {row["learner"]["id"]: row["coach"]["id"] for row in told["pairs"]}
    assert coach[one["learner"]["id"]] == other["coach"]["id"]
    # The swapped pairs are others now; one that stays keeps its id.
    stays = {row["id"] for row in plan["pairs"]} & {row["id"] for row in told["pairs"]}
    assert stays
    assert not stays & {one["id"], other["id"]}
    strange = mara_api.post(f"{where}swap/", {"one": stays.pop(), "other": "zzzzzzzzzzzz"})
    assert strange.json()["errors"][0]["pointer"] == "#/other"


def test_a_copy_is_compared_and_dropped(mara_api, plan, where):
    answer = mara_api.post(f"{where}copy/", {"name": "Plan B"})
    assert (answer.status_code, answer.json()["name"]) == (201, "Plan B")
    other = answer["Location"]
    pair = plan["pairs"][0]
    rule = {"learner": pair["learner"]["id"], "coach": pair["coach"]["id"]}
    mara_api.post(f"{other}rules/", {"kind": "forbid", **rule})
    told = mara_api.get(f"{where}compare/{answer.json()['id']}/").json()
    assert pair["learner"] in [row["learner"] for row in told["differences"]]
    assert {"what": "Kept apart", "one": "0", "other": "1"} in told["figures"]
    assert sum(row["one_matched"] for row in told["sites"]) == plan["matched"]
    assert mara_api.patch(other, {"name": "C"}, format="json").json()["name"] == "C"
    assert mara_api.delete(other).status_code == 204
    last = mara_api.delete(where)
    assert (last.status_code, last.json()["type"]) == (409, "urn:lanemate:only-plan")


def test_floors_are_told(mara_api, plan, where):
    floors = mara_api.get(f"{where}floors/").json()
    assert [row["floor"] for row in floors if row["here"]] == [0]
    assert floors[0]["matched"] == plan["matched"]


def test_a_cohort_is_selected_again(mara_api, ranked, where):
    answer = mara_api.post(
        f"/api/v1/cohorts/{ranked.cohort.public_id}/select/", {"policy": "quota", "quota": 2}
    )
    assert answer.status_code == 200
    sides = [member["side"] for member in answer.json()["members"]]
    assert (sides.count("learner"), sides.count("coach")) == (2, 2)
    assert mara_api.get(where).json()["matched"] == 2


def test_nobody_learns_and_coaches_one_skill(mara_api, mara, ranked, plan, where, csat, now, team):
    """A pair launched elsewhere between the solving and the launch of this plan."""
    coach = ranked.plan.draft_pairs.select_related("coach").first().coach
    other = factories.make_cohort(team, csat, now=now)
    factories.make_pair(coach, factories.make_person(team=team), metric=csat, cohort=other, now=now)
    answer = mara_api.post(f"{where}launch/", {"revision": plan["revision"]})
    assert answer.status_code == 409
    assert f"{coach.name} would coach Customer satisfaction here" in answer.json()["detail"]
    quality = factories.make_metric("quality")
    type(other.pairs.get()).objects.filter(cohort=other).update(metric=quality)
    told = mara_api.get(where).json()["warnings"]
    assert [coach.name in sentence and "That is allowed" in sentence for sentence in told] == [True]
    assert mara_api.post(f"{where}launch/", {"revision": plan["revision"]}).status_code == 200


def test_a_large_plan_is_solved_in_the_background(mara_api, plan, where, monkeypatch):
    woken = []
    monkeypatch.setattr("coaching.services.plans.steps.MOST_AT_ONCE", 1)
    monkeypatch.setattr("coaching.engine.wake", lambda: woken.append(True))
    told = mara_api.post(f"{where}solve/").json()
    assert told["queued_at"]
    assert woken == [True]
    launch = mara_api.post(f"{where}launch/", {"revision": told["revision"]})
    assert (launch.status_code, launch.json()["type"]) == (409, "urn:lanemate:being-solved")
