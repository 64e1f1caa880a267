"""A mail server, workers that can be started and ended, and how much of it all."""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction

from coaching.management.chaos import world
from coaching.models import Letter

State = Letter.State
# As a quick relay takes them: up to its acceptance, and from there to the answer.
BEFORE, AFTER = 0.006, 0.002
PATIENCE = 900.0
# As beat is set up.
TICK = settings.CELERY_BEAT_SCHEDULE["tick"]["schedule"]


class Size(NamedTuple):
    letters: int
    kills: int
    seeds: int
    each_step: int
    ticks: int
    pairs: int
    # Seconds: long enough for a letter on a busy machine, short enough to wait for.
    lease: int
    # How often Redis is killed and wiped, the seconds for each time, and those between ticks.
    wipes: int
    turn: float
    tick: float
    # How often each race is run.
    rounds: int
    # Whether to do without Redis as well.
    absent: bool = True
    ways: tuple[str, ...] = ("dies", "stops")
    # At a time.
    workers: int = 4
    tickers: int = 5
    racers: int = 8


QUICK = Size(
    letters=150, kills=5, seeds=1, each_step=1, ticks=12, pairs=3, lease=4, wipes=1, turn=6,
    tick=1, rounds=3,
)  # fmt: skip
FULL = Size(
    letters=10_000, kills=200, seeds=3, each_step=25, ticks=1000, pairs=20, lease=8, wipes=10,
    turn=30, tick=TICK, rounds=60,
)  # fmt: skip


class Finding(NamedTuple):
    """What an experiment found: whether it held, and the figures in words."""

    held: bool
    figures: str


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    login = f"{values['USER']}:{values['PASSWORD']}".removesuffix(":")
    return f"postgres://{login}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def worker_name(pid: int | str) -> str:
    """What a worker calls itself to the mail server."""
    return f"worker-{pid}"


class Nursery:
    """Where workers come from: a process that forks them; one serves any number of stages."""

    def __init__(self, database: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "coaching.management.chaos.nursery"],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": database,
                "DATABASE_POOL": "2",
                "REDIS_URL": "",
                # Each worker is told its own port.
                "EMAIL_URL": "smtp://127.0.0.1:1",
                "EMAIL_TIMEOUT": "20",
                "LOG_LEVEL": os.environ.get("CHAOS_LOG", "CRITICAL"),
            },
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def fork(self, job: str, chosen: dict, options: dict, failures: Path) -> int:
        order = {"job": job, "chosen": chosen, "options": options, "failures": str(failures)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        _end(self._process)


@functools.cache
def _nursery(database: str) -> Nursery:
    """What takes seconds to start is started once."""
    nursery = Nursery(database)
    atexit.register(nursery.close)
    return nursery


def _end(process: subprocess.Popen) -> None:
    process.stdin.close()
    process.stdout.close()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class WorkerFailed(Exception):
    """A worker ended by itself, with this traceback: no experiment goes on like that."""


class Stage:
    """A mail server, its record, and workers that can be started and ended."""

    def __init__(self, folder: Path, *, lease: int, uncertain: str) -> None:
        self.lease, self.folder, self.record = lease, folder, folder / "accepted"
        self.fates, self.failures = folder / "fates", folder / "failures"
        self.fates.mkdir()
        self._sink = subprocess.Popen(
            [
                sys.executable, "-m", "coaching.management.chaos.sink", str(self.record),
                str(BEFORE), str(AFTER),
            ],
            cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.port = int(self._sink.stdout.readline())
        self._settings = {
            "EMAIL_PORT": self.port,
            "LETTER_LEASE_SECONDS": lease,
            "LETTERS_UNCERTAIN": uncertain,
            "LETTERS_RECORD": str(self.record),
            "LETTERS_RECORD_DELAY": 1,
        }
        self._nursery = _nursery(database_url())
        self.workers: list[int] = []

    def start(self, job: str, **options) -> int:
        if self.failures.exists():
            raise WorkerFailed(self.failures.read_text())
        self.workers.append(self._nursery.fork(job, self._settings, options, self.failures))
        return self.workers[-1]

    def start_sender(self, *, now: datetime = world.NOW, speed: float = 1.0) -> int:
        return self.start("send", now=now.isoformat(), speed=speed, folder=str(self.fates))

    def kill(self, worker: int) -> None:
        self.workers.remove(worker)
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)

    def alive(self) -> list[int]:
        """Workers that still exist, the frozen ones among them."""
        return [worker for worker in self.workers if Path(f"/proc/{worker}").exists()]

    def accepted(self) -> int:
        """Lines in the record so far."""
        return self.record.read_bytes().count(b"\n") if self.record.exists() else 0

    def close(self) -> None:
        for worker in self.alive():
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        until(lambda: not self.alive(), every=0.01)
        _end(self._sink)


@contextmanager
def stage(size: Size, *, uncertain: str = "resend") -> Iterator[Stage]:
    """An empty world, and a stage that is cleared away afterwards."""
    world.empty()
    with tempfile.TemporaryDirectory(prefix="lanemate-chaos-") as folder:
        made = Stage(Path(folder), lease=size.lease, uncertain=uncertain)
        try:
            yield made
        finally:
            made.close()


def until(done: Callable[[], bool], *, every: float = 0.1, meanwhile=lambda: None) -> bool:
    """Wait until something is true; False when patience has run out."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            return False
        meanwhile()
        time.sleep(every)
    return True


@contextmanager
def one_moment() -> Iterator[None]:
    """
    All that is read is of one moment: a database may still be committing for a worker that is
    no more.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def settled() -> bool:
    """No letter waits, is in hand or is still to be looked up."""
    waiting = [State.PENDING, State.LEASED, State.SENDING, State.UNCERTAIN]
    return not Letter.objects.filter(state__in=waiting).exists()
