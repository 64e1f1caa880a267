"""My data: what is stored, a file with all of it, and who looked."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.db.models import ForeignKey, OneToOneField
from django.urls import reverse

from coaching.models import Event, Person, Standing, Visit
from coaching.queries import clock, own_data
from coaching.services import people, sessions, thanks, visits
from tests import factories
from tests.conftest import NOW

PAGE, FILE = reverse("my-data"), reverse("my-data-file")


@pytest.fixture
def lived(pair, lea, ivo, csat) -> Person:
    """Lea, about whom something of most kinds is stored."""
    factories.add_reading(lea, csat, NOW.date(), mean=3.2)
    sessions.plan(pair=pair, starts_at=NOW + timedelta(days=2), by=lea, now=NOW)
    thanks.say(pair=pair, text="Your questions helped.", by=lea, now=NOW)
    other = factories.make_metric("pace", name="Pace")
    people.raise_hand(person=lea, metric=other, note="Fewer pauses", now=NOW)
    return lea


def test_the_page_says_in_words_what_is_stored(lived, lea_client):
    text = lea_client.get(PAGE).text
    for told in ("Readings", "Sessions", "Hands you raised", "Thanks", "Mara Lindqvist, who leads",
                 "Nobody has opened a page about you yet."):  # fmt: skip
        assert told in text, told
    assert "Nothing is stored of:" in text


def test_the_file_has_all_of_it(lived, lea_client):
    answer = lea_client.get(FILE)
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="lanemate-my-data.json"'
    assert answer["Cache-Control"] == "no-store"
    file = json.loads(answer.content)
    assert file["about"]["name"] == "Lea Brandt"
    assert [row["text"] for row in file["thanks"]] == ["Your questions helped."]
    assert [row["note"] for row in file["hands"]] == ["Fewer pauses"]
    assert file["readings"][0]["cases"] == 20
    assert file["pairs"][0]["coach"] == "Ivo Marković"
    event = Event.objects.get(verb="own data taken")
    assert event.actor == lived


def test_every_number_on_the_page_is_that_of_the_file(lived, lea_client):
    file = json.loads(lea_client.get(FILE).content)
    for section, number in own_data.counts(lived):
        # The taking of the file is itself a line of what one did.
        assert len(file[section.key]) + (section.key == "acts") == number, section.key


def test_nobody_reads_of_others_in_it(lived, pair, team, csat, ivo_client):
    stranger = factories.make_person("Zoë Quiet", team=team)
    factories.add_reading(stranger, csat, NOW.date(), mean=1.5)
    text = ivo_client.get(FILE).text
    assert "Zoë" not in text
    # Lea's readings and looks are hers, although Ivo coaches her.
    assert json.loads(text)["readings"] == []
    assert json.loads(text)["looks"] == []


def test_a_label_is_told_as_an_offer(lived, pair, csat, lea_client):
    Standing.objects.create(
        ranking=pair.cohort.ranking, person=lived, metric=csat, group="", n=40, raw=3, estimate=3,
        se=0.1, reliability=0.5, z=-1, p_low=0.9, p_high=0, p_need=0.95, p_skill=0, rank_low=0,
        rank_high=0.2, band="weak",
    )  # fmt: skip
    text = lea_client.get(FILE).text
    assert "most to gain from a coach" in text
    assert "weak" not in text.casefold()


def test_every_table_with_a_person_in_it_is_accounted_for():
    """A new model with a person in it is put into the file, or left out here with a reason."""
    in_the_file = {section.rows_of(Person(pk=0)).model for section in own_data.SECTIONS}
    left_out = {
        "Person": "its own lines are the file's 'about'",
        "Team": "who leads it stands on the page",
        "Cohort": "who made it is an act in the trail",
        "Ranking": "who ran it is an act in the trail",
        "Scorecard": "who made it is an act in the trail",
        "Plan": "who made it is an act in the trail",
        "PlanStep": "who changed it is an act in the trail",
    }
    for model in apps.get_app_config("coaching").get_models():
        named = [
            field for field in model._meta.get_fields()
            if isinstance(field, ForeignKey | OneToOneField) and field.related_model is Person
        ]  # fmt: skip
        if named and model not in in_the_file:
            assert model.__name__ in left_out, model


@pytest.mark.parametrize("number", [1, 40])
def test_the_page_costs_the_same_for_any_number_of_rows(
    lived, mara, csat, lea_client, number, django_assert_max_num_queries
):
    for day in range(number):
        visits.note(looker=mara, subjects=[lived], what=Visit.What.PERSON,
                    now=NOW - timedelta(days=day))  # fmt: skip
    with django_assert_max_num_queries(45):
        text = lea_client.get(PAGE).text
    assert text.count("Your page with skills and pairs") == min(number, 25)


def test_both_need_a_login(client, db):
    for where in (PAGE, FILE):
        assert client.get(where).status_code == 302
        assert client.post(where).status_code == 405


@pytest.mark.parametrize("page", ["0", "-3", "999", "x", "\x00"])
def test_odd_pages_are_pages(lived, lea_client, page):
    assert lea_client.get(PAGE, {"page": page}).status_code == 200


# -- who looked ----------------------------------------------------------------------------


def test_a_managers_look_is_noted_once_a_day(pair, lea, mara, mara_client, lea_client):
    where = reverse("person", args=[lea.public_id])
    for _ in range(3):
        mara_client.get(where)
    visit = Visit.objects.get()
    assert (visit.subject, visit.looker, visit.what) == (lea, mara, "person")
    text = lea_client.get(PAGE).text
    assert "Mara Lindqvist" in text
    assert "Your page with skills and pairs" in text


def test_the_next_day_is_another_look(pair, lea, mara_client, monkeypatch):
    where = reverse("person", args=[lea.public_id])
    mara_client.get(where)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=1))
    mara_client.get(where)
    assert Visit.objects.count() == 2


@pytest.mark.parametrize(("page", "what"), [("pair", "pair"), ("worksheet", "worksheet")])
def test_hr_on_the_pages_of_a_pair_is_noted_for_both(pair, hanna, client_of, page, what):
    client_of(hanna).get(reverse(page, args=[pair.public_id]))
    found = set(Visit.objects.values_list("subject__name", "looker__name", "what"))
    assert found == {(name, "Hanna Reuter", what) for name in ("Lea Brandt", "Ivo Marković")}


def test_ones_own_pages_are_no_looks(pair, lea_client, ivo_client, lea):
    for client in (lea_client, ivo_client):
        client.get(reverse("pair", args=[pair.public_id]))
        client.get(reverse("worksheet", args=[pair.public_id]))
    assert not Visit.objects.exists()


def test_a_page_that_is_not_shown_is_no_look(pair, otto_client, lea):
    assert otto_client.get(reverse("person", args=[lea.public_id])).status_code == 404
    assert otto_client.get(reverse("pair", args=[pair.public_id])).status_code == 404
    assert not Visit.objects.exists()
