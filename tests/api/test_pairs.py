"""A pair is told by role; nobody reads more than their part."""

import pytest

from coaching.models import Case, Look, Session

EVERYBODY = {
    "id", "side", "cohort", "learner", "coach", "metric", "state", "baseline", "target",
    "stretch", "test_date", "started_at", "passed_at", "ended_at", "last_session", "level",
    "next_step",
}  # fmt: skip
LEARNER = EVERYBODY | {"baseline_se", "target_formula", "state_since"}
MANAGER = LEARNER | {"score", "parts", "counts_from", "clocks_from", "revision"}


@pytest.fixture
def where(pair) -> str:
    return f"/api/v1/pairs/{pair.public_id}/"


@pytest.fixture
def looked_at(pair, now) -> Look:
    return Look.objects.create(
        pair=pair, week="2027-03-08", number=1, n=20, level=3.3, se=0.1, p_reached=0.1,
        taken_at=now,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("who", "side", "fields"),
    [
        ("lea", "learner", LEARNER),
        ("ivo", "coach", EVERYBODY),
        ("mara", "manager", MANAGER),
        ("hanna", "manager", MANAGER),
    ],
)
def test_each_role_reads_its_fields(api, pair, where, request, who, side, fields):
    client = api(request.getfixturevalue(who))
    alone, listed = client.get(where).json(), client.get("/api/v1/pairs/").json()["results"]
    assert alone["side"] == side
    assert set(alone) == fields
    assert listed == [alone]


def test_a_manager_who_coaches_reads_as_coach(mara_api, pair, where, mara):
    pair.coach = mara
    pair.save()
    assert set(mara_api.get(where).json()) == EVERYBODY


@pytest.mark.parametrize(
    ("who", "fields"),
    [
        ("lea", {"week", "number", "level", "p_reached", "n", "se", "taken_at"}),
        ("ivo", {"week", "number", "level", "p_reached"}),
        ("mara", {"week", "number", "level", "p_reached", "n", "se", "taken_at"}),
    ],
)
def test_looks_are_told_by_role(api, where, looked_at, request, who, fields):
    client = api(request.getfixturevalue(who))
    (look,) = client.get(f"{where}looks/").json()["results"]
    assert set(look) == fields
    assert look["level"] == {"value": 3.3, "text": "3.30"}


def test_no_answer_to_staff_has_a_band_a_rank_or_the_word(lea_api, ivo_api, world):
    for client in (lea_api, ivo_api):
        for name in ("me", "people", "teams", "pairs", "letters", "notices", "readings",
                     "hand-raises", f"pairs/{world.pair.public_id}", "metrics"):  # fmt: skip
            text = client.get(f"/api/v1/{name}/").content.decode().lower()
            for word in ("weak", "band", "rank", "p_low", "points", "strong"):
                assert word not in text, (name, word)


def test_the_level_is_that_of_the_newest_look(lea_api, where, looked_at):
    told = lea_api.get(where).json()
    assert told["level"] == "3.30"
    assert told["target"] == {"value": 3.6, "text": "3.60"}
    assert "Ivo" in told["next_step"]


def test_a_session_is_logged_once_a_day(lea_api, ivo_api, where, pair):
    sessions = f"{where}sessions/"
    answer = lea_api.post(sessions, {"held_on": "2027-03-01", "note": "Openings"})
    assert answer.status_code == 201
    assert answer.json()["logged_by"]["name"] == "Lea Brandt"
    ivo_api.post(sessions, {"held_on": "2027-03-01", "note": "Openings, and pauses"})
    assert Session.objects.count() == 1
    told = lea_api.get(sessions).json()
    assert [(row["note"], row["state"]) for row in told["results"]] == [
        ("Openings, and pauses", "held")
    ]
    assert lea_api.get(where).json()["last_session"] == "2027-03-01"


def test_a_session_to_come_is_refused(lea_api, where):
    answer = lea_api.post(f"{where}sessions/", {"held_on": "2027-03-02"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:lanemate:not-yet")


def test_nothing_is_logged_after_the_end(lea_api, where, pair, now):
    pair.state, pair.ended_at, pair.ending = "ended", now, "left"
    pair.save()
    answer = lea_api.post(f"{where}sessions/", {"held_on": "2027-03-01"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:lanemate:not-swimming")


def test_pairs_are_filtered(mara_api, pair, make_pairs):
    make_pairs(3)
    assert mara_api.get("/api/v1/pairs/").json()["count"] == 4
    own = mara_api.get(f"/api/v1/pairs/?cohort={pair.cohort.public_id}").json()["results"]
    assert [row["id"] for row in own] == [pair.public_id]
    assert mara_api.get("/api/v1/pairs/?state=passed").json()["count"] == 0
    assert mara_api.get("/api/v1/pairs/?metric=csat").json()["count"] == 4
    assert mara_api.get("/api/v1/pairs/?state=drowning").status_code == 400


@pytest.fixture
def case(pair, now) -> Case:
    pair.state = "stuck"
    pair.save()
    return Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)


def test_a_case_is_decided_once(mara_api, case):
    where = f"/api/v1/cases/{case.public_id}/"
    assert mara_api.get("/api/v1/cases/?open=true").json()["count"] == 1
    answer = mara_api.post(
        f"{where}decision/", {"decision": "everything", "note": "Four more weeks."}
    )
    assert answer.status_code == 200
    assert answer.json()["decided_by"]["name"] == "Mara Lindqvist"
    assert mara_api.get("/api/v1/cases/?open=true").json()["count"] == 0
    again = mara_api.post(f"{where}decision/", {"decision": "accept", "note": "No."})
    assert (again.status_code, again.json()["type"]) == (409, "urn:lanemate:case-decided")


def test_a_decision_needs_a_reason(mara_api, case):
    answer = mara_api.post(
        f"/api/v1/cases/{case.public_id}/decision/", {"decision": "accept", "note": " "}
    )
    assert answer.json()["errors"][0]["pointer"] == "#/note"
    case.refresh_from_db()
    assert case.decided_at is None


def test_nobody_decides_about_their_own_pair(mara_api, pair, case, mara):
    pair.coach = mara
    pair.save()
    assert mara_api.get("/api/v1/cases/").json()["count"] == 0
    assert mara_api.get(f"/api/v1/cases/{case.public_id}/").status_code == 404


def test_a_session_is_planned_moved_and_said_to_be_held(lea_api, ivo_api, where, now):
    answer = lea_api.post(f"{where}plan/", {"starts_at": "2027-03-03T13:30:00Z", "place": "Room 3"})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["state"], told["starts_at"], told["minutes"]) == (
        "planned", "2027-03-03T13:30:00Z", 45,
    )  # fmt: skip
    session = f"/api/v1/sessions/{told['id']}/"
    moved = ivo_api.post(f"{session}move/", {"starts_at": "2027-03-04T13:30:00+01:00"})
    assert moved.json()["starts_at"] == "2027-03-04T12:30:00Z"
    early = lea_api.post(f"{session}answer/", {"answer": "held"})
    assert (early.status_code, early.json()["type"]) == (400, "urn:lanemate:not-yet")
    for _ in range(2):
        gone = ivo_api.post(f"{session}answer/", {"answer": "withdrawn"})
        assert (gone.status_code, gone.json()["state"]) == (200, "withdrawn")
    again = ivo_api.post(f"{session}move/", {"starts_at": "2027-03-05T13:30:00Z"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:lanemate:not-planned")


def test_only_the_two_plan_and_write(mara_api, where, pair, now):
    session = Session.objects.create(
        pair=pair, state="planned", starts_at=now, logged_by=pair.learner, logged_at=now
    )
    for address, body in (
        (f"{where}plan/", {"starts_at": "2027-03-03T13:30:00Z"}),
        (f"{where}worksheets/", {"week": "2027-03-01", "went": "-"}),
        (f"{where}help/", {}),
        (f"/api/v1/sessions/{session.uid}/move/", {"starts_at": "2027-03-03T13:30:00Z"}),
        (f"/api/v1/sessions/{session.uid}/answer/", {"answer": "held"}),
    ):
        assert mara_api.post(address, body).status_code == 404, address


def test_a_page_of_the_week_is_written_by_both(lea_api, ivo_api, mara_api, where):
    pages = f"{where}worksheets/"
    early = ivo_api.post(pages, {"week": "2027-03-01", "coach_does": "Listen in"})
    assert (early.status_code, early.json()["type"]) == (409, "urn:lanemate:learner-first")
    lea_api.post(pages, {"week": "2027-03-03", "went": "Two good calls", "will_try": "Pauses"})
    ivo_api.post(pages, {"week": "2027-03-01", "coach_does": "Listen in"})
    (page,) = mara_api.get(pages).json()["results"]
    assert (page["week"], page["went"], page["coach_does"]) == (
        "2027-03-01", "Two good calls", "Listen in",
    )  # fmt: skip


def test_help_is_asked_for(lea_api, where, mara):
    assert lea_api.post(f"{where}help/", {"note": "No time"}).status_code == 204
    assert mara.letters.get().context["note"] == "No time"


def test_a_case_goes_another_way(mara_api, case):
    where = f"/api/v1/cases/{case.public_id}/decision/"
    given = {"decision": "redirect", "note": "A step first."}
    refused = mara_api.post(where, {**given, "target": 2.5})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "#/target")
    told = mara_api.post(where, {**given, "target": 3.4, "weeks": 2}).json()
    assert told["means"] == {"target": 3.4, "old_target": 3.6, "weeks": 2}
