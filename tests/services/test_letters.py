"""What somebody decides about letters that went wrong."""

from datetime import timedelta

import pytest

from coaching.models import Bounce, Event, Letter
from coaching.services import letters
from tests.conftest import NOW


@pytest.fixture
def letter(lea):
    return Letter.objects.create(
        dedupe_key="one", kind="digest", recipient=lea, created_at=NOW, next_attempt_at=NOW,
        context={"link": "/"}, state=Letter.State.UNCERTAIN, attempts=3, fruitless=3,
    )  # fmt: skip


def test_one_that_was_perhaps_sent_is_sent_again(letter, hanna):
    message_id = letter.message_id
    letters.resend(letter=letter, by=hanna, now=NOW)
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.fruitless) == (Letter.State.PENDING, 0, 0)
    assert letter.message_id == message_id
    assert Event.objects.get().verb == "letter.resent"
    with pytest.raises(letters.NothingToDecide):
        letters.mark_sent(letter=letter, by=hanna, now=NOW)


def test_or_taken_for_sent(letter, hanna):
    letters.mark_sent(letter=letter, by=hanna, now=NOW)
    letter.refresh_from_db()
    assert (letter.state, letter.sent_at) == (Letter.State.SENT, NOW)
    assert letter.tries.get().detail == "Decided by Hanna Reuter."


def test_one_that_is_of_no_use_any_more_is_not_sent_again(letter, hanna):
    letter.expires_at = NOW - timedelta(hours=1)
    with pytest.raises(letters.TooLate):
        letters.resend(letter=letter, by=hanna, now=NOW)


def test_an_address_is_freed_once(lea, hanna):
    bounce = Bounce.objects.create(email=lea.email, times=2, last_at=NOW, suppressed_at=NOW)
    letters.free(bounce=bounce, by=hanna, now=NOW)
    assert Event.objects.get().subject_id == lea.public_id
    with pytest.raises(letters.NotSuppressed):
        letters.free(bounce=bounce, by=hanna, now=NOW)


# -- the page -----------------------------------------------------------------------------


def test_hr_decides_on_the_page_without_reading_the_letter(letter, client_of, hanna, lea):
    letter.context = {"link": "/", "week_of": "a secret"}
    letter.save()
    hr = client_of(hanna)
    page = hr.get("/letters/troubled/").text
    assert "Perhaps sent" in page
    assert "a secret" not in page
    hr.post(f"/letters/{letter.public_id}/sent/")
    assert Letter.objects.get().state == Letter.State.SENT
    Bounce.objects.create(pk=7, email=lea.email, times=2, last_at=NOW, suppressed_at=NOW)
    assert lea.email in hr.get("/letters/troubled/").text
    hr.post("/letters/addresses/7/free/")
    assert Bounce.objects.get().suppressed_at is None


def test_for_managers_and_staff_the_page_is_not_there(letter, mara_client, lea_client):
    for client in (mara_client, lea_client):
        assert client.get("/letters/troubled/").status_code == 404
        assert client.post(f"/letters/{letter.public_id}/resend/").status_code == 404
    assert Letter.objects.get().state == Letter.State.UNCERTAIN
