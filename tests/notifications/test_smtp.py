"""Letters over a wire, to a real mail server in this process."""

import email
import email.policy
import socket
import warnings
from collections.abc import Iterator

import pytest

from coaching.models import Attempt, Letter
from coaching.notifications import outbox
from coaching.notifications.outbox import wire
from tests.conftest import NOW

with warnings.catch_warnings():
    # The library still looks for what later Pythons have taken out.
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.controller import Controller

pytestmark = pytest.mark.usefixtures("plain_letters")

CALENDAR = """BEGIN:VCALENDAR\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
UID:1@localhost\r
SUMMARY:Coaching session\r
END:VEVENT\r
END:VCALENDAR\r
"""


class Postbox:
    """Takes letters, and answers as it is told."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, email.message.EmailMessage]] = []
        self.rcpt = self.data = "250 fine"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append((*envelope.rcpt_tos, letter))
        if self.data == "gone":
            server.transport.close()
        return self.data


def _free_port() -> int:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        return other.getsockname()[1]


@pytest.fixture
def postbox(settings) -> Iterator[Postbox]:
    postbox = Postbox()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        controller = Controller(postbox, hostname="127.0.0.1", port=_free_port())
        controller.start()
    settings.EMAIL_BACKEND = "coaching.notifications.outbox.wire.Backend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 5
    yield postbox
    controller.stop()


def test_a_letter_arrives_whole_and_says_what_it_is(promised, postbox):
    (letter,) = promised(1)
    assert outbox.deliver_due(now=NOW) == {"sent": 1}
    ((address, message),) = postbox.letters
    assert address == message["To"] == letter.recipient.email
    assert message["Message-ID"] == f"<{letter.message_id}@localhost>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].strip().startswith("<http://localhost:8000/")
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain", "text/html",
    ]  # fmt: skip


def test_one_reader_a_message_over_one_connection(promised, postbox):
    promised(5)
    outbox.deliver_due(now=NOW)
    readers = [address for address, _ in postbox.letters]
    assert len(set(readers)) == len(readers) == 5
    assert all(message["To"].count("@") == 1 for _, message in postbox.letters)


def test_a_meeting_comes_as_an_invitation_that_calendars_know(promised, postbox):
    promised(1)
    Letter.objects.update(context={"link": "/", "ics": CALENDAR})
    outbox.deliver_due(now=NOW)
    ((_, message),) = postbox.letters
    (calendar,) = (part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    assert "UID:1@localhost" in calendar.get_content()


@pytest.mark.parametrize(
    ("rcpt", "data", "outcome", "came"),
    [
        ("550 no such reader", "250 fine", "dead", "refused"),
        ("450 come back later", "250 fine", "postponed", "later"),
        ("250 fine", "451 come back later", "postponed", "later"),
        ("250 fine", "554 too long", "dead", "refused"),
        ("250 fine", "gone", "postponed", "uncertain"),
    ],
)
def test_each_answer_is_understood(promised, postbox, rcpt, data, outcome, came):
    promised(1)
    postbox.rcpt, postbox.data = rcpt, data
    assert outbox.deliver_due(now=NOW) == {outcome: 1}
    assert Attempt.objects.get().outcome == came


def test_a_worker_that_stood_still_past_its_lease_hands_nothing_over(
    promised, postbox, monkeypatch
):
    promised(1)

    def stand_still(step: str, address: str) -> None:
        if step == "recipient taken":
            monkeypatch.setattr(wire, "steady", lambda: float("inf"))

    monkeypatch.setattr(wire.steps, "at_step", stand_still)
    outbox.deliver_due(now=NOW)
    assert postbox.letters == []
