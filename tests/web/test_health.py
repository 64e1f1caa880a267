"""What load balancers and compose ask."""

from datetime import timedelta

from coaching.models import Beat
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
