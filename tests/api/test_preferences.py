"""One's own preferences and channels over the API."""

import pytest

from coaching.models import Channel, Person, Push
from coaching.notifications import webhooks
from coaching.queries import preferences


def test_everybody_reads_their_own(lea_api, lea):
    told = lea_api.get("/api/v1/me/preferences/").json()
    assert told["off"] == []
    assert set(told["always"]) == preferences.MANDATORY
    assert (told["working_days"], told["day_begins"]) == ("12345", "08:00:00")
    assert told["next_digest"] == "2027-03-08T07:00:00Z"


def test_what_is_given_changes_and_the_rest_stays(lea_api, lea):
    answer = lea_api.patch(
        "/api/v1/me/preferences/", {"off": ["digest"], "day_ends": "16:00", "paused_until": None}
    )
    assert answer.status_code == 200
    assert answer.json()["off"] == ["digest"]
    assert answer.json()["next_digest"] is None
    assert answer.json()["day_begins"] == "08:00:00"
    answer = lea_api.patch("/api/v1/me/preferences/", {"paused_until": "2027-03-10"})
    assert answer.json()["paused_until"] == "2027-03-10"
    assert answer.json()["off"] == ["digest"]


def test_a_language_is_chosen_and_left_to_the_browser_again(lea_api, lea):
    for reads in ("de", ""):
        answer = lea_api.patch("/api/v1/me/preferences/", {"reads": reads})
        assert answer.json()["reads"] == reads
        assert Person.objects.get(pk=lea.pk).reads == reads


@pytest.mark.parametrize(
    "wrong",
    [
        {"off": ["invitation"]},
        {"off": ["nonsense"]},
        {"working_days": "8"},
        {"day_begins": "18:00"},
        {"time_zone": "Europe/Atlantis"},
        {"reads": "tlh"},
        {"reads": "en-gb-oxendict"},
        {"paused_until": "2027-03-01"},
    ],
)
def test_nonsense_is_refused_and_nothing_changes(lea_api, lea, wrong):
    answer = lea_api.patch("/api/v1/me/preferences/", {"working_days": "1", **wrong})
    assert answer.status_code in (400, 409, 422)
    assert Person.objects.get(pk=lea.pk).working_days == "12345"


def test_a_webhook_tells_its_secret_once(lea_api, lea, monkeypatch):
    monkeypatch.setattr(webhooks, "resolve", lambda url: None)
    made = lea_api.post(
        "/api/v1/me/channels/", {"kind": "webhook", "url": "https://example.org/t0ken"}
    )
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    (row,) = lea_api.get("/api/v1/me/channels/").json()["results"]
    assert row["address"] == "https://example.org…"
    assert "secret" not in row
    url = f"/api/v1/me/channels/{row['id']}/"
    assert lea_api.post(f"{url}test/").status_code == 202
    assert Push.objects.get().kind == "test"
    assert lea_api.post(f"{url}replay/").status_code in (400, 409)
    assert lea_api.delete(url).status_code == 204
    assert not Channel.objects.exists()


def test_an_address_within_is_refused_in_words(lea_api):
    answer = lea_api.post(
        "/api/v1/me/channels/", {"kind": "webhook", "url": "https://169.254.169.254/latest/"}
    )
    assert answer.status_code in (400, 409, 422)
    assert "public internet" in str(answer.json())
