"""R4: Redis is killed, wiped, or not there at all, under beat and a worker as in production."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from coaching.management.chaos import world
from coaching.management.chaos.stage import Finding, Size, Stage, database_url, settled, stage
from coaching.models import Beat, Letter

# Due letters are with the mail server after so many seconds, whatever becomes of Redis.
LONGEST_DELAY = 90.0
# Without Redis, `manage.py tick` does it at least as often.
TICK_WITHOUT = 30.0


class NotInstalled(Exception):
    """There is no redis-server on this machine."""


class Broker:
    """A Redis of our own that keeps nothing: whoever kills it has wiped it."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise NotInstalled("redis-server is not installed here.")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._command = [
            program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(folder),
        ]  # fmt: skip
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("redis-server does not start.")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with suppress(RedisError):
            return self._client().ping()
        return False

    def _client(self) -> Redis:
        return Redis(port=self.port, socket_timeout=5)

    def wipe(self) -> None:
        self._client().flushall()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Company:
    """
    Beat and a worker, or a ticker without a broker: as docs/running.md has them started, under
    something that starts again what has ended by itself (`restart: unless-stopped`).

    A worker that is handing in a task as its connection goes may end (Celery's hub, on closing).
    """

    def __init__(self, here: Stage, folder: Path, *, redis: str, tick: float) -> None:
        self._folder, self._processes = folder, []
        self.restarts = 0
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "DATABASE_POOL": "2",
            "REDIS_URL": redis,
            "EMAIL_URL": f"smtp://127.0.0.1:{here.port}",
            "CHAOS_TICK": str(tick),
            "PYTHONWARNINGS": "ignore",
        }

    def beat_and_worker(self) -> None:
        self._start("-m", "celery", "-A", "config", "worker", "--concurrency", "2")
        self._start(
            "-m", "celery", "-A", "coaching.management.chaos.hurry", "beat", "--pidfile=",
            "--schedule", str(self._folder / "beat"),
        )  # fmt: skip

    def ticker(self, *, every: float) -> None:
        self._start("manage.py", "tick", "--every", str(every))

    def _start(self, *command: str) -> None:
        with (self._folder / "log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, *command], cwd=settings.BASE_DIR, env=self._environment,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    # A worker has children; they are ended with it.
                    start_new_session=True,
                )
            )  # fmt: skip

    def keep_going(self) -> None:
        for process in [one for one in self._processes if one.poll() is not None]:
            self._processes.remove(process)
            # Children that outlived it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            self._start(*process.args[1:])
            self.restarts += 1

    def end(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def without_redis(size: Size) -> Finding:
    """Letters fall due one after the other, while Redis dies, is wiped, or never was there."""
    wiped, told = _wiped(size)
    if not size.absent:
        return Finding(wiped, told)
    absent, told_absent = _absent(size)
    return Finding(wiped and absent, f"{told}; {told_absent}")


def _wiped(size: Size) -> tuple[bool, str]:
    rng = random.Random(4)
    with stage(size) as here:
        broker = Broker(here.folder)
        company = Company(here, here.folder, redis=broker.url, tick=size.tick)
        broker.start()
        try:
            company.beat_and_worker()
            _await_tick(size)
            begun = timezone.now()
            _fall_due(size, begun)
            for number in range(size.wipes):
                # Down for a third of each turn at most, at any time of it: ticks are lost, too.
                turn = begun + number * timedelta(seconds=size.turn)
                wiped, killed = sorted(rng.uniform(0, size.turn * 2 / 3) for _ in range(2))
                _sleep_until(company, turn + timedelta(seconds=wiped))
                broker.wipe()
                _sleep_until(company, turn + timedelta(seconds=killed))
                broker.kill()
                time.sleep(rng.uniform(0, size.turn / 3))
                broker.start()
            return _told(
                size,
                here,
                company,
                begun,
                f"Redis killed {size.wipes} times and wiped {size.wipes} times",
            )
        finally:
            company.end()
            broker.kill()


def _absent(size: Size) -> tuple[bool, str]:
    with stage(size) as here:
        # A port that nobody listens on.
        company = Company(here, here.folder, redis=Broker(here.folder).url, tick=size.tick)
        try:
            company.ticker(every=min(TICK_WITHOUT, size.tick))
            _await_tick(size)
            begun = timezone.now()
            _fall_due(size, begun)
            return _told(size, here, company, begun, "Redis absent, a ticker beside it")
        finally:
            company.end()


def _fall_due(size: Size, begun: datetime) -> None:
    world.letters(
        (f"reader.{number}" for number in range(min(size.letters, 2000))),
        now=begun,
        over=timedelta(seconds=size.wipes * size.turn),
    )


def _await_tick(size: Size) -> None:
    deadline = time.monotonic() + 60 + 2 * size.tick
    while not Beat.objects.filter(name="tick").exists():
        if time.monotonic() > deadline:
            raise RuntimeError("No tick has run.")
        time.sleep(0.05)


def _sleep_until(company: Company, moment: datetime) -> None:
    while (left := (moment - timezone.now()).total_seconds()) > 0:
        company.keep_going()
        time.sleep(min(left, 0.1))


def _told(
    size: Size, here: Stage, company: Company, begun: datetime, what: str
) -> tuple[bool, str]:
    """Wait until all have left, and tell what became of them."""
    end = begun + timedelta(seconds=size.wipes * size.turn)
    while not settled() and timezone.now() < end + timedelta(seconds=3 * LONGEST_DELAY):
        company.keep_going()
        time.sleep(0.1)
    # The due times were put in order of the addresses, and are kept there.
    due = {
        str(message_id): at.timestamp()
        for message_id, at in Letter.objects.values_list("message_id", "next_attempt_at")
    }
    found = world.account(here.record)
    lines = list(world.accepted_lines(here.record))
    lost = found.letters - len({line.message_id for line in lines})
    delays = [line.at - due[line.message_id] for line in lines]
    longest = max(delays, default=float("inf"))
    held = (
        lost == found.extra == found.distinct == 0
        and found.sent == found.letters > 0
        and longest <= LONGEST_DELAY
    )
    seconds = (end - begun).total_seconds()
    return held, (
        f"{what}: {found.letters:,} letters falling due within {seconds:.0f} s, {lost} lost, "
        f"{found.extra} extra, longest delay {longest:.0f} s, "
        f"{company.restarts} processes restarted"
    )
