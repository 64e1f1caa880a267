"""The whole product in one process, and what it says when it cannot start."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from time import monotonic, sleep

import pytest
from celery import Celery
from django.core.management import CommandError, call_command

from coaching import engine
from coaching.management.commands import serve
from coaching.models import Beat
from tests import processes
from tests.processes import ROOT, database_url


def command(*arguments: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def taken():
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        return other.getsockname()[1]


def test_a_taken_port_is_said_with_what_to_do(taken):
    with pytest.raises(CommandError) as refusal:
        serve.bind("127.0.0.1", taken)
    assert str(refusal.value) == (
        f"Port {taken} on 127.0.0.1 is taken. Choose another one: --port {taken + 1} "
        f"(with make: make demo PORT={taken + 1})."
    )


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("198.51.100.7", 8000)])
def test_an_impossible_address_is_said_too(host, port):
    with pytest.raises(CommandError, match=f"Port {port} on {host} cannot be used: "):
        serve.bind(host, port)


def test_on_a_taken_port_the_process_ends_at_once(taken, tmp_path):
    process = command("serve", "--port", str(taken), LANEMATE_VAR=str(tmp_path))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {taken} on 127.0.0.1 is taken" in said
    assert "Traceback" not in said
    # Nothing was set up for a service that never ran.
    assert not list(tmp_path.glob("*.sqlite3"))


def fetched(address: str) -> int | None:
    try:
        return urllib.request.urlopen(address, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def answers_and_sweeps(port: int) -> None:
    deadline = monotonic() + 60
    while fetched(f"http://127.0.0.1:{port}/") is None and monotonic() < deadline:
        sleep(0.05)
    assert fetched(f"http://127.0.0.1:{port}/") == 200
    assert fetched(f"http://127.0.0.1:{port}/no-such-page/") == 404
    while not Beat.objects.filter(name="tick").exists() and monotonic() < deadline:
        sleep(0.05)
    assert Beat.objects.filter(name="tick").exists()


@pytest.mark.django_db(transaction=True)
def test_it_answers_and_sweeps_and_ends_when_told(free, tmp_path):
    process = command(
        "serve", "--port", str(free), LANEMATE_VAR=str(tmp_path), DATABASE_URL=database_url()
    )
    try:
        answers_and_sweeps(free)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "Traceback" not in said
    finally:
        process.kill()
    assert fetched(f"http://127.0.0.1:{free}/") is None


SERVE = """
from django.core.management import call_command
call_command("serve", port=int(sys.argv[1]))
print("over")
"""


@pytest.mark.django_db(transaction=True)
def test_it_ends_in_the_same_way_with_control_c(free):
    process = processes.start(SERVE, free)
    try:
        process.go()
        answers_and_sweeps(free)
        os.kill(process.pid, signal.SIGINT)
        assert process.communicate(timeout=10) == ("over\n", None)
    finally:
        process.kill()
    assert fetched(f"http://127.0.0.1:{free}/") is None


# -- waking --------------------------------------------------------------------------------


def test_a_wake_reaches_the_ticker_when_the_change_is_stored(
    db, django_capture_on_commit_callbacks
):
    engine.woken.clear()
    with django_capture_on_commit_callbacks(execute=True):
        engine.wake()
        assert not engine.woken.is_set()
    assert engine.woken.is_set()


def test_with_redis_a_worker_is_sent_a_tick(
    db, settings, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    settings.REDIS_URL = "redis://localhost"
    monkeypatch.setattr(engine.current_app, "send_task", lambda task, **_: sent.append(task))
    engine.woken.clear()
    with django_capture_on_commit_callbacks(execute=True):
        engine.wake()
    assert sent == ["coaching.tasks.tick"]
    assert not engine.woken.is_set()


def test_a_broker_that_is_gone_fails_no_request_and_is_not_asked_by_each(
    db, settings, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    asked = []

    def refuse(task, **_):
        asked.append(task)
        raise ConnectionRefusedError("Connection refused")

    settings.REDIS_URL = "redis://localhost"
    monkeypatch.setattr(engine, "_broker_gone_until", 0.0)
    monkeypatch.setattr(engine.current_app, "send_task", refuse)
    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            engine.wake()
    assert len(asked) == 1
    assert "the next tick does it" in caplog.text


def test_a_real_broker_that_is_gone_fails_no_request(
    db, settings, monkeypatch, django_capture_on_commit_callbacks, free
):
    """Through Celery and its client, to a port where nobody listens."""
    settings.REDIS_URL = f"redis://127.0.0.1:{free}/0"
    monkeypatch.setattr(engine, "_broker_gone_until", 0.0)
    gone = Celery(broker=settings.REDIS_URL, set_as_current=False)
    monkeypatch.setattr(engine, "current_app", gone)
    with django_capture_on_commit_callbacks(execute=True):
        engine.wake()
    assert engine._broker_gone_until > 0
    gone.close()


# -- the other commands ----------------------------------------------------------------------


def test_tick_says_what_it_did(pair, capsys):
    call_command("tick")
    assert "pairs checked: 0" in capsys.readouterr().out


@pytest.mark.parametrize("weeks", [0, 105])
def test_weeks_pass_in_reasonable_numbers(db, weeks):
    with pytest.raises(CommandError, match="from 1 to 104 weeks"):
        call_command("simulate", weeks=weeks)


def test_weeks_do_not_pass_for_real_people(lea):
    with pytest.raises(CommandError, match="This database holds real people"):
        call_command("simulate", weeks=1)
