"""Letters under any order of events: promised, claimed, sent, killed, reaped, withdrawn."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from coaching.models import Attempt, Letter, Notice
from coaching.notifications import outbox
from coaching.notifications.outbox import claims
from tests import factories
from tests.conftest import NOW

# A short walk in every run of the suite; a long one with LONG=1.
LONG = bool(os.environ.get("LONG"))
MOST_LETTERS = 6
State = Letter.State


class Letters(RuleBasedStateMachine):
    """Several workers at one outbox; `sent` is what the mail server has accepted, and when."""

    def __init__(self) -> None:
        super().__init__()
        # All walks share the test's transaction.
        Letter.objects.all().delete()
        self.now = NOW
        self.reader = factories.make_person()
        self.hands: list[Letter] = []
        self.accepted: list[int] = []
        self.unanswered: set[int] = set()

    @rule(number=strategies.integers(0, MOST_LETTERS - 1))
    def promise(self, number: int) -> None:
        letter = Letter(
            dedupe_key=f"{self.reader.pk}:{number}", kind=Letter.Kind.DIGEST,
            recipient=self.reader, next_attempt_at=self.now,
        )  # fmt: skip
        notice = Notice(person=self.reader, text="-", dedupe_key=letter.dedupe_key)
        outbox.promise([outbox.Message(letter, notice)], now=self.now)

    @rule(limit=strategies.integers(1, 3))
    def claim(self, limit: int) -> None:
        self.hands += outbox.claim(now=self.now, limit=limit)

    @precondition(lambda self: self.hands)
    @rule(data=strategies.data())
    def begin(self, data) -> None:
        letter = data.draw(strategies.sampled_from(self.hands))
        if claims.begin(letter):
            letter.state = State.SENDING

    @precondition(lambda self: any(letter.state == State.SENDING for letter in self.hands))
    @rule(data=strategies.data(), answered=strategies.booleans())
    def hand_over(self, data, answered: bool) -> None:
        """The mail server accepts; the worker hears of it, or dies before it can say so."""
        begun = [letter for letter in self.hands if letter.state == State.SENDING]
        letter = data.draw(strategies.sampled_from(begun))
        self.hands.remove(letter)
        self.accepted.append(letter.pk)
        noted = answered and claims.note(
            letter, came="sent", at=self.now, state=State.SENT, sent_at=self.now
        )
        if not noted:
            self.unanswered.add(letter.pk)

    @precondition(lambda self: self.hands)
    @rule(data=strategies.data())
    def put_off(self, data) -> None:
        letter = data.draw(strategies.sampled_from(self.hands))
        self.hands.remove(letter)
        claims.release(letter, next_attempt_at=self.now + timedelta(minutes=1))

    @precondition(lambda self: self.hands)
    @rule()
    def die(self) -> None:
        """Every worker is gone, and so much time with them that their leases are over."""
        self.hands.clear()
        self._leases_end()

    @rule()
    def freeze(self) -> None:
        """Leases end, and the workers do not know."""
        self._leases_end()

    @rule()
    def reap(self) -> None:
        self.now += timedelta(minutes=2)
        outbox.reap(now=self.now)

    @rule()
    def withdraw(self) -> None:
        outbox.withdraw(self._rows().filter(pk__in=self._rows()[:1].values("pk")), why="-")

    def _rows(self):
        return Letter.objects.filter(recipient=self.reader)

    def _leases_end(self) -> None:
        held = self._rows().filter(state__in=[State.LEASED, State.SENDING])
        held.update(lease_until=datetime(2020, 1, 1, tzinfo=UTC))

    @invariant()
    def each_promise_is_one_letter_and_one_notice(self) -> None:
        keys = set(self._rows().values_list("dedupe_key", flat=True))
        notices = set(self.reader.notices.values_list("dedupe_key", flat=True))
        assert keys == notices

    @invariant()
    def what_is_sent_was_accepted(self) -> None:
        sent = set(self._rows().filter(state=State.SENT).values_list("pk", flat=True))
        assert sent <= set(self.accepted)

    @invariant()
    def a_copy_has_a_silence_before_it(self) -> None:
        copied = {pk for pk in self.accepted if self.accepted.count(pk) > 1}
        assert copied <= self.unanswered

    @invariant()
    def whoever_was_put_aside_was_claimed_three_times(self) -> None:
        aside = self._rows().filter(state=State.DEAD, failure="poison")
        assert all(row.attempts >= claims.MOST_FRUITLESS for row in aside)
        stopped = Attempt.objects.filter(letter__in=aside, outcome="stopped").count()
        assert stopped >= claims.MOST_FRUITLESS * len(aside)

    @invariant()
    def nobody_holds_what_two_hold(self) -> None:
        tokens = list(
            self._rows().filter(lease_token__isnull=False).values_list("pk", "lease_token")
        )
        assert len({pk for pk, _ in tokens}) == len(tokens)


@pytest.mark.django_db
def test_no_order_of_events_loses_a_letter_or_explains_no_copy():
    run_state_machine_as_test(
        Letters,
        settings=settings(
            max_examples=2000 if LONG else 6,
            stateful_step_count=50 if LONG else 20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not LONG,
            database=None,
        ),
    )
