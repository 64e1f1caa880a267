import pytest

from coaching.models import HandRaise, Notice
from coaching.notifications import messages, outbox, rendering
from coaching.services import audit
from tests import factories


@pytest.fixture
def invitation(pair, lea, ivo, now):
    outbox.promise([messages.invitation(pair, reader) for reader in (lea, ivo)], now=now)
    return pair.letters.get(recipient=lea)


def test_a_letter_is_shown_as_it_is_sent(lea_api, invitation):
    told = lea_api.get(f"/api/v1/letters/{invitation.public_id}/").json()
    rendered = rendering.render(invitation)
    assert told["rendered"] == {
        "subject": rendered.subject, "text": rendered.text, "html": rendered.html,
    }  # fmt: skip
    assert (told["kind"], told["state"]) == ("invitation", "pending")


def test_letters_are_mine_or_about_what_i_manage(lea_api, mara_api, otto_api, invitation):
    assert lea_api.get("/api/v1/letters/").json()["count"] == 1
    assert mara_api.get("/api/v1/letters/?kind=invitation").json()["count"] == 2
    assert mara_api.get("/api/v1/letters/?kind=digest").json()["count"] == 0
    assert otto_api.get("/api/v1/letters/").json()["count"] == 0


def test_notices_are_read_up_to_a_moment(lea_api, ivo_api, invitation, lea, now):
    assert lea_api.get("/api/v1/me/").json()["unread_notices"] == 1
    early = lea_api.post("/api/v1/notices/read/", {"until": "2027-02-01T00:00:00Z"})
    assert early.json() == {"marked": 0}
    assert lea_api.post("/api/v1/notices/read/").json() == {"marked": 1}
    assert lea_api.post("/api/v1/notices/read/").json() == {"marked": 0}
    (notice,) = lea_api.get("/api/v1/notices/").json()["results"]
    assert notice["read_at"] == "2027-03-01T07:30:00Z"
    assert Notice.objects.filter(read_at=None).count() == 1


def test_a_hand_is_raised_and_lowered(lea_api, mara_api, otto_api, lea, csat):
    answer = lea_api.post("/api/v1/hand-raises/", {"metric": "csat", "note": "Refunds"})
    assert answer.status_code == 201
    lea_api.post("/api/v1/hand-raises/", {"metric": "csat", "note": "Refunds, mostly"})
    assert HandRaise.objects.count() == 1
    (hand,) = mara_api.get("/api/v1/hand-raises/").json()["results"]
    assert (hand["person"]["name"], hand["note"]) == ("Lea Brandt", "Refunds, mostly")
    assert otto_api.get("/api/v1/hand-raises/").json()["count"] == 0

    assert mara_api.delete("/api/v1/hand-raises/csat/").status_code == 404
    assert lea_api.delete("/api/v1/hand-raises/csat/").status_code == 204
    assert lea_api.delete("/api/v1/hand-raises/csat/").status_code == 404
    assert lea_api.get("/api/v1/hand-raises/").json()["results"] == []


def test_the_audit_trail_is_for_managers_of_the_team(mara_api, lea_api, otto_api, pair, mara, now):
    audit.record("looked", pair, by=mara, now=now, team=pair.learner.team)
    (event,) = mara_api.get("/api/v1/events/").json()["results"]
    assert (event["verb"], event["subject_id"]) == ("looked", pair.public_id)
    assert event["actor"]["name"] == "Mara Lindqvist"
    assert otto_api.get("/api/v1/events/").json()["count"] == 0
    assert lea_api.get("/api/v1/events/").status_code == 403


def test_people_and_teams_are_found(mara_api, mara, lea, team):
    factories.make_person("Gone Person", team=team, active=False)
    assert mara_api.get("/api/v1/people/?search=BRANDT").json()["count"] == 1
    assert mara_api.get("/api/v1/people/?active=true").json()["count"] == 2
    (found,) = mara_api.get("/api/v1/teams/").json()["results"]
    assert (found["name"], found["manager"]["name"], found["size"]) == (
        "Harbour", "Mara Lindqvist", 2,
    )  # fmt: skip


def test_pages_are_counted_and_linked(mara_api, mara, team):
    for _ in range(4):
        factories.make_person(team=team)
    page = mara_api.get("/api/v1/people/?page_size=2&page=2").json()
    assert page["count"] == 5
    assert len(page["results"]) == 2
    assert "page=3" in page["next"]
    assert page["previous"]
    assert mara_api.get("/api/v1/people/?page=9").status_code == 404
