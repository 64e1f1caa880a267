"""The outbox: promised once, claimed by one worker, sent or accounted for."""

import smtplib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.mail import get_connection

from coaching.domain import cadence
from coaching.models import Case, Letter, Notice, Pair
from coaching.notifications import messages, outbox
from tests import factories
from tests.conftest import NOW
from tests.notifications.conftest import due_of

pytestmark = pytest.mark.usefixtures("plain_letters")

LEASE = timedelta(seconds=django_settings.LETTER_LEASE_SECONDS)
# Noon in Zurich: everybody of the cast is at work.
AT_WORK = NOW.replace(hour=11)
SECOND = timedelta(seconds=1)


def temporary(message) -> Exception:
    return smtplib.SMTPDataError(451, b"Try again later")


def refused(message) -> Exception:
    return smtplib.SMTPRecipientsRefused({message.to[0]: (550, b"No such user here")})


# -- promises --------------------------------------------------------------------------


def test_a_promise_made_twice_is_one_letter_and_one_notice(pair, lea):
    for _ in range(2):
        outbox.promise([messages.invitation(pair, lea)], now=NOW)
    outbox.promise([messages.invitation(pair, lea), messages.invitation(pair, pair.coach)], now=NOW)
    assert Letter.objects.filter(recipient=lea).count() == 1
    assert Letter.objects.count() == Notice.objects.count() == 2


def test_the_longest_names_fit_into_a_notice(pair, lea):
    lea.name, pair.metric.name = "Lea " + "B" * 196, "M" * 120
    pair.learner = lea
    outbox.promise([messages.passed(pair, lea)], now=NOW)
    notice = Notice.objects.get()
    assert len(notice.text) == 300
    assert notice.text.endswith("…")


def test_only_unclaimed_letters_are_withdrawn(promised, states):
    promised(3)
    outbox.claim(now=NOW, limit=1)
    assert outbox.withdraw(Letter.objects.all(), why="Not needed.") == 2
    assert states() == {"cancelled": 2, "leased": 1}


# -- claims ----------------------------------------------------------------------------


def test_a_claim_takes_what_waited_longest_and_nothing_early(promised):
    letters = promised(4)
    Letter.objects.filter(pk=letters[0].pk).update(next_attempt_at=NOW + SECOND)
    first = outbox.claim(now=NOW, limit=2)
    second = outbox.claim(now=NOW, limit=5)
    assert [row.pk for row in first] == [row.pk for row in letters[1:3]]
    assert [row.pk for row in second] == [letters[3].pk]
    assert {row.lease_until for row in first} == {NOW + LEASE}
    assert outbox.claim(now=NOW, limit=5) == []


def test_a_lease_that_ran_out_puts_the_letter_back(promised, states, server):
    promised(2)
    outbox.claim(now=NOW, limit=2)
    assert outbox.reap(now=NOW + LEASE - SECOND) == 0
    assert outbox.reap(now=NOW + LEASE) == 2
    assert states() == {"pending": 2}
    # Whoever was only waiting in a dead worker's batch has not been tried.
    assert set(Letter.objects.values_list("attempts", flat=True)) == {0}
    assert outbox.deliver_due(now=NOW + LEASE) == {"sent": 2}


def test_a_worker_whose_lease_ran_out_sends_nothing(promised, states, server):
    promised(1)
    (mine,) = outbox.claim(now=NOW, limit=1)
    late = NOW + LEASE + SECOND
    assert outbox.send(mine, mail=None, now=late) == "lost"
    outbox.reap(now=late)
    (theirs,) = outbox.claim(now=late, limit=1)
    assert outbox.send(mine, mail=None, now=late) == "lost"
    assert theirs.lease_token != mine.lease_token
    assert server.tried == []
    assert states() == {"leased": 1}


def test_each_letter_of_a_batch_gets_the_whole_lease(promised, server):
    promised(2)
    _, last = outbox.claim(now=NOW, limit=2)
    begun = NOW + LEASE - SECOND

    def look(message):
        last.refresh_from_db()
        assert (last.state, last.lease_until) == (Letter.State.SENDING, begun + LEASE)

    server.answer = look
    assert outbox.send(last, mail=get_connection(), now=begun) == "sent"


def test_a_letter_that_ends_every_worker_is_put_aside(promised, states):
    (letter,) = promised(1)
    now = NOW
    for _ in range(outbox.MAX_ATTEMPTS):
        (held,) = outbox.claim(now=now, limit=1)
        assert outbox._begin(held, now=now)
        now += 2 * LEASE
        outbox.reap(now=now)
    assert states() == {"uncertain": 1}
    assert "perhaps it was sent" in Letter.objects.get(pk=letter.pk).outcome


# -- what becomes of a letter --------------------------------------------------------------


def test_a_letter_is_sent_once(promised, states, server):
    promised(120)
    assert outbox.deliver_due(now=NOW) == {"sent": 120}
    assert outbox.deliver_due(now=NOW) == {}
    assert len(set(server.addresses)) == len(server.addresses) == 120
    assert states() == {"sent": 120}
    # Three batches, three connections.
    assert server.connections == 3
    letter = Letter.objects.first()
    assert letter.sent_at >= NOW
    assert (letter.attempts, letter.outcome) == (1, "")


def test_a_letter_carries_its_own_message_id_and_both_bodies(promised, server):
    (letter,) = promised(1)
    outbox.deliver_due(now=NOW)
    (message,) = server.accepted
    assert message.extra_headers["Message-ID"] == f"<{letter.message_id}@localhost>"
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert message.subject == "A letter"
    assert message.body == "For Reader: /\n"
    assert message.alternatives[0].mimetype == "text/html"


def test_no_more_than_the_limit(promised, states, server):
    promised(7)
    assert outbox.deliver_due(now=NOW, batch=2, limit=5) == {"sent": 5}
    assert states() == {"pending": 2, "sent": 5}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"active": False}, "has left"),
        ({"email": ""}, "has no e-mail address; told inside Lanemate only"),
    ],
)
def test_who_has_left_or_has_no_address_gets_no_letter(promised, change, outcome, server):
    (letter,) = promised(1)
    type(letter.recipient).objects.filter(pk=letter.recipient_id).update(**change)
    assert outbox.deliver_due(now=NOW) == {"cancelled": 1}
    letter.refresh_from_db()
    assert outcome in letter.outcome
    assert server.tried == []


def test_a_letter_that_is_too_late_is_not_sent(promised, server):
    (letter,) = promised(1, expires_at=NOW)
    assert outbox.deliver_due(now=NOW) == {"cancelled": 1}
    letter.refresh_from_db()
    assert letter.outcome == "Too late to be of use."


def test_a_refused_address_is_the_end(promised, states, server):
    promised(3)
    server.answer = refused
    assert outbox.deliver_due(now=NOW) == {"dead": 3}
    assert states() == {"dead": 3}
    assert outbox.deliver_due(now=NOW + timedelta(days=3)) == {}
    assert "No such user here" in Letter.objects.first().outcome


def test_one_refused_address_does_not_stop_the_others(promised, states, server):
    bad = promised(3)[1].recipient.email
    server.answer = lambda message: refused(message) if message.to == [bad] else None
    assert outbox.deliver_due(now=NOW) == {"sent": 2, "dead": 1}
    assert server.connections == 1


def test_later_is_later_with_the_same_message_id(promised, server):
    (letter,) = promised(1)
    server.answer = temporary
    assert outbox.deliver_due(now=NOW) == {"postponed": 1}
    waits = []
    for _ in range(3):
        due = due_of(letter)
        assert outbox.deliver_due(now=due - SECOND) == {}
        assert outbox.deliver_due(now=due) == {"postponed": 1}
        waits.append(due_of(letter) - due)
    # Two, four and eight minutes, each shortened by at most a half.
    for wait, minutes in zip(waits, (2, 4, 8), strict=True):
        assert minutes / 2 <= wait / timedelta(minutes=1) <= minutes + 0.1
    server.answer = lambda message: None
    assert outbox.deliver_due(now=due_of(letter)) == {"sent": 1}
    assert server.accepted[0].extra_headers["Message-ID"].startswith(f"<{letter.message_id}@")
    letter.refresh_from_db()
    assert letter.attempts == 5


def test_a_server_that_says_later_is_asked_for_days_and_not_for_ever(promised, states, server):
    (letter,) = promised(1)
    server.answer = temporary
    now = NOW
    while states() == {"pending": 1}:
        now = max(now, due_of(letter))
        outbox.deliver_due(now=now)
    assert states() == {"dead": 1}
    assert timedelta(days=1) < now - NOW < timedelta(days=4)
    letter.refresh_from_db()
    assert letter.outcome.startswith("Given up: (451")


def test_a_temporary_refusal_of_an_address_is_tried_again(promised, server):
    promised(1)
    server.answer = lambda message: smtplib.SMTPRecipientsRefused({message.to[0]: (450, b"Grey")})
    assert outbox.deliver_due(now=NOW) == {"postponed": 1}


def test_a_broken_connection_costs_one_letter_one_attempt(promised, states, server):
    promised(5)
    server.answer = lambda message: (
        smtplib.SMTPServerDisconnected("Gone") if len(server.tried) == 2 else None
    )
    assert outbox.deliver_due(now=NOW) == {"sent": 4, "postponed": 1}
    assert sorted(Letter.objects.values_list("attempts", flat=True)) == [1] * 5
    assert states() == {"pending": 1, "sent": 4}


def test_without_a_mail_server_nothing_is_lost_and_no_attempt_used(promised, states, server):
    promised(60)
    server.is_up = lambda: False
    assert outbox.deliver_due(now=NOW) == {"postponed": 50}
    assert states() == {"pending": 60}
    assert set(Letter.objects.values_list("attempts", flat=True)) == {0}
    assert Letter.objects.filter(outcome__contains="Connection refused").count() == 50
    server.is_up = lambda: True
    assert outbox.deliver_due(now=NOW + 2 * outbox.FIRST_BACKOFF) == {"sent": 60}


def test_a_server_that_goes_down_in_between_gives_the_rest_back(promised, states, server):
    promised(5)
    server.is_up = lambda: len(server.tried) < 3
    server.answer = lambda message: (
        smtplib.SMTPServerDisconnected("Gone") if len(server.tried) == 3 else None
    )
    assert outbox.deliver_due(now=NOW) == {"sent": 2, "postponed": 3}
    assert sorted(Letter.objects.values_list("attempts", flat=True)) == [0, 0, 1, 1, 1]


def test_a_server_that_refuses_us_as_sender_uses_no_attempts(promised, states, server):
    promised(3)
    server.answer = lambda message: smtplib.SMTPSenderRefused(530, b"Log in first", "lanemate")
    assert outbox.deliver_due(now=NOW) == {"postponed": 3}
    assert len(server.tried) == 1
    assert set(Letter.objects.values_list("attempts", flat=True)) == {0}
    assert states() == {"pending": 3}


def test_a_letter_that_cannot_be_written_stops_no_other_and_ends_after_eight(
    promised, pair, lea, states, server, plain_letters
):
    promised(3)
    (plain_letters / "invitation" / "body.txt").write_text("{% if %}")
    outbox.promise([messages.invitation(pair, lea)], now=NOW - SECOND)
    letter = Letter.objects.get(kind="invitation")
    now = AT_WORK
    assert outbox.deliver_due(now=now) == {"sent": 3, "postponed": 1}
    while Letter.objects.get(pk=letter.pk).state == Letter.State.PENDING:
        now = due_of(letter)
        outbox.deliver_due(now=now)
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == (Letter.State.DEAD, 8)
    assert states() == {"dead": 1, "sent": 3}


# -- the gate before sending -----------------------------------------------------------------


def test_a_pair_that_passed_meanwhile_is_not_reminded(pair, lea, server):
    outbox.promise(
        [
            messages.reminder(pair, lea, due=NOW, last=None, sessions=0),
            messages.invitation(pair, lea),
            messages.passed(pair, lea),
        ],
        now=NOW,
    )
    held = outbox.claim(now=NOW + timedelta(hours=5), limit=9)
    Pair.objects.filter(pk=pair.pk).update(state="passed", passed_at=NOW)
    outcomes = {
        letter.kind: outbox.send(letter, mail=get_connection(), now=NOW + LEASE / 2)
        for letter in held
    }
    assert outcomes == {"reminder": "cancelled", "invitation": "cancelled", "passed": "sent"}
    assert Letter.objects.get(kind="reminder").outcome == "The pair has passed."


@pytest.mark.parametrize(("state", "outcome"), [("stuck", "sent"), ("at_risk", "cancelled")])
def test_a_manager_is_not_asked_to_decide_what_is_decided(pair, mara, server, state, outcome):
    case = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW)
    outbox.promise([messages.escalation(case, mara, why="No session.")], now=NOW)
    Pair.objects.filter(pk=pair.pk).update(state=state)
    assert outbox.deliver_due(now=AT_WORK) == {outcome: 1}


def test_nobody_is_woken_by_a_number_that_has_arrived(pair, lea, server):
    night = NOW.replace(hour=2)
    outbox.promise([messages.passed(pair, lea)], now=night)
    assert outbox.deliver_due(now=night) == {}
    assert outbox.deliver_due(now=AT_WORK) == {"sent": 1}


def test_a_stranger_cannot_release_a_letter(promised, states):
    promised(1)
    (held,) = outbox.claim(now=NOW, limit=1)
    held.lease_token = uuid4()
    assert not outbox._release(held, state=Letter.State.SENT, sent_at=NOW)
    assert states() == {"leased": 1}


# -- when reminders go out -------------------------------------------------------------------


@pytest.mark.parametrize(
    "zones",
    [
        ("Europe/Zurich", "Europe/Zurich"),
        ("Europe/Zurich", "America/Los_Angeles"),
        ("America/Los_Angeles", "Asia/Tokyo"),
        ("Pacific/Auckland", "Pacific/Honolulu"),
    ],
)
def test_a_reminder_reaches_both_in_their_morning_of_one_week(team, csat, zones):
    learner, coach = (factories.make_person(team=team, time_zone=zone) for zone in zones)
    cohort = factories.make_cohort(team, csat, now=NOW)
    pair = factories.make_pair(learner, coach, metric=csat, cohort=cohort, now=NOW)
    due = pair.next_reminder_at
    weeks = set()
    for reader in (learner, coach):
        letter = messages.reminder(pair, reader, due=due, last=None, sessions=0).letter
        local = letter.next_attempt_at.astimezone(reader.zone)
        assert local.time() == cadence.quiet_minute(reader.public_id)
        assert timedelta(0) <= letter.next_attempt_at - due < timedelta(hours=29)
        assert local.weekday() < cadence.SATURDAY
        weeks.add(letter.dedupe_key.split(":")[2])
    assert weeks == {"2027-W09"}
