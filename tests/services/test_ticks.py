"""The one sweep: all that is due, twice as harmless as once."""

from datetime import timedelta

import pytest
from django.core import mail

from coaching.models import Beat, Letter, Notice, Pair
from coaching.services import ticks
from tests.conftest import NOW


def test_everything_due_is_done_and_the_beat_kept(pair):
    done = ticks.tick(now=NOW)
    assert list(done) == [name for name, _ in ticks.SWEEPS]
    assert Beat.objects.get(name="tick").at == NOW


def test_a_failing_sweep_stops_no_other_and_is_raised_at_the_end(pair, monkeypatch, caplog):
    ran = []

    def fail(*, now):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(
        ticks,
        "SWEEPS",
        (("one", fail), ("two", lambda *, now: ran.append("two")), ("three", fail)),
    )
    with pytest.raises(ExceptionGroup) as raised:
        ticks.tick(now=NOW)
    assert [type(one) for one in raised.value.exceptions] == [ZeroDivisionError] * 2
    assert ran == ["two"]
    assert Beat.objects.get(name="tick").at == NOW
    assert "Sweep “one” failed" in caplog.text


def test_a_restless_ticker_sends_each_letter_once(pair):
    hour = NOW
    while hour < NOW + timedelta(days=8):
        ticks.tick(now=hour)
        ticks.tick(now=hour)
        hour += timedelta(hours=6)
    # Each side is asked twice for a first session; on Monday a digest for both and for Mara.
    kinds = sorted(Letter.objects.values_list("kind", flat=True))
    assert kinds == ["digest"] * 3 + ["reminder"] * 4
    assert set(Letter.objects.values_list("state", flat=True)) == {Letter.State.SENT}
    assert len(mail.outbox) == Notice.objects.count() == 7
    # Not a single session in the first week.
    assert Pair.objects.get().state == Pair.State.AT_RISK
