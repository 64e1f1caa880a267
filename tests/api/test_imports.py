import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from coaching import engine
from coaching.models import Import, Reading
from coaching.services import imports

ADDRESS = "/api/v1/imports/"
WEEKS = b"agent,week,csat_n,csat_mean\nP900,2027-02-15,20,4.1\nP901,2027-02-15,25,3.8\n"


@pytest.fixture
def woken(monkeypatch) -> list[bool]:
    calls: list[bool] = []
    monkeypatch.setattr(engine.woken, "set", lambda: calls.append(True))
    return calls


def send(client, content: bytes = WEEKS, **fields):
    body = {"file": SimpleUploadedFile("weeks.csv", content), **fields}
    return client.post(ADDRESS, body, format="multipart")


def test_a_file_goes_its_way_in_three_steps(
    mara_api, team, now, woken, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(mara_api, team=team.public_id)
    assert answer.status_code == 202
    assert woken
    where = answer["Location"]
    assert mara_api.get(where).json()["is_waiting"]

    imports.work_off(now=now)
    ready = mara_api.get(where).json()
    assert ready["state"] == "ready"
    assert ready["preview"]["people"]["new"] == 2
    assert ready["problems"] == []

    woken.clear()
    with django_capture_on_commit_callbacks(execute=True):
        answer = mara_api.post(f"{where}confirm/", {"good_rows_only": False})
    assert answer.status_code == 202
    assert woken
    imports.work_off(now=now)
    done = mara_api.get(where).json()
    assert done["state"] == "done"
    assert done["result"]["readings"] == {"new": 2, "changed": 0, "same": 0}
    assert Reading.objects.count() == 2

    assert mara_api.post(f"{where}cancel/").status_code == 409


def test_what_the_columns_mean_can_be_said_with_the_file_or_later(mara_api, team, now):
    where = send(mara_api, team=team.public_id)["Location"]
    imports.work_off(now=now)
    mapping = mara_api.get(where).json()["mapping"]
    again = send(mara_api, team=team.public_id, mapping=json.dumps(mapping))
    assert again.status_code == 202
    assert mara_api.get(again["Location"]).json()["mapping"] == mapping

    mapping["metrics"][0]["name"] = "Satisfaction"
    assert mara_api.post(f"{where}mapping/", mapping).status_code == 202
    imports.work_off(now=now)
    assert mara_api.get(where).json()["preview"]["metrics"][0]["name"] == "Satisfaction"

    answer = mara_api.post(f"{where}mapping/", {"shape": "sideways"})
    assert answer.status_code == 400
    assert "sideways" in answer.json()["detail"]


def test_a_file_is_cancelled_once(mara_api, team):
    where = send(mara_api, team=team.public_id)["Location"]
    assert mara_api.post(f"{where}cancel/").json()["state"] == "cancelled"
    answer = mara_api.post(f"{where}cancel/")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:lanemate:wrong-moment"


def test_confirming_too_early_is_a_conflict(mara_api, team):
    where = send(mara_api, team=team.public_id)["Location"]
    assert mara_api.post(f"{where}confirm/", {}).status_code == 409


@pytest.mark.parametrize("content", [b"", b" \r\n"])
def test_an_empty_file_is_refused_in_words(mara_api, team, content):
    answer = send(mara_api, content, team=team.public_id)
    assert answer.status_code == 400
    assert "empty" in answer.json()["detail"]


def test_a_large_file_is_too_large(mara_api, team, settings):
    settings.UPLOAD_LIMIT_MB = 0
    answer = send(mara_api, team=team.public_id)
    assert answer.status_code == 413
    assert not Import.objects.exists()


def test_people_join_only_teams_of_mine(mara_api, mara, other_team):
    answer = send(mara_api, team=other_team.public_id)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "#/team"


def test_a_form_is_needed(mara_api):
    assert mara_api.post(ADDRESS, {}).status_code == 415
