"""No more letters of a kind by the link in one: one click, without a sign-in (RFC 8058)."""

import re

import pytest
from django.core import mail
from django.core.signing import Signer
from django.test import Client

from coaching.models import Letter, OptOut
from coaching.notifications import messages, outbox, rendering, unsubscribing
from coaching.queries import preferences


@pytest.fixture
def address(pair, lea) -> str:
    """As it stands in the header of a letter to Lea."""
    letter = messages.passed(pair, lea).letter
    headers = rendering.headers_for(letter)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (address,) = re.fullmatch(
        r"<http://localhost:8000(/[!-~]+/)>", headers["List-Unsubscribe"]
    ).groups()
    return address


@pytest.fixture
def stranger() -> Client:
    """A mail program: no session, no cookies, and no form token, which is asked for."""
    return Client(enforce_csrf_checks=True)


def test_a_look_does_nothing_and_shows_one_button(stranger, address, lea):
    for method in (stranger.get, stranger.head):
        answer = method(address)
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
    page = stranger.get(address)
    assert page.text.count("<button") - page.text.count("data-theme-toggle") == 1
    assert "Target reached" in page.text
    assert not OptOut.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
            "--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        ("", "application/x-www-form-urlencoded"),
    ],
)
def test_a_mail_programs_click_does_it_at_once(stranger, address, lea, body, kind):
    answer = stranger.post(address, body, content_type=kind)
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies
    assert preferences.turned_off(lea) == {Letter.Kind.PASSED}
    assert stranger.post(address, body, content_type=kind).status_code == 200


def test_it_holds_for_letters_that_wait_and_a_mistake_can_be_undone(stranger, address, pair, lea):
    outbox.promise([messages.passed(pair, lea)], now=pair.started_at)
    done = stranger.post(address)
    assert "waiting included" in done.text
    assert Letter.objects.get().state == Letter.State.CANCELLED
    back = stranger.post(f"{address}undo/")
    assert "comes by e-mail again" in back.text
    assert not OptOut.objects.exists()
    assert Letter.objects.get().state == Letter.State.PENDING
    assert stranger.get(f"{address}undo/").status_code == 405


def test_a_token_is_for_one_person_and_one_kind(stranger, lea, ivo):
    stranger.post(f"/unsubscribe/{unsubscribing.token(lea, 'digest')}/")
    assert list(OptOut.objects.values_list("person", "kind")) == [(lea.pk, "digest")]


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_we_have_not_signed_is_a_page_with_a_way_on(stranger, lea, method):
    signer = Signer(salt="coaching.unsubscribe", sep=".")
    other = Signer(salt="another", sep=".")
    good = unsubscribing.token(lea, "digest")
    for token in (
        "x",
        good[:-1],
        good.replace("digest", "passed"),
        other.sign(f"{lea.public_id}.digest"),
        signer.sign(f"{lea.public_id}.nonsense"),
        signer.sign(f"{lea.public_id}.invitation"),
        signer.sign("nobody.digest"),
        signer.sign("digest"),
        "%00",
        "ä" * 300,
    ):
        answer = getattr(stranger, method)(f"/unsubscribe/{token}/")
        assert answer.status_code == 404
        assert "not complete" in answer.text
    assert not OptOut.objects.exists()


def test_a_link_is_the_same_whenever_it_is_written_and_survives_a_new_key(settings, stranger, lea):
    token = unsubscribing.token(lea, "digest")
    assert unsubscribing.token(lea, "digest") == token
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert stranger.post(f"/unsubscribe/{token}/").status_code == 200
    assert OptOut.objects.count() == 1


@pytest.mark.parametrize("kind", sorted(preferences.MANDATORY))
def test_what_always_comes_offers_no_click(lea, kind):
    assert rendering.headers_for(Letter(kind=kind, recipient=lea)) == {}


def test_every_letter_says_why_it_came_and_how_to_have_fewer(pair, lea):
    passed = rendering.render(messages.passed(pair, lea).letter)
    for form in (passed.text, passed.html):
        assert form.count("You get this") == 1
        assert form.count(unsubscribing.address(lea, "passed")) == 1
        assert "http://localhost:8000/preferences/" in form
    assert passed.text.count("\n-- \n") == 1
    invited = rendering.render(messages.invitation(pair, lea).letter)
    for form in (invited.text, invited.html):
        assert "always comes" in form
        assert "unsubscribe" not in form


def test_a_letter_that_is_sent_carries_both_headers(pair, lea, now):
    outbox.promise([messages.passed(pair, lea)], now=now)
    outbox.deliver_due(now=Letter.objects.get().next_attempt_at)
    (message,) = mail.outbox
    address = unsubscribing.address(lea, "passed")
    assert message.extra_headers["List-Unsubscribe"] == f"<{address}>"
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in message.body
