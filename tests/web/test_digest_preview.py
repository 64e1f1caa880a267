"""The page shows the digest that is sent, byte for byte, and only one's own."""

import re
from datetime import timedelta

import pytest
from django.core import mail

from coaching.models import Case, Look
from coaching.notifications import outbox
from coaching.queries import clock
from coaching.services import digests
from tests import factories


def first_html(message) -> str:
    (alternative,) = message.alternatives
    return alternative[0]


@pytest.mark.parametrize("who", ["mara", "lea", "ivo"])
def test_what_the_page_shows_is_what_is_sent(who, request, client_of, pair, now, monkeypatch):
    reader = request.getfixturevalue(who)
    Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    Look.objects.create(
        pair=pair, week=now.date(), number=1, n=40, level=3.31, se=0.1, p_reached=0.1, taken_at=now
    )
    factories.hold_session(pair, now.date() + timedelta(days=3))
    digests.write_due(now=now)
    # On Friday the reader looks ahead; on Monday the digest goes out.
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=4))
    client = client_of(reader)
    page = client.get("/digest/")
    frame = client.get("/digest/html/")
    monday = now + timedelta(days=7)
    assert digests.write_due(now=monday) == 3
    outbox.deliver_due(now=monday)
    (message,) = [message for message in mail.outbox if message.to == [reader.email]]
    assert frame.text == first_html(message)
    assert message.subject in page.text
    (text,) = re.findall(r'<pre class="letter-text">(.*?)</pre>', page.text, re.DOTALL)
    assert text == message.body.replace("&", "&amp;").replace("'", "&#x27;").replace('"', "&quot;")
    assert "default-src &#x27;none&#x27;" not in frame["Content-Security-Policy"]
    assert "default-src 'none'" in frame["Content-Security-Policy"]


def test_who_has_nothing_to_read_sees_why(client_of, hanna, otto):
    for person in (hanna, otto):
        client = client_of(person)
        assert "Nothing to tell" in client.get("/digest/").text
        assert client.get("/digest/html/").status_code == 404


def test_whoever_turned_digests_off_reads_them_here(lea_client, lea, pair, now):
    from coaching.services import preferences

    preferences.turn_off(person=lea, kind="digest", now=now)
    page = lea_client.get("/digest/")
    assert "turned digests off" in page.text
    assert "Your week in Lanemate" in page.text


def test_a_stranger_signs_in_first(client, db):
    for path in ("/digest/", "/digest/html/"):
        assert client.get(path).url.startswith("/login/")
