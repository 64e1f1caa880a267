"""Several real processes at one outbox, some of which are killed."""

from datetime import UTC, datetime
from time import monotonic, sleep

import pytest

from coaching.models import Letter
from coaching.notifications import outbox
from tests import processes
from tests.conftest import NOW
from tests.notifications import mailbox

CLAIM = """
from coaching.notifications import outbox
while letters := outbox.claim(now=datetime.fromisoformat(sys.argv[1]), limit=7):
    print(*[letter.pk for letter in letters], flush=True)
"""

SEND = """
from coaching.notifications import outbox
outbox.deliver_due(now=datetime.fromisoformat(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_no_letter_is_claimed_twice_and_none_is_forgotten(promised):
    letters = promised(80)
    workers = [processes.start(CLAIM, NOW.isoformat()) for _ in range(4)]
    claimed = [int(pk) for said in processes.race(workers) for pk in said.split()]
    assert sorted(claimed) == [letter.pk for letter in letters]


@pytest.mark.django_db(transaction=True)
def test_killed_senders_lose_nothing(promised, tmp_path):
    letters = promised(40)
    paper = tmp_path / "paper"
    *killed, last = [processes.start(SEND, NOW.isoformat(), PAPER=str(paper)) for _ in range(4)]
    for kill, sender in enumerate(killed, start=1):
        sender.go()
        deadline = monotonic() + 20
        while len(mailbox.written_on(paper)) < 6 * kill and monotonic() < deadline:
            sleep(0.005)
        sender.kill()
        sender.communicate()
        in_hand = Letter.objects.filter(state__in=[1, 2])
        assert 1 <= in_hand.count() <= 2
        in_hand.update(lease_until=datetime(2020, 1, 1, tzinfo=UTC))
        assert outbox.reap(now=NOW) > 0
    processes.race([last])
    assert set(Letter.objects.values_list("state", flat=True)) == {Letter.State.SENT}
    sent = mailbox.written_on(paper)
    assert {line[1:37] for line in sent} == {str(letter.message_id) for letter in letters}
    # A copy can only arise between the acceptance and our note of it, and on paper the next one
    # is accepted at once: two a kill at most.
    assert len(sent) <= 40 + 2 * 3
