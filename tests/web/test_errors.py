"""When something is not there, not allowed or broken: a sentence, and a way on."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from coaching.queries import pairs
from tests import factories
from tests.web.test_pages import INLINE


def is_whole(text: str) -> None:
    """A page of ours: one heading, a title, nothing inline, and somewhere to go."""
    assert len(re.findall(r"<h1[\s>]", text)) == 1
    assert re.search(r"<title>[^<]+ · Lanemate</title>", text)
    assert re.search(r'<(?:a|button) class="btn btn-primary"', text)
    for pattern in INLINE:
        assert not pattern.search(text), pattern.pattern


def test_a_page_that_is_not_there_leads_back(lea_client, mara_client):
    for client, way in ((lea_client, "letters"), (mara_client, "cohorts")):
        answer = client.get("/nowhere/")
        assert answer.status_code == 404
        is_whole(answer.text)
        assert "There is nothing in this lane" in answer.text
        assert f'class="btn btn-quiet" href="{reverse(way)}"' in answer.text


def test_not_yours_looks_like_not_there(pair, otto_client):
    theirs = otto_client.get(reverse("pair", args=[pair.public_id]))
    nothing = otto_client.get(reverse("pair", args=["zzzzzzzzzzzz"]))
    assert theirs.status_code == nothing.status_code == 404
    token = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    assert token.sub("", theirs.text) == token.sub("", nothing.text)


def test_a_stranger_may_sign_in_and_comes_back(client, db):
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    is_whole(answer.text)
    assert '/login/?next=/nowhere/"' in answer.text


@pytest.mark.parametrize("path", ['/"><script>alert(1)</script>/', "/%00/", "/%ff/", "/a%0d%0ab/"])
def test_an_odd_address_is_only_not_there(client, db, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "alert(1)<" not in answer.text
    is_whole(answer.text)


def test_a_form_without_its_token_changes_nothing_and_says_so(lea, csat):
    client = Client(enforce_csrf_checks=True)
    client.force_login(lea.user)
    answer = client.post(reverse("hand-raise"), {"metric": csat.pk})
    assert answer.status_code == 403
    is_whole(answer.text)
    assert "Please try once more" in answer.text
    assert "Nothing was changed." in answer.text


def test_a_request_nobody_understands(client, db):
    answer = client.get("/login/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    is_whole(answer.text)
    assert "elsewhere" not in answer.text


def test_a_page_that_breaks_says_so_without_saying_what(lea, lea_client, monkeypatch):
    def breaks(reader):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(pairs, "mine", breaks)
    lea_client.raise_request_exception = False
    answer = lea_client.get("/me/")
    assert answer.status_code == 500
    is_whole(answer.text)
    assert "Something broke on our side" in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_where_all_else_fails_the_page_needs_no_database(name, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        is_whole(render_to_string(name))


def test_a_login_without_a_person_is_told_so_and_may_leave(db):
    user = get_user_model().objects.create_user("nobody<b>", password="swim-lane-7")
    client = Client()
    client.force_login(user)
    for where in ("/", "/me/", "/me/data/", "/me/coaching/", "/teams/"):
        answer = client.get(where)
        assert answer.status_code == 403, where
        is_whole(answer.text)
        assert "nobody&lt;b&gt;" in answer.text
        assert reverse("logout") in answer.text
        assert reverse("admin:index") not in answer.text


def test_whoever_has_left_has_no_page(team):
    gone = factories.make_person("Gone Girl", team=team, login="gone", active=False)
    client = Client()
    client.force_login(gone.user)
    answer = client.get("/me/data/")
    assert answer.status_code == 403
    assert "Nobody is linked to this login" in answer.text


def test_who_administers_the_server_is_led_to_where_it_is_linked(db):
    user = get_user_model().objects.create_user("root", password="swim-lane-7", is_staff=True)
    client = Client()
    client.force_login(user)
    assert reverse("admin:index") in client.get("/me/").text


def test_a_forms_address_opened_as_a_page_is_no_empty_page(lea_client):
    answer = lea_client.get(reverse("hand-raise"))
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    is_whole(answer.text)


def test_who_was_signed_out_meanwhile_comes_back_to_the_page_with_the_form(client, db):
    where = reverse("hand-raise")
    answer = client.post(where, headers={"referer": "http://testserver/me/?page=2"})
    assert answer.url == "/login/?next=/me/"
    for elsewhere in ("https://elsewhere.example/me/", "http://[", ""):
        assert client.post(where, headers={"referer": elsewhere}).url == "/login/?next=/"
