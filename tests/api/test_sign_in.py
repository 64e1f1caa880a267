from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from coaching.api.authentication import PerAccount

ADDRESS = "/api/v1/auth/token/"
RIGHT = {"username": "mara", "password": "swim-lane-7"}


def test_a_token_opens_the_door_until_it_expires(api, mara):
    answer = api().post(ADDRESS, RIGHT)
    assert answer.status_code == 201
    told = answer.json()
    assert told["token"].startswith("lanemate_")
    expiry = datetime.fromisoformat(told["expiry"])
    assert timedelta(0) < expiry - timezone.now() <= timedelta(hours=10)

    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Token {told['token']}")
    assert client.get("/api/v1/me/").json()["person"]["name"] == "Mara Lindqvist"

    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/v1/me/").status_code == 401


def test_the_token_is_stored_as_a_hash(api, mara):
    token = api().post(ADDRESS, RIGHT).json()["token"]
    stored = AuthToken.objects.get()
    assert token not in (stored.digest, stored.token_key)


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "mara", "password": "swim-lane-8"},
        {"username": "nobody-here", "password": "swim-lane-7"},
        {"username": "closed", "password": "swim-lane-7"},
    ],
)
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(api, mara, lea, wrong):
    lea.user.username, lea.user.is_active = "closed", False
    lea.user.save()
    answer = api().post(ADDRESS, wrong)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The name or the password is wrong.",
    }


def test_guessing_is_slowed_down_for_one_account(api, mara, lea, monkeypatch):
    monkeypatch.setattr(PerAccount, "THROTTLE_RATES", {"login": "3/hour"})
    guess = {"username": "MARA ", "password": "guess"}
    assert [api().post(ADDRESS, guess).status_code for _ in range(4)] == [401, 401, 401, 429]
    answer = api().post(ADDRESS, RIGHT)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    # A forged list of proxies is not another account, and other accounts are not locked.
    forged = api().post(ADDRESS, RIGHT, headers={"X-Forwarded-For": "203.0.113.9"})
    assert forged.status_code == 429
    assert api().post(ADDRESS, {**RIGHT, "username": "lea"}).status_code == 201


def test_logging_out_forgets_this_token_only(api, mara):
    first, second = api(mara), api(mara)
    assert first.post("/api/v1/auth/logout/").status_code == 204
    assert first.get("/api/v1/me/").status_code == 401
    assert second.get("/api/v1/me/").status_code == 200


def test_logging_out_everywhere_forgets_all(api, mara, lea):
    clients = [api(mara), api(mara)]
    other = api(lea)
    assert clients[0].post("/api/v1/auth/logoutall/").status_code == 204
    assert [client.get("/api/v1/me/").status_code for client in clients] == [401, 401]
    assert other.get("/api/v1/me/").status_code == 200


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token \xff\xfe", "Token " + "x" * 9000])
def test_a_broken_token_is_a_401(api, db, header):
    client = api()
    client.credentials(HTTP_AUTHORIZATION=header)
    assert client.get("/api/v1/me/").status_code == 401


def test_a_closed_login_is_out_at_once(api, mara):
    client = api(mara)
    mara.user.is_active = False
    mara.user.save()
    assert client.get("/api/v1/me/").status_code == 401


def test_a_session_needs_the_csrf_token_to_write(mara, csat):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(mara.user)
    answer = client.post("/api/v1/hand-raises/", {"metric": "csat"})
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_me_says_what_i_am(mara_api, lea_api, pair):
    mine = mara_api.get("/api/v1/me/").json()
    assert mine["roles"] == ["staff", "manager"]
    assert [team["name"] for team in mine["teams"]] == ["Harbour"]
    hers = lea_api.get("/api/v1/me/").json()
    assert hers["roles"] == ["staff"]
    assert hers["teams"] == []
    assert hers["pairs"] == {"learning": 1, "coaching": 0, "passed": 0}
