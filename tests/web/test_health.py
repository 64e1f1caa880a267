"""What load balancers and compose ask."""

from datetime import timedelta

from coaching.models import Beat, Letter
from tests.conftest import NOW


def test_alive_needs_no_database(client):
    answer = client.get("/healthz", HTTP_HOST="10.1.2.3")
    assert answer.json() == {"status": "ok"}


def test_it_is_not_ready_before_the_first_tick(client, db):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "No tick has run yet" in answer.json()["troubles"][0]


def test_it_is_ready_while_ticks_come(client, db):
    Beat.objects.create(name="tick", at=NOW - timedelta(minutes=1))
    assert client.get("/readyz").status_code == 200


def test_a_silence_of_six_minutes_is_told(client, db):
    Beat.objects.create(name="tick", at=NOW - timedelta(minutes=6))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "6 minutes ago" in answer.json()["troubles"][0]


def test_a_mail_server_that_takes_nothing_is_told(client, pair, mara_client):
    Beat.objects.create(name="tick", at=NOW)
    Beat.objects.create(name="mail stopped", at=NOW - timedelta(hours=3))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "No letter is sent since 2027-03-01 04:30 UTC" in answer.json()["troubles"][0]
    assert "No letter has left for 3 hours" in mara_client.get("/").text


def test_a_letter_that_went_wrong_is_told_and_keeps_nobody_out(client, lea):
    Beat.objects.create(name="tick", at=NOW)
    values = {"kind": "digest", "recipient": lea, "created_at": NOW, "next_attempt_at": NOW}
    Letter.objects.create(dedupe_key="1", state=Letter.State.DEAD, failure="poison", **values)
    Letter.objects.create(dedupe_key="2", state=Letter.State.DEAD, failure="refused", **values)
    Letter.objects.create(dedupe_key="3", state=Letter.State.UNCERTAIN, **values)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert len(answer.json()["worries"]) == 3


def test_managers_see_at_home_that_nothing_is_done(mara_client):
    assert "has done nothing since it was set up" in mara_client.get("/").text
    Beat.objects.create(name="tick", at=NOW - timedelta(minutes=7))
    assert "has done nothing for 7 minutes" in mara_client.get("/").text
    Beat.objects.update(at=NOW)
    assert "has done nothing" not in mara_client.get("/").text
