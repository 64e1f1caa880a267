"""The outbox: promised once, claimed by one worker, sent or accounted for."""

import smtplib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from coaching.domain import cadence
from coaching.models import Attempt, Beat, Bounce, Case, Leave, Letter, Notice, OptOut, Pair
from coaching.notifications import messages, outbox
from coaching.notifications.outbox import breaker, claims, delivery, wire
from tests import factories
from tests.conftest import NOW
from tests.notifications.conftest import due_of

pytestmark = pytest.mark.usefixtures("plain_letters")

# Noon in Zurich: everybody of the cast is at work.
AT_WORK = NOW.replace(hour=11)
SECOND = timedelta(seconds=1)


def temporary(message) -> Exception:
    return smtplib.SMTPDataError(451, b"Try again later")


def refused(message) -> Exception:
    return smtplib.SMTPRecipientsRefused({message.to[0]: (550, b"No such user here")})


def a_digest_for(reader, key: str) -> outbox.Message:
    letter = Letter(
        dedupe_key=key, kind=Letter.Kind.DIGEST, recipient=reader, context={"link": "/"}
    )
    return outbox.Message(letter)


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


def leases_end() -> None:
    """As if every worker had been silent for years: leases are in the database's own time."""
    held = Letter.objects.filter(state__in=[Letter.State.LEASED, Letter.State.SENDING])
    held.update(lease_until=datetime(2020, 1, 1, tzinfo=UTC))


def test_a_claim_takes_what_waited_longest_and_nothing_early(promised):
    letters = promised(4)
    Letter.objects.filter(pk=letters[0].pk).update(next_attempt_at=NOW + SECOND)
    first = outbox.claim(now=NOW, limit=2)
    second = outbox.claim(now=NOW, limit=5)
    assert [row.pk for row in first] == [row.pk for row in letters[1:3]]
    assert [row.pk for row in second] == [letters[3].pk]
    assert {(row.state, row.attempts, row.fruitless) for row in first} == {(1, 1, 1)}
    assert outbox.claim(now=NOW, limit=5) == []


def test_a_claim_and_its_letter_take_four_queries(promised, django_assert_num_queries):
    promised(30)
    # The claim, the letters with reader, pair and cohort; days off and kinds not wanted.
    with django_assert_num_queries(4):
        for letter in outbox.claim(now=NOW, limit=20):
            assert letter.recipient.active
            assert not letter.recipient.leaves.all()
            assert not letter.recipient.opt_outs.all()


def test_a_lease_lasts_in_the_database_s_time_whatever_the_simulated_clock_says(promised):
    promised(1)
    outbox.claim(now=NOW, limit=1)
    assert outbox.reap(now=NOW + timedelta(weeks=52)) == 0


def test_a_lease_that_ran_out_puts_the_letter_back(promised, states, server):
    promised(2)
    outbox.claim(now=NOW, limit=2)
    leases_end()
    assert outbox.reap(now=NOW) == 2
    assert outbox.reap(now=NOW) == 0
    assert states() == {"pending": 2}
    assert set(Letter.objects.values_list("attempts", flat=True)) == {1}
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"stopped"}
    assert outbox.deliver_due(now=NOW) == {"sent": 2}


def test_a_worker_whose_lease_ran_out_sends_nothing(promised, states, server):
    promised(1)
    (mine,) = outbox.claim(now=NOW, limit=1)
    leases_end()
    assert not claims.begin(mine)
    outbox.reap(now=NOW)
    (theirs,) = outbox.claim(now=NOW, limit=1)
    assert not claims.begin(mine)
    assert not claims.note(mine, came="sent", at=NOW, state=Letter.State.SENT, sent_at=NOW)
    assert theirs.lease_token != mine.lease_token
    assert states() == {"leased": 1}


def test_what_is_begun_gets_a_whole_lease(promised):
    promised(1)
    (mine,) = outbox.claim(now=NOW, limit=1)
    mine.refresh_from_db()
    claimed_until = mine.lease_until
    assert claims.begin(mine)
    mine.refresh_from_db()
    assert mine.lease_until > claimed_until
    assert mine.state == Letter.State.SENDING


def test_one_that_ends_three_workers_is_put_aside(promised, states):
    promised(1)
    for _ in range(3):
        assert len(outbox.claim(now=NOW, limit=1)) == 1
        leases_end()
        outbox.reap(now=NOW)
    assert outbox.claim(now=NOW, limit=1) == []
    letter = Letter.objects.get()
    assert (letter.state, letter.failure) == (Letter.State.DEAD, "poison")
    assert letter.outcome == "Every worker that took it stopped, 3 in a row."


def test_a_try_with_a_result_is_not_fruitless(promised, server):
    (letter,) = promised(1)
    for _ in range(2):
        outbox.claim(now=NOW, limit=1)
        leases_end()
        outbox.reap(now=NOW)
    server.answer = temporary
    outbox.deliver_due(now=NOW)
    letter.refresh_from_db()
    assert (letter.fruitless, letter.attempts) == (0, 3)


def test_what_may_end_its_worker_is_sent_alone(promised, server):
    letters = promised(3)
    Letter.objects.filter(pk=letters[0].pk).update(fruitless=1)
    in_hand = []

    def look(message):
        in_hand.append(Letter.objects.filter(state__in=[1, 2]).count())

    server.answer = look
    round_ = delivery.Round(now=NOW, limit=9, seconds=None, on_trial=False)
    first = round_._take()
    assert first.letter.pk == letters[0].pk
    assert first.letter.fruitless == 2
    assert outbox.claim(now=NOW, limit=9, fruitless=0) != []


# -- a worker that stopped between handing over and the answer --------------------------------


@pytest.fixture
def half_sent(promised) -> Letter:
    """Begun by a worker that is no more; the mail server may have it."""
    promised(1)
    (letter,) = outbox.claim(now=NOW, limit=1)
    claims.begin(letter)
    leases_end()
    return letter


def test_by_default_it_is_sent_again_at_once_with_the_same_message_id(half_sent, server):
    outbox.reap(now=NOW)
    assert outbox.deliver_due(now=NOW) == {"sent": 1}
    assert str(half_sent.message_id) in server.accepted[0].extra_headers["Message-ID"]


def test_it_can_be_held_for_somebody_to_decide(half_sent, settings, states, server):
    settings.LETTERS_UNCERTAIN = "hold"
    outbox.reap(now=NOW)
    assert states() == {"uncertain": 1}
    assert outbox.settle(now=NOW + timedelta(days=9)) == 0
    assert outbox.deliver_due(now=NOW + timedelta(days=5)) == {}


@pytest.mark.parametrize(("listed", "state"), [(True, "sent"), (False, "pending")])
def test_the_mail_server_s_own_record_can_tell(
    half_sent, settings, states, tmp_path, listed, state
):
    settings.LETTERS_UNCERTAIN = "reconcile"
    settings.LETTERS_RECORD = str(tmp_path / "mail.log")
    settings.LETTERS_RECORD_DELAY = 60
    line = f"2027-03-01 <= us@here id=<{half_sent.message_id}@localhost>\n"
    (tmp_path / "mail.log").write_text(line if listed else "")
    outbox.reap(now=NOW)
    assert states() == {"uncertain": 1}
    # The record may be late: nothing is asked before its stated delay.
    assert outbox.settle(now=NOW + timedelta(seconds=59)) == 0
    assert outbox.settle(now=NOW + timedelta(seconds=60)) == 1
    assert states() == {state: 1}


def test_a_record_that_cannot_be_read_settles_nothing(half_sent, settings, states):
    settings.LETTERS_UNCERTAIN = "reconcile"
    settings.LETTERS_RECORD = "/nowhere/mail.log"
    outbox.reap(now=NOW)
    with pytest.raises(claims.record.RecordUnreadable):
        outbox.settle(now=NOW + timedelta(hours=1))
    assert states() == {"uncertain": 1}


@pytest.mark.parametrize(
    ("policy", "state"), [("resend", "pending"), ("hold", "uncertain"), ("reconcile", "uncertain")]
)
def test_silence_after_the_whole_letter_is_treated_the_same(
    promised, settings, states, server, policy, state
):
    settings.LETTERS_UNCERTAIN = policy
    promised(1)
    server.answer = lambda message: wire.AnswerMissing("timed out")
    outbox.deliver_due(now=NOW)
    assert states() == {state: 1}
    assert Attempt.objects.get().outcome == "uncertain"


# -- what becomes of a letter --------------------------------------------------------------


def test_a_letter_is_sent_once(promised, states, server):
    promised(120)
    assert outbox.deliver_due(now=NOW) == {"sent": 120}
    assert outbox.deliver_due(now=NOW) == {}
    assert len(set(server.addresses)) == len(server.addresses) == 120
    assert states() == {"sent": 120}
    assert server.connections == 1
    letter = Letter.objects.first()
    assert letter.sent_at >= NOW
    assert (letter.attempts, letter.fruitless, letter.outcome) == (1, 0, "")
    assert Attempt.objects.filter(outcome="sent").count() == 120


def test_a_letter_carries_its_own_message_id_and_both_bodies(promised, server):
    (letter,) = promised(1)
    outbox.deliver_due(now=NOW)
    (message,) = server.accepted
    assert message.extra_headers["Message-ID"] == f"<{letter.message_id}@localhost>"
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert message.subject == "A letter"
    assert message.body.startswith("For Reader: /\n")
    assert message.alternatives[0].mimetype == "text/html"


def test_no_more_than_the_limit(promised, states, server):
    promised(7)
    assert outbox.deliver_due(now=NOW, limit=5) == {"sent": 5}
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
    letter = Letter.objects.first()
    assert "No such user here" in letter.outcome
    assert letter.failure == "refused"


def test_after_two_refusals_nothing_is_sent_to_an_address(lea, server):
    server.answer = refused
    for number in range(3):
        outbox.promise([a_digest_for(lea, f"{number}")], now=AT_WORK)
        outbox.deliver_due(now=AT_WORK)
    assert server.tried == [lea.email] * 2
    bounce = Bounce.objects.get()
    assert (bounce.email, bounce.times) == (lea.email, 2)
    last = Letter.objects.get(dedupe_key="2")
    assert last.state == Letter.State.CANCELLED
    assert "until somebody frees it" in last.outcome


def test_refusals_long_apart_do_not_add_up(lea, server):
    server.answer = refused
    for number, days in enumerate((0, 90)):
        later = AT_WORK + timedelta(days=days)
        outbox.promise([a_digest_for(lea, f"{number}")], now=later)
        Letter.objects.update(next_attempt_at=later)
        outbox.deliver_due(now=later)
    assert Bounce.objects.get().suppressed_at is None


def test_a_refused_text_says_nothing_of_the_address(promised, states, server):
    promised(1)
    server.answer = lambda message: smtplib.SMTPDataError(554, b"Too long")
    assert outbox.deliver_due(now=NOW) == {"dead": 1}
    assert not Bounce.objects.exists()


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
    # Somewhere within two, four and eight minutes.
    for wait, minutes in zip(waits, (2, 4, 8), strict=True):
        assert 0 < wait / timedelta(minutes=1) <= minutes + 0.1
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
    assert timedelta(hours=18) < now - NOW < timedelta(days=4)
    letter.refresh_from_db()
    assert letter.outcome.startswith("Given up: 451 Try again later")


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
    assert outbox.deliver_due(now=NOW) == {"postponed": 1}
    assert states() == {"pending": 60}
    assert set(Letter.objects.values_list("attempts", flat=True)) == {0}
    assert Letter.objects.get(failure="unreached").outcome.endswith("Connection refused")
    server.is_up = lambda: True
    # Nobody asks it again within the minute; then one letter tries, and all follow.
    assert outbox.deliver_due(now=NOW + 30 * SECOND) == {}
    assert outbox.deliver_due(now=NOW + 90 * SECOND) == {"sent": 60}
    assert breaker.since() is None


def test_a_server_that_stays_away_is_asked_every_five_minutes_by_one_letter(promised, server):
    promised(60)
    server.is_up = lambda: False
    now, asked = NOW, 0
    while now < NOW + timedelta(hours=1):
        # Four workers at a time.
        asked += sum(outbox.deliver_due(now=now).get("postponed", 0) for _ in range(4))
        now += timedelta(minutes=1)
    assert 10 <= asked <= 15
    assert set(Letter.objects.values_list("attempts", flat=True)) == {0}


def test_a_server_that_goes_down_in_between_gives_the_rest_back(promised, states, server):
    promised(5)
    server.is_up = lambda: len(server.tried) < 3
    server.answer = lambda message: (
        smtplib.SMTPServerDisconnected("Gone") if len(server.tried) == 3 else None
    )
    assert outbox.deliver_due(now=NOW) == {"sent": 2, "postponed": 2}
    assert sorted(Letter.objects.values_list("attempts", flat=True)) == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    "refusal",
    [
        smtplib.SMTPSenderRefused(530, b"Log in first", "lanemate"),
        smtplib.SMTPAuthenticationError(535, b"Wrong password"),
        smtplib.SMTPRecipientsRefused({"x@example.com": (530, b"Log in first")}),
    ],
)
def test_a_server_that_refuses_us_uses_no_attempts(promised, states, server, caplog, refusal):
    promised(3)
    server.answer = lambda message: refusal
    assert outbox.deliver_due(now=NOW)["postponed"] >= 1
    assert len(server.tried) == 1
    assert set(Letter.objects.values_list("attempts", flat=True)) == {0}
    assert states() == {"pending": 3}
    assert Letter.objects.filter(failure="sender").exists()
    assert Beat.objects.get(name=breaker.STOPPED).at >= NOW
    assert "nothing is sent" in caplog.text
    assert not Bounce.objects.exists()


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
    Pair.objects.filter(pk=pair.pk).update(state="passed", passed_at=NOW)
    outbox.deliver_due(now=AT_WORK)
    outcomes = {letter.kind: letter.get_state_display() for letter in Letter.objects.all()}
    assert outcomes == {
        "reminder": "Not needed any more", "invitation": "Not needed any more", "passed": "Sent",
    }  # fmt: skip
    assert Letter.objects.get(kind="reminder").outcome == "The pair has passed."


def test_what_was_looked_at_a_while_ago_is_looked_at_again(pair, lea, server, monkeypatch):
    monkeypatch.setattr(delivery, "FRESH", -1.0)
    outbox.promise([messages.invitation(pair, lea)], now=AT_WORK)
    as_written = wire.written

    def passes_meanwhile(letter):
        Pair.objects.filter(pk=pair.pk).update(state="passed", passed_at=NOW)
        return as_written(letter)

    monkeypatch.setattr(wire, "written", passes_meanwhile)
    assert outbox.deliver_due(now=AT_WORK) == {"cancelled": 1}
    assert server.tried == []


def test_so_is_what_was_begun_while_the_letter_before_was_on_its_way(
    promised, pair, lea, server, states, monkeypatch
):
    monkeypatch.setattr(delivery, "FRESH", -1.0)
    promised(1)
    outbox.promise([messages.invitation(pair, lea)], now=AT_WORK)
    as_begun = claims.begin

    def passes_meanwhile(letter):
        begun = as_begun(letter)
        Pair.objects.filter(pk=letter.pair_id).update(state="passed", passed_at=NOW)
        return begun

    monkeypatch.setattr(claims, "begin", passes_meanwhile)
    assert outbox.deliver_due(now=AT_WORK) == {"sent": 1, "cancelled": 1}
    assert len(server.tried) == 1
    assert states() == {"cancelled": 1, "sent": 1}


@pytest.mark.parametrize(("policy", "begun"), [("resend", 2), ("hold", 1)])
def test_nobody_has_to_decide_about_a_letter_that_was_not_handed_over(
    promised, settings, server, monkeypatch, policy, begun
):
    """The next one is begun early, but not where each one begun is a person's question."""
    settings.LETTERS_UNCERTAIN = policy
    promised(2)
    most = []
    as_settled = delivery.Round._settle

    def look(self, *given):
        most.append(Letter.objects.filter(state=Letter.State.SENDING).count())
        as_settled(self, *given)

    monkeypatch.setattr(delivery.Round, "_settle", look)
    assert outbox.deliver_due(now=NOW) == {"sent": 2}
    assert max(most) == begun


def test_who_is_away_gets_it_afterwards_and_no_attempt_is_used(pair, lea, server):
    outbox.promise([messages.passed(pair, lea)], now=AT_WORK)
    Leave.objects.create(
        person=lea, first_day=NOW.date(), last_day=NOW.date() + timedelta(days=2), noted_at=NOW
    )
    assert outbox.deliver_due(now=AT_WORK) == {"waiting": 1}
    letter = Letter.objects.get()
    assert (letter.state, letter.attempts) == (Letter.State.PENDING, 0)
    assert letter.next_attempt_at.astimezone(lea.zone).date() == NOW.date() + timedelta(days=3)
    assert outbox.deliver_due(now=letter.next_attempt_at) == {"sent": 1}


def test_a_weekly_note_that_would_come_too_late_does_not_come(pair, lea, server):
    outbox.promise([messages.reminder(pair, lea, due=NOW, last=None, sessions=0)], now=NOW)
    Leave.objects.create(person=lea, first_day=NOW.date(), noted_at=NOW, last_day=NOW.date() +
                         timedelta(days=6))  # fmt: skip
    outbox.deliver_due(now=AT_WORK)
    assert Letter.objects.get().state == Letter.State.CANCELLED


def test_a_kind_that_is_not_wanted_is_told_inside_only(promised, server):
    (letter,) = promised(1)
    OptOut.objects.create(person=letter.recipient, kind="digest", at=NOW)
    assert outbox.deliver_due(now=NOW) == {"cancelled": 1}
    assert "not want" in Letter.objects.get().outcome


def test_of_stale_weekly_notes_only_the_newest_goes(pair, lea, server):
    for weeks in (2, 1, 0):
        earlier = NOW - timedelta(weeks=weeks)
        note = messages.reminder(pair, lea, due=earlier, last=None, sessions=0)
        note.letter.expires_at = None
        outbox.promise([note], now=earlier)
    assert outbox.deliver_due(now=AT_WORK) == {"cancelled": 2, "sent": 1}
    newest = Letter.objects.order_by("-created_at").first()
    assert newest.state == Letter.State.SENT


def test_whoever_does_not_look_after_a_pair_any_more_is_not_asked(pair, mara, otto, server):
    Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW)
    case = Case.objects.get()
    outbox.promise([messages.escalation(case, mara, why="No session.")], now=NOW)
    Pair.objects.filter(pk=pair.pk).update(state="stuck")
    pair.learner.team.manager = otto
    pair.learner.team.save()
    assert outbox.deliver_due(now=AT_WORK) == {"cancelled": 1}
    assert "does not look after this pair any more" in Letter.objects.get().outcome


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
    assert not claims.release(held, state=Letter.State.SENT, sent_at=NOW)
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
    assert len(weeks) == 1
