"""Celery's door, through a real worker: what is sent is read back and run."""

from time import monotonic, sleep

import pytest
from celery.contrib.testing.worker import start_worker

from coaching import engine
from coaching.models import Beat
from coaching.tasks import tick
from config.celery import app
from tests.conftest import NOW


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
