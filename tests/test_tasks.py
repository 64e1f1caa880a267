"""Celery's door, through a real worker: what is sent is read back and run."""

from datetime import timedelta
from time import monotonic, sleep

import pytest
from celery.contrib.testing.worker import start_worker

from coaching import engine
from coaching.models import Beat, Letter, Plan
from coaching.notifications import outbox
from coaching.services import plans, ticks
from coaching.services.plans import background, steps
from coaching.tasks import pump, tick
from config.celery import app
from tests import factories
from tests.conftest import NOW
from tests.services.planning import make_plan


@pytest.mark.django_db(transaction=True)
def test_a_wake_reaches_a_worker(settings):
    """Through Redis where there is one (REDIS_URL), else through memory."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    settings.REDIS_URL = app.conf.broker_url
    app.conf.task_always_eager = False
    app.conf.broker_transport_options = {"polling_interval": 0.01}
    try:
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=10):
            engine.wake()
            deadline = monotonic() + 10
            while not Beat.objects.filter(name="tick").exists() and monotonic() < deadline:
                sleep(0.02)
    finally:
        app.conf.task_always_eager = True
    assert Beat.objects.get(name="tick").at == NOW


def test_without_a_broker_a_tick_runs_at_once(db):
    tick.delay()
    assert Beat.objects.get(name="tick").at == NOW


def test_a_tick_starts_as_many_senders_as_its_letters_are_worth(pair, lea, settings, monkeypatch):
    settings.LETTER_SENDERS = 3
    started = []
    monkeypatch.setattr(pump, "apply_async", lambda **options: started.append(options))
    tick()
    assert started == []
    readers = [factories.make_person() for _ in range(21)]
    letters = [
        Letter(dedupe_key=f"{reader.pk}", kind="digest", recipient=reader, next_attempt_at=NOW)
        for reader in readers
    ]
    outbox.promise([outbox.Message(letter) for letter in letters], now=NOW)
    tick()
    assert started == [{"expires": 60}] * 2
    assert Letter.objects.filter(state=Letter.State.PENDING).count() == 21
    assert ticks.senders_wanted(now=NOW - timedelta(days=1)) == 0


def test_a_tick_has_large_plans_solved_in_parts(team, mara, monkeypatch):
    learners = {f"L{at}": {"csat": 0.9} for at in range(4)}
    coaches = {f"C{at}": {"csat": 0.9} for at in range(2)}
    groups = {name: {"group": name[-1]} for name in ("L0", "L1", "C0", "C1")}
    plan = make_plan(team, learners, coaches, by=mara, people=groups)
    monkeypatch.setattr(steps, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(background, "WORTH_A_PART", 1)
    solved = []
    plans.solve(plan=plan, by=mara, now=NOW)
    work = plans.work_off
    monkeypatch.setattr(plans, "work_off", lambda *, now: solved.append(work(now=now)))
    tick()
    assert sum(solved) == 1
    assert len(solved) == 3
    assert Plan.objects.get(pk=plan.pk).queued_at is None
