"""My data, who looked, and thanks, by the API."""

from datetime import timedelta

from coaching.models import Event, Notice, Thanks, Visit
from coaching.services import visits
from tests.conftest import NOW


def test_my_data_is_the_same_file(pair, api, lea, lea_client):
    page = lea_client.get("/me/data/file/").json()
    answer = api(lea).get("/api/v1/me/data/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().keys() == page.keys()
    assert answer.json()["pairs"] == page["pairs"] != []
    assert Event.objects.filter(verb="own data taken", actor=lea).count() == 2


def test_who_looked_is_mine_alone(pair, api, lea, ivo, mara, hanna):
    api(mara).get(f"/api/v1/people/{lea.public_id}/")
    api(hanna).get(f"/api/v1/pairs/{pair.public_id}/looks/")
    api(lea).get(f"/api/v1/pairs/{pair.public_id}/")
    found = api(lea).get("/api/v1/me/visits/").json()["results"]
    assert {(row["looker"]["name"], row["what"]) for row in found} == {
        ("Mara Lindqvist", "person"), ("Hanna Reuter", "pair"),
    }  # fmt: skip
    assert api(ivo).get("/api/v1/me/visits/").json()["count"] == 1
    assert api(mara).get("/api/v1/me/visits/").json()["count"] == 0


def test_what_is_not_shown_is_no_look(pair, api, otto):
    assert api(otto).get(f"/api/v1/people/{pair.learner.public_id}/").status_code == 404
    assert api(otto).get(f"/api/v1/pairs/{pair.public_id}/").status_code == 404
    assert not Visit.objects.exists()


def test_the_list_costs_the_same_for_any_number(api, lea, mara, django_assert_num_queries):
    client = api(lea)
    for day in range(20):
        then = NOW - timedelta(days=day)
        visits.note(looker=mara, subjects=[lea], what=Visit.What.PERSON, now=then)
    client.get("/api/v1/me/visits/")
    with django_assert_num_queries(5):
        assert client.get("/api/v1/me/visits/").json()["count"] == 20


def test_thanks_are_said_and_read_by_the_two(pair, api, lea, ivo, mara):
    where = f"/api/v1/pairs/{pair.public_id}/thanks/"
    answer = api(lea).post(where, {"text": "Your questions helped."})
    assert answer.status_code == 201
    assert answer.json()["text"] == "Your questions helped."
    for person in (lea, ivo):
        found = api(person).get(where).json()["results"]
        assert [row["text"] for row in found] == ["Your questions helped."]
    assert api(mara).get(where).status_code == 404
    assert Notice.objects.filter(person=ivo).count() == 1


def test_thanks_twice_a_day_or_by_the_coach_are_refused(pair, api, lea, ivo):
    where = f"/api/v1/pairs/{pair.public_id}/thanks/"
    api(lea).post(where, {"text": "One"})
    assert api(lea).post(where, {"text": "Two"}).status_code == 400
    assert api(ivo).post(where, {"text": "Me too"}).status_code == 400
    assert api(lea).post(where, {"text": ""}).status_code == 400
    assert Thanks.objects.count() == 1


def test_the_link_of_ones_calendar(api, lea, pair, client):
    where = "/api/v1/me/calendar/"
    assert api(lea).get(where).json() == {"url": None}
    made = api(lea).post(where).json()["url"]
    assert made == api(lea).get(where).json()["url"]
    assert client.get(made[made.index("/calendar/") :]).status_code == 200
    assert api(lea).delete(where).status_code == 204
    assert client.get(made[made.index("/calendar/") :]).status_code == 404
