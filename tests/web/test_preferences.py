"""Everybody's own page of letters: which, when, and where else."""

import re
from datetime import date, time

import pytest

from coaching.models import Channel, OptOut, Person, Push
from coaching.notifications import chats, webhooks
from coaching.queries import preferences
from coaching.services import channels

HOURS = {
    "days": ["1", "2", "3", "4", "5"],
    "day_begins": "08:00",
    "day_ends": "17:00",
    "time_zone": "Europe/Zurich",
}
ALL = [kind.value for kind in preferences.OPTIONAL]


@pytest.fixture
def hook(lea, now, monkeypatch) -> Channel:
    monkeypatch.setattr(webhooks, "resolve", lambda url: None)
    return channels.add(person=lea, kind="webhook", url="https://example.org/t0ken", now=now)


def save(client, **changes):
    return client.post("/preferences/", {**HOURS, "email": ALL, **changes}, follow=True)


def fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


def test_it_shows_what_comes_when_and_what_cannot_be_turned_off(lea_client, lea):
    page = lea_client.get("/preferences/").text
    assert "Your next letter would come Monday, 1 March at" in page
    assert "your next digest Monday, 8 March at 08:00" in page
    assert len(re.findall(r'name="email"[^>]* checked', page)) == page.count('name="email"')
    disabled = re.findall(r'value="(\w+)" checked disabled', page)
    # An escalation is for whoever decides, and Lea does not.
    assert set(disabled) == preferences.MANDATORY - {"escalation"}
    assert "proposal" not in re.findall(r'name="email" value="(\w+)"', page)


def test_a_manager_sees_what_managers_get(mara_client, mara):
    page = mara_client.get("/preferences/").text
    kinds = re.findall(r'name="email" value="(\w+)"', page)
    assert {"escalation", "proposal"} <= set(kinds)


def test_kinds_and_hours_are_saved_together(lea_client, lea):
    page = save(
        lea_client, email=["passed"], days=["2", "6"], day_begins="10:00", day_ends="19:30",
        time_zone="Asia/Tokyo",
    )  # fmt: skip
    assert "Saved." in page.text
    lea = fresh(lea)
    assert (lea.working_days, lea.day_begins, lea.day_ends) == ("26", time(10), time(19, 30))
    assert lea.time_zone == "Asia/Tokyo"
    shown = set(re.findall(r'name="email" value="(\w+)"', page.text))
    assert preferences.turned_off(lea) == shown - preferences.MANDATORY - {"passed"}
    assert "Tuesday, 2 March at 1" in page.text


def test_saving_twice_changes_nothing(lea_client, lea):
    save(lea_client, email=["digest"])
    before = set(OptOut.objects.values_list("pk", "kind"))
    save(lea_client, email=["digest"])
    assert set(OptOut.objects.values_list("pk", "kind")) == before


def test_what_the_page_does_not_show_stays_as_it_was(lea_client, lea, now):
    OptOut.objects.create(person=lea, kind="proposal", at=now)
    save(lea_client)
    assert preferences.turned_off(fresh(lea)) == {"proposal"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"days": []}, "Choose at least one day"),
        ({"days": ["9"]}, "not one of the available"),
        ({"day_begins": "18:00"}, "must end after it begins"),
        ({"day_begins": "soon"}, "valid time"),
        ({"time_zone": "Europe/Atlantis"}, "not one of the available"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_nothing_is_saved(lea_client, lea, wrong, words):
    page = save(lea_client, **{"email": [], **wrong})
    assert page.status_code == 200
    assert words in page.text
    assert "Nothing was saved yet" in page.text
    assert fresh(lea).working_days == "12345"
    assert not OptOut.objects.exists()


def test_a_pause_begins_and_ends(lea_client, lea):
    page = lea_client.post("/preferences/pause/", {"until": "2027-03-10"}, follow=True).text
    assert "paused until Wednesday, 10 March 2027" in page
    assert "Your next letter would come Wednesday, 10 March" in page
    assert fresh(lea).letters_paused_until == date(2027, 3, 10)
    page = lea_client.post("/preferences/pause/", {"end": ""}, follow=True).text
    assert "Your letters come again" in page
    assert fresh(lea).letters_paused_until is None
    for wrong in ("", "2027-03-01", "tomorrow"):
        page = lea_client.post("/preferences/pause/", {"until": wrong}, follow=True)
        assert "flash" in page.text
    assert fresh(lea).letters_paused_until is None


def test_a_webhook_is_added_its_secret_shown_once_and_tested(lea_client, lea, monkeypatch):
    monkeypatch.setattr(webhooks, "resolve", lambda url: None)
    page = lea_client.post(
        "/preferences/channels/",
        {"kind": "webhook", "url": "https://example.org/t0ken"},
        follow=True,
    ).text
    channel = Channel.objects.get()
    assert channel.person == lea
    assert channel.secret in page
    again = lea_client.get("/preferences/").text
    assert channel.secret not in again
    # What stands behind the host may be a secret of its own.
    assert "https://example.org…" in again
    assert "t0ken" not in again
    lea_client.post(f"/preferences/channels/{channel.public_id}/test/")
    assert Push.objects.get().kind == "test"


def test_what_is_not_public_is_refused_in_words(lea_client):
    for url in ("https://127.0.0.1/", "http://example.org/", "nonsense"):
        page = lea_client.post(
            "/preferences/channels/", {"kind": "webhook", "url": url}, follow=True
        )
        assert "tone-stuck" in page.text
    assert not Channel.objects.exists()


def test_without_chats_the_page_says_so(lea_client, monkeypatch):
    monkeypatch.setattr(chats, "_apprise", lambda: None)
    assert "Chats are not installed here" in lea_client.get("/preferences/").text
    page = lea_client.post(
        "/preferences/channels/", {"kind": "chat", "url": "slack://a/b/c"}, follow=True
    )
    assert "Chats are not installed here" in page.text


def test_each_channel_has_its_own_boxes(lea_client, lea, hook):
    name = hook.public_id
    page = lea_client.get("/preferences/").text
    assert page.count(f'name="{name}"') == page.count('name="email"')
    save(lea_client, **{name: ["passed", "decided"], f"{name}-words": "on"})
    hook.refresh_from_db()
    assert "passed" not in hook.leaves_out
    assert "invitation" in hook.leaves_out
    assert hook.in_words
    save(lea_client, **{name: []})
    hook.refresh_from_db()
    assert not hook.in_words


@pytest.mark.parametrize("what", ["test", "replay", "on", "remove", "nonsense"])
def test_nobody_touches_anothers_channel(client_of, ivo, hook, what):
    answer = client_of(ivo).post(f"/preferences/channels/{hook.public_id}/{what}/")
    assert answer.status_code == 404
    assert Channel.objects.filter(active=True).exists()


def test_one_is_removed(lea_client, hook):
    lea_client.post(f"/preferences/channels/{hook.public_id}/remove/")
    assert not Channel.objects.exists()


@pytest.mark.parametrize("number", [1, 5])
def test_it_costs_the_same_for_any_number_of_channels(
    lea_client, lea, now, number, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(webhooks, "resolve", lambda url: None)
    for place in range(number):
        made = channels.add(person=lea, kind="webhook", url=f"https://e.org/{place}", now=now)
        channels.test(channel=made, by=lea, now=now)
    with django_assert_max_num_queries(11):
        lea_client.get("/preferences/")


def test_a_stranger_signs_in_first(client, db):
    assert client.get("/preferences/").url.startswith("/login/")
    for path in ("pause/", "channels/", "channels/x/test/"):
        assert client.post(f"/preferences/{path}").url.startswith("/login/")


def test_the_language_is_chosen_and_holds_at_once(lea_client, lea):
    assert '<option value="de">Deutsch</option>' in lea_client.get("/preferences/").text
    page = save(lea_client, reads="de")
    assert '<html lang="de">' in page.text
    assert fresh(lea).reads == "de"
    assert '<option value="de" selected>Deutsch</option>' in page.text
    assert '<html lang="en">' in save(lea_client, reads="").text
    save(lea_client, reads="tlh")
    assert fresh(lea).reads == ""
