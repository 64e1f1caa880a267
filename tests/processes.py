"""Real processes beside the test, at work on the test's own database."""

import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
PREAMBLE = """
import sys
from datetime import datetime, timedelta
import django
django.setup()
from django.conf import settings
settings.EMAIL_BACKEND = "tests.notifications.mailbox.Paper"
print("ready", flush=True)
sys.stdin.readline()
"""


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    login = f"{values['USER']}:{values['PASSWORD']}".removesuffix(":")
    return f"postgres://{login}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def start(script: str, *arguments: str, **environment: str) -> subprocess.Popen:
    """A Python process with Django set up, which waits for a line before it runs `script`."""
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script, *map(str, arguments)],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def race(processes: list[subprocess.Popen], *, timeout: float = 30) -> list[str]:
    """Let them all go at once; what each of them printed."""
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=timeout)[0] for process in processes]
