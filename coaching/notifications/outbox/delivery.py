"""
One worker's round: claim, look, write, begin, hand over, note; and the next.

While the mail server works on one letter, it is noted what came of the one
before and the next one is claimed, in one commit; then that one is written and
begun, so that nothing but the line itself is waited for. So a worker has two
letters in hand at most, and no transaction is open while it talks to the mail
server.
"""

import logging
import smtplib
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F, Q

from coaching.models import Bounce, Letter
from coaching.notifications.outbox import breaker, claims, gate, steps, wire

logger = logging.getLogger(__name__)

State, Failure = Letter.State, Letter.Failure
# So many refusals of an address, and nothing is sent to it any more.
MOST_BOUNCES = 2
# unless the one before is long forgotten.
BOUNCES_COUNT_FOR = timedelta(days=60)
# A letter that was looked at longer ago is looked at again before it is handed over.
FRESH = 1.0
# So many letters are read together.
READ_AHEAD = 25
# What a worker that has just come back from the mail server may have broken.
BREAKS_THE_LINE = {"unreached", "uncertain", "later", "sender", "unwritable"}


@dataclass(slots=True)
class Hand:
    """A letter in this worker's hand, written; `begun` once it is marked as being sent."""

    letter: Letter
    message: EmailMessage
    looked_at: float
    begun: bool = False


def deliver_due(
    *, now: datetime, limit: int = 10_000, seconds: float | None = None
) -> dict[str, int]:
    """
    Send what is due, at most `limit` letters; counts by what became of them.

    seconds : take no further letter after so long

    When the mail server is of no use, what was not sent goes back untouched, and nobody
    asks it again for a while.
    """
    permit = breaker.permit(now=now)
    if permit == breaker.WAIT:
        return {}
    round_ = Round(now=now, limit=limit, seconds=seconds, on_trial=permit == breaker.TRY_ONE)
    round_.run()
    return dict(round_.counts)


class Round:
    """What one worker does until nothing is due, its limit is reached or the server is gone."""

    def __init__(self, *, now: datetime, limit: int, seconds: float | None, on_trial: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._now = now
        self._started = time.monotonic()
        self._left = limit
        self._until = None if seconds is None else self._started + seconds
        # The mail server was of no use; the first letter shows whether it is again.
        self._on_trial = on_trial
        self._known: dict[int, Letter] = {}
        self._known_at = 0.0
        self._mail = get_connection()
        self._is_open = False
        # The letter that left last, still to be noted.
        self._left_last: Letter | None = None

    def run(self) -> None:
        hand = self._take()
        if hand is None:
            return
        with claims.durable(), ThreadPoolExecutor(1, thread_name_prefix="wire") as line:
            try:
                while hand is not None:
                    hand = self._send(hand, line)
            finally:
                self._note_last()
                line.submit(self._close).result()

    def _at(self) -> datetime:
        # Sending takes time, and letters fall due or expire meanwhile.
        return self._now + timedelta(seconds=time.monotonic() - self._started)

    # -- taking a letter up ------------------------------------------------------------------

    def _take(self, *, fruitless: int = claims.MOST_FRUITLESS) -> Hand | None:
        """Claim, look at and write the next letter; what is not to be sent is settled here."""
        while self._left > 0 and (self._until is None or time.monotonic() < self._until):
            self._left -= 1
            taken = self._claim(fruitless=fruitless)
            if not taken:
                return None
            letter, looked_at = self._read(taken[0])
            steps.at_step("claimed", letter.recipient.email)
            if not self._wanted(letter):
                continue
            try:
                message = wire.written(letter)
            except Exception as failure:
                # A letter that cannot be written must not stop the others.
                logger.exception("Letter %s could not be written", letter.public_id)
                self._note(letter, wire.result_of(failure))
                continue
            steps.at_step("written", letter.recipient.email)
            return Hand(letter, message, looked_at)
        return None

    def _claim(self, *, fruitless: int) -> list[claims.Claim]:
        """The next letter, and the one before noted, in one commit."""
        if self._left_last is None:
            return claims.take(now=self._at(), limit=1, fruitless=fruitless)
        last = self._left_last
        try:
            with transaction.atomic():
                self._note_last(told=False)
                taken = claims.take(now=self._at(), limit=1, fruitless=fruitless)
        except Exception:
            # Neither has happened; it is noted before this worker gives up.
            self._left_last = last
            raise
        steps.at_step("noted", last.recipient.email)
        return taken

    def _read(self, taken: claims.Claim) -> tuple[Letter, float]:
        """
        A letter that was just taken, and when it was read.

        Together with it the next ones are read, whoever will take them: within the second
        for which that counts as fresh, one worker sends a dozen or more.
        """
        if taken.pk not in self._known or time.monotonic() - self._known_at > FRESH / 2:
            # By name: asked with a subquery, PostgreSQL looks at every letter there ever was.
            ahead = claims.due(now=self._at(), limit=READ_AHEAD).values_list("pk", flat=True)
            which = Q(pk__in=[taken.pk, *ahead])
            self._known_at = time.monotonic()
            self._known = {letter.pk: letter for letter in claims.readable(which)}
        return taken.marked(self._known.pop(taken.pk)), self._known_at

    def _wanted(self, letter: Letter) -> bool:
        """Whether to send it now; otherwise it is cancelled or put off."""
        verdict = gate.judge(letter, now=self._at())
        if verdict.why_not:
            claims.release(letter, state=State.CANCELLED, outcome=verdict.why_not[:300])
            self.counts["cancelled"] += 1
        elif verdict.until:
            claims.release(
                letter,
                next_attempt_at=verdict.until,
                outcome="Waits until it may reach its reader.",
            )
            self.counts["waiting"] += 1
        return verdict == gate.Verdict()

    def _still_wanted(self, hand: Hand) -> bool:
        if time.monotonic() - hand.looked_at < FRESH:
            return True
        letter = claims.readable(Q(pk=hand.letter.pk)).get()
        # Whoever holds it now, this worker may only move what it holds itself.
        letter.lease_token = hand.letter.lease_token
        return self._wanted(letter)

    # -- handing it over ---------------------------------------------------------------------

    def _send(self, hand: Hand, line: ThreadPoolExecutor) -> Hand | None:
        """Send a letter, and return the next one, taken up meanwhile."""
        if not self._is_open and not self._open(hand, line):
            return None
        if not self._ready(hand):
            return self._take()
        steps.at_step("begun", hand.letter.recipient.email)
        answer = line.submit(self._hand_over, hand.message)
        ahead = None
        try:
            # One that has ended workers before is sent alone: others are not to share its fate.
            if not self._on_trial and hand.letter.fruitless <= 1:
                ahead = self._take(fruitless=0)
                # Whoever has to decide about letters perhaps sent gets none that was not.
                if ahead and settings.LETTERS_UNCERTAIN != "hold" and not self._begin(ahead):
                    ahead = None
            self._note_last()
        finally:
            result = wire.result_of(answer.exception())
            self._settle(hand, result, ahead, line)
        if result.is_ours:
            return None
        return ahead or self._take()

    def _ready(self, hand: Hand) -> bool:
        """Look again at a letter that has waited, and begin it; whether it is to be sent."""
        return self._still_wanted(hand) and (hand.begun or self._begin(hand))

    def _begin(self, hand: Hand) -> bool:
        """Mark a letter as being sent; False when it is not this worker's any more."""
        # Counted from before the lease is renewed, so never longer than it.
        hand.message.hand_over_by = wire.steady() + settings.LETTER_LEASE_SECONDS
        hand.begun = claims.begin(hand.letter)
        if not hand.begun:
            self.counts["lost"] += 1
        return hand.begun

    def _hand_over(self, message: EmailMessage) -> None:
        message.connection = self._mail
        message.send()

    def _open(self, hand: Hand, line: ThreadPoolExecutor) -> bool:
        opening: Future = line.submit(self._mail.open)
        failure = opening.exception()
        if failure is None:
            self._is_open = True
        else:
            self._stop(wire.result_of_opening(failure), hand.letter)
        return self._is_open

    def _settle(
        self, hand: Hand, result: wire.Result, ahead: Hand | None, line: ThreadPoolExecutor
    ) -> None:
        """
        Store what came of a letter.

        One that has left is noted while the next one is on its way; everything else at once.
        """
        if result.is_ours:
            self._stop(result, *(each.letter for each in (hand, ahead) if each))
            return
        if result == wire.SENT and ahead:
            self._left_last = hand.letter
            return
        if self._on_trial:
            self._on_trial = False
            breaker.clear()
        if result.name in BREAKS_THE_LINE:
            line.submit(self._close).result()
        with transaction.atomic():
            self._note(hand.letter, result)
        steps.at_step("noted", hand.letter.recipient.email)

    def _note_last(self, *, told: bool = True) -> None:
        """Note the letter that left last, if that was not done."""
        letter, self._left_last = self._left_last, None
        if letter:
            self._note(letter, wire.SENT)
            if told:
                steps.at_step("noted", letter.recipient.email)

    def _stop(self, result: wire.Result, *letters: Letter) -> None:
        """Leave the mail server alone; nothing that was in hand has used up an attempt."""
        until = breaker.stop(now=self._at(), why=result.detail)
        for letter in letters:
            claims.release(
                letter,
                next_attempt_at=until,
                failure=result.failure,
                outcome=f"The mail server cannot be used: {result.detail}"[:300],
            )
            self.counts["postponed"] += 1

    def _note(self, letter: Letter, result: wire.Result) -> None:
        at = self._at()
        changes = self._changes(letter, result, at=at)
        held = claims.note(letter, came=result.name, detail=result.detail, at=at, **changes)
        if result.is_bounce:
            _count_bounce(letter.recipient.email, at=at)
        words = {State.SENT: "sent", State.DEAD: "dead", State.UNCERTAIN: "uncertain"}
        self.counts[words.get(changes["state"], "postponed") if held else "lost"] += 1

    def _changes(self, letter: Letter, result: wire.Result, *, at: datetime) -> dict:
        if result == wire.SENT:
            return {"state": State.SENT, "sent_at": at, "failure": ""}
        if result.name == "uncertain" and letter.attempts < claims.MOST_TRIES:
            return claims.unclear(letter, now=at, next_at=claims.later(letter, at=at))
        if result.name == "uncertain":
            return {"state": State.UNCERTAIN}
        most = claims.MOST_WRITINGS if result.name == "unwritable" else claims.MOST_TRIES
        said = result.detail
        if result.name == "refused" or letter.attempts >= most:
            given_up = said if result.name == "refused" else f"Given up: {said}"
            return {"state": State.DEAD, "failure": result.failure, "outcome": given_up[:300]}
        return {
            "state": State.PENDING,
            "failure": result.failure,
            "next_attempt_at": claims.later(letter, at=at),
            "outcome": f"Tried again later: {said}"[:300],
        }

    def _close(self) -> None:
        self._is_open = False
        # Letters have been accepted one by one; how the server says goodbye does not matter.
        with suppress(OSError, smtplib.SMTPException):
            self._mail.close()


def _count_bounce(address: str, *, at: datetime) -> None:
    """One more refusal of an address; after the second nothing is sent to it."""
    row, _ = Bounce.objects.get_or_create(email=address.lower(), defaults={"last_at": at})
    forgotten = Bounce.objects.filter(pk=row.pk, last_at__lt=at - BOUNCES_COUNT_FOR)
    forgotten.filter(suppressed_at__isnull=True).update(times=0)
    Bounce.objects.filter(pk=row.pk).update(times=F("times") + 1, last_at=at)
    suppressed = Bounce.objects.filter(
        pk=row.pk, times__gte=MOST_BOUNCES, suppressed_at__isnull=True
    ).update(suppressed_at=at)
    if suppressed:
        logger.warning("An address was refused %d times; it gets no more letters.", MOST_BOUNCES)
