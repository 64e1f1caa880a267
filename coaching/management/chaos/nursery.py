"""
Starts workers within milliseconds: everything is imported once, then it forks.

    python -m coaching.management.chaos.nursery

Each line of its input is a job in JSON, with settings of its own; the answer is the worker's
process id.
When the input ends, all workers are ended.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.mail.utils import DNS_NAME  # noqa: E402
from django.db import transaction  # noqa: E402

from coaching.management.chaos import races, stage, world  # noqa: E402
from coaching.models import Letter, Person  # noqa: E402
from coaching.notifications import outbox, rendering  # noqa: E402
from coaching.notifications.outbox import steps  # noqa: E402
from coaching.services import ticks as sweeps  # noqa: E402


def fate(folder: str) -> Callable[[str, str], None]:
    """
    What happens to a worker at the steps of a letter: its address says so.

    poison…@ ends each worker that takes it. dies.<step>.<n>@ ends the first one at this step,
    stops.<step>.<n>@ freezes it there; a file named after the address says that it happened.
    """

    def at_step(name: str, address: str) -> None:
        local = address.partition("@")[0]
        if local.startswith("poison") and name == "claimed":
            _end_here(signal.SIGKILL)
        way, _, rest = local.partition(".")
        if way not in ("dies", "stops") or rest.partition(".")[0] != name.replace(" ", "-"):
            return
        try:
            with Path(folder, local).open("x") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            return
        _end_here(signal.SIGKILL if way == "dies" else signal.SIGSTOP)

    return at_step


def _end_here(how: signal.Signals) -> None:
    # To this very thread: sent to the process, the signal may be taken by another one, and
    # this one would do a step or two more.
    signal.pthread_kill(threading.get_ident(), how)


def send(*, now: str, speed: float = 1.0, folder: str = "") -> None:
    """Do what a worker does, for ever; minutes pass `speed` times as fast."""
    steps.at_step = fate(folder)
    begun, started = datetime.fromisoformat(now), time.monotonic()
    while True:
        at = begun + timedelta(seconds=(time.monotonic() - started) * speed)
        outbox.reap(now=at)
        outbox.settle(now=at)
        if not outbox.deliver_due(now=at):
            time.sleep(0.05)


def tick(*, now: str, ticks: int, minutes: int) -> None:
    """Tick so many times, the clock going on by so many minutes each time; send nothing."""
    at = datetime.fromisoformat(now)
    for _ in range(ticks):
        sweeps.tick(now=at, but={sweeps.LETTERS})
        at += timedelta(minutes=minutes)


def tell(*, now: str) -> None:
    """Let events happen for ever, each with its audit line, letter and notice."""
    at = datetime.fromisoformat(now)
    while True:
        with transaction.atomic():
            world.something_happens(now=at)


def warm_up() -> None:
    """Have the templates of a letter read before anybody is waiting for it."""
    rendering.render(Letter(kind="digest", recipient=Person(), context=world.CONTEXT))


JOBS = {
    **{job.__name__: job for job in (send, tick, tell)}, "race": races.run, "change": races.change,
}  # fmt: skip


def work(job: str, chosen: dict, options: dict, failures: str) -> None:
    code = 0
    try:
        for name, value in chosen.items():
            setattr(settings, name, value)
        DNS_NAME._fqdn = stage.worker_name(os.getpid())
        JOBS[job](**options)
    except BaseException:
        Path(failures).write_text(traceback.format_exc())
        code = 1
    finally:
        # As a worker is killed: nothing is tidied up.
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    # Nobody waits for the workers; the system forgets them by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What takes its time once takes it here.
    warm_up()
    workers = []
    for line in sys.stdin:
        order = json.loads(line)
        if (worker := os.fork()) == 0:
            work(**order)
        workers.append(worker)
        print(worker, flush=True)
    for worker in workers:
        # Whoever has ended is nobody's any more, and its number perhaps somebody else's.
        with suppress(ChildProcessError):
            os.waitpid(worker, os.WNOHANG)
            os.kill(worker, signal.SIGKILL)


if __name__ == "__main__":
    main()
