"""However long nothing ran, what still matters is sent once, and nothing stale."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail

from coaching.models import Letter
from coaching.services import ticks
from tests.conftest import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Just before Monday's digests, and before the reminders of a Wednesday.
MOMENTS = (NOW + 6 * DAY + 23 * HOUR, NOW + 2 * DAY - 3 * HOUR)


def run(start, end, *, step) -> None:
    while start < end:
        ticks.tick(now=start)
        start += step


@pytest.mark.parametrize("before", MOMENTS)
@pytest.mark.parametrize("silence", [HOUR, DAY, 35 * DAY])
def test_after_a_silence_one_digest_and_no_stale_reminder(pair, before, silence):
    run(NOW, before, step=6 * HOUR)
    sent_before = set(Letter.objects.values_list("pk", flat=True))
    mail.outbox.clear()
    # It comes back in the morning, and a day goes by.
    back = before + silence
    run(back, back + 2 * DAY, step=3 * HOUR)
    sent = Letter.objects.filter(state=Letter.State.SENT, sent_at__gte=back)
    digests = Counter(sent.filter(kind="digest").values_list("recipient", flat=True))
    assert all(number == 1 for number in digests.values())
    for letter in sent.exclude(pk__in=sent_before):
        # Promised after the silence, of the day it is: nothing of the weeks between.
        assert letter.created_at >= back
        assert letter.expires_at is None or letter.sent_at < letter.expires_at
    for letter in sent.filter(pk__in=sent_before):
        assert letter.sent_at < letter.expires_at
    # One a day at most for each side of the pair, and none twice.
    notes = Counter(
        (letter.recipient_id, letter.sent_at.date()) for letter in sent.filter(kind="reminder")
    )
    assert all(number == 1 for number in notes.values())


def test_the_monday_after_five_weeks_brings_one_digest_to_everybody(pair):
    ticks.tick(now=NOW)
    back = NOW + 37 * DAY
    run(back, back + DAY, step=HOUR)
    digests = Letter.objects.filter(kind="digest")
    assert Counter(digests.values_list("state", flat=True)) == {Letter.State.SENT: 3}
    weeks = {key.rsplit(":", 1)[1] for key in digests.values_list("dedupe_key", flat=True)}
    assert weeks == {"2027-W14"}
