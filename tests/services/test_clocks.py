"""A tick does not trust a clock that has jumped, and believes one that was stopped."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from coaching.models import Beat, Simulation
from coaching.queries import clock, health
from coaching.services import clocks
from tests.conftest import NOW

WEEKS = timedelta(weeks=5)


@pytest.fixture(autouse=True)
def _just_started(monkeypatch, db):
    monkeypatch.setattr(clocks, "_last_tick", None)


@pytest.fixture
def last_tick():
    def ran(at) -> None:
        Beat.objects.update_or_create(name="tick", defaults={"at": at})

    return ran


def test_a_process_that_starts_after_five_weeks_goes_on(last_tick):
    last_tick(NOW - WEEKS)
    clocks.vouch(now=NOW)


def test_a_clock_that_jumps_ahead_while_a_process_runs_is_not_believed(last_tick):
    clocks.vouch(now=NOW)
    last_tick(NOW)
    clocks.vouch(now=NOW + timedelta(hours=20))
    with pytest.raises(clocks.ClockJumped, match="ahead by 35 days"):
        clocks.vouch(now=NOW + WEEKS)
    assert any("clock has jumped" in trouble for trouble in health.troubles(now=NOW))


def test_a_machine_that_slept_is_believed(last_tick, monkeypatch):
    clocks.vouch(now=NOW)
    last_tick(NOW)
    steady = clocks._steady()
    monkeypatch.setattr(clocks, "_steady", lambda: steady + WEEKS.total_seconds())
    clocks.vouch(now=NOW + WEEKS)


def test_a_clock_that_was_set_back_is_not_believed_even_at_the_start(last_tick):
    last_tick(NOW + timedelta(hours=25))
    with pytest.raises(clocks.ClockJumped, match="back by 25 hours"):
        clocks.vouch(now=NOW)
    with pytest.raises(CommandError, match="--accept-clock"):
        call_command("tick")


def test_a_person_can_say_that_the_clock_is_right(last_tick):
    last_tick(NOW + timedelta(hours=25))
    with pytest.raises(clocks.ClockJumped):
        clocks.vouch(now=NOW)
    call_command("tick", accept_clock=True)
    assert Beat.objects.get(name="tick").at == NOW
    clocks.vouch(now=NOW)
    assert not Beat.objects.filter(name=health.CLOCK_REFUSED).exists()


def test_two_clocks_that_differ_keep_a_tick_from_running(monkeypatch):
    monkeypatch.setattr(clock, "drift", lambda: timedelta(seconds=-61))
    with pytest.raises(clocks.ClocksDiffer, match="differ by 1 minutes"):
        clocks.vouch(now=NOW)
    assert any("differ by 61 seconds" in trouble for trouble in health.troubles(now=NOW))


def test_this_machine_and_its_database_agree():
    assert abs(clock.drift()) < timedelta(seconds=30)


def test_in_a_simulated_centre_time_jumps_as_it_is_told(last_tick):
    Simulation.objects.create(pk=1, seed=1, epoch=NOW.date())
    clocks.vouch(now=NOW)
    last_tick(NOW)
    clocks.vouch(now=NOW + WEEKS)
