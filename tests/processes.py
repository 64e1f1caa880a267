"""Real processes beside the test, at work on the test's own database."""

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[1]


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    login = f"{values['USER']}:{values['PASSWORD']}".removesuffix(":")
    return f"postgres://{login}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


class Process:
    """A process of the nursery's, as far as tests ask for one."""

    def __init__(self, control: socket.socket, order: dict) -> None:
        (input_, to), (of, output) = os.pipe(), os.pipe()
        socket.send_fds(control, [json.dumps(order).encode()], [input_, output, 2])
        os.close(input_)
        os.close(output)
        self.stdin, self.stdout = os.fdopen(to, "w"), os.fdopen(of)
        self.pid = int(control.recv(32))

    def go(self) -> None:
        """Let it begin once it is ready; `race` does so with several."""
        assert self.stdout.readline() == "ready\n"
        self.stdin.write("go\n")
        self.stdin.flush()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self, timeout: float = 30) -> tuple[str, None]:
        """What else it prints until it ends; an end by force is an error."""
        late = threading.Timer(timeout, self.kill)
        late.start()
        with self.stdin, self.stdout:
            said = self.stdout.read()
        assert not late.finished.is_set(), f"It did not end within {timeout} seconds."
        late.cancel()
        return said, None


@functools.cache
def _nursery(url: str) -> socket.socket:
    """One for all tests on a database; it ends with the socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.nursery", str(theirs.fileno())],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()

    def close() -> None:
        ours.close()
        nursery.wait()

    atexit.register(close)
    return ours


def start(script: str, *arguments: object, **environment: str) -> Process:
    """A Python process with Django set up, which waits for a line before it runs `script`."""
    order = {
        "script": script, "arguments": [*map(str, arguments)], "environment": environment,
    }  # fmt: skip
    return Process(_nursery(database_url()), order)


def race(processes: list[Process], *, timeout: float = 30) -> list[str]:
    """Let them all go at once; what each of them printed."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=timeout)[0] for process in processes]
