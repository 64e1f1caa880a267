"""
Starts processes for tests within milliseconds: everything is imported once, then it forks.

    python -m tests.nursery DESCRIPTOR

DESCRIPTOR is a Unix socket. Each message on it is a script in JSON with three descriptors,
which become the standard ones of the process; the answer is its process id. Scripts find
what they need in their namespace, have a database connection of their own, and wait for a
line on their input before they begin.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import traceback
from datetime import datetime, timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402

from coaching import notifications, services  # noqa: E402
from coaching.models import Letter, Person  # noqa: E402
from coaching.notifications import rendering  # noqa: E402

LONGEST = 2**16


def import_everything() -> None:
    for package in (services, notifications):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("tests.notifications.mailbox")
    # And the templates of a letter are read.
    rendering.render(Letter(kind="digest", recipient=Person(), context={"link": "/"}))


def run(script: str, arguments: list[str], environment: dict[str, str], files: list[int]) -> None:
    code = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
        )
        sys.argv = ["-c", *arguments]
        os.environ.update(environment)
        settings.EMAIL_BACKEND = "tests.notifications.mailbox.Paper"
        print("ready", flush=True)
        sys.stdin.readline()
        names = {"__name__": "__main__", "sys": sys, "datetime": datetime, "timedelta": timedelta}
        exec(compile(script, "<script>", "exec"), names)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Nothing that belongs to the nursery is tidied up.
        os._exit(code)


def main(descriptor: int) -> None:
    # Nobody waits for the processes; the system forgets them by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    import_everything()
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=descriptor)
    while True:
        message, files, *_ = socket.recv_fds(control, LONGEST, 3)
        if not message:
            return
        if (process := os.fork()) == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run(**json.loads(message), files=files)
        for file in files:
            os.close(file)
        control.send(str(process).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
