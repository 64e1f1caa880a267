"""Letters: one worker against a bare SMTP loop, and a tick over very many pairs."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail.utils import DNS_NAME
from django.db import connection, transaction
from django.db.models import Model, Q
from django.test.utils import override_settings

from coaching.management.benchmarks import Benchmark, Lines, peak_mb, some
from coaching.management.chaos import world
from coaching.models import Beat, Letter, Pair
from coaching.notifications import outbox
from coaching.notifications.outbox import claims, wire
from coaching.services import digests, ticks

# The measured sweeps alternate, because other programs come and go.
TURNS = 4


@contextmanager
def sink(milliseconds: float) -> Iterator[int]:
    """A mail server in a process of its own that takes so long for a letter; its port."""
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "coaching.management.chaos.sink",
                str(Path(folder, "accepted")), str(milliseconds / 1000), "0",
            ],
            cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()
            server.stdout.close()
            server.wait(timeout=20)


# -- a worker against a bare loop ----------------------------------------------------------------


def _letters_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--letters", type=some, default=2000)
    parser.add_argument(
        "--milliseconds", type=float, default=8, help="what the mail server takes for one (8)"
    )


def measure_letters(*, letters: int, milliseconds: float) -> Lines:
    """
    One worker with everything it does, against a loop that sends the same finished texts.

    Both use one connection to the same mail server, in turns.
    """
    world.letters(f"reader.{number}" for number in range(letters))
    finished = [
        (letter.recipient.email, wire.written(letter).message().as_bytes(linesep="\r\n"))
        for letter in claims.readable(Q()).order_by("pk")
    ]
    DNS_NAME.get_fqdn()
    bare = worker = 0.0
    with sink(milliseconds) as port, _mail_server(port):
        each = letters // TURNS
        for turn in range(TURNS):
            started = time.perf_counter()
            _bare_loop(finished[turn * each : (turn + 1) * each], port)
            bare += time.perf_counter() - started
            started = time.perf_counter()
            done = outbox.deliver_due(now=world.NOW, limit=each)
            worker += time.perf_counter() - started
            if done != {"sent": each}:
                raise RuntimeError(f"Not every letter was sent: {done}")
    number = each * TURNS
    return [
        ("letters", f"{number:,}"),
        ("the mail server takes", f"{milliseconds:g} ms a letter"),
        ("bare SMTP loop", f"{number / bare:.0f} a second"),
        ("one worker", f"{number / worker:.0f} a second"),
        ("worker / bare loop", f"{bare / worker:.2f}"),
        ("peak memory", f"{peak_mb():,.0f} MB"),
    ]


def _mail_server(port: int) -> override_settings:
    return override_settings(
        EMAIL_BACKEND="coaching.notifications.outbox.wire.Backend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_HOST_USER="",
        EMAIL_HOST_PASSWORD="",
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
    )


def _bare_loop(finished: list[tuple[str, bytes]], port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname=str(DNS_NAME)) as server:
        for address, text in finished:
            server.sendmail("lanemate@localhost", [address], text)


# -- a tick over very many pairs -----------------------------------------------------------------


def _tick_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--pairs", type=some, default=1_000_000)
    parser.add_argument("--due", type=some, default=10_000)


def measure_tick(*, pairs: int, due: int) -> Lines:
    """Ticks without sending: one with nothing due, and one with so many pairs due."""
    started = time.perf_counter()
    with transaction.atomic():
        _very_many_pairs(pairs)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    made = time.perf_counter() - started
    Beat.objects.create(name=digests.BEAT, at=world.NOW)
    idle, queries_idle = _timed_tick()
    ids = Pair.objects.order_by("pk").values("pk")[:due]
    # Three days without a first session: both sides of each get a letter.
    Pair.objects.filter(pk__in=ids).update(
        next_reminder_at=world.NOW, clocks_from=world.NOW.date() - timedelta(days=3)
    )
    busy, queries = _timed_tick()
    again, queries_again = _timed_tick()
    return [
        ("live pairs", f"{pairs:,}"),
        ("made in", f"{made:.0f} s"),
        ("a tick with nothing due", f"{idle:.2f} s, {queries_idle} queries"),
        (f"a tick with {due:,} due", f"{busy:.1f} s, {queries:,} queries"),
        ("a pair that was due", f"{(busy - idle) / due * 1000:.2f} ms"),
        ("letters promised", f"{Letter.objects.count():,}"),
        ("the tick after", f"{again:.2f} s, {queries_again} queries"),
        ("peak memory", f"{peak_mb():,.0f} MB"),
    ]


def _timed_tick() -> tuple[float, int]:
    # Counted by the wrapper: a list of ten thousand queries would cost more than they do.
    count = 0

    def counting(execute, sql, params, many, context):
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        started = time.perf_counter()
        ticks.tick(now=world.NOW, but={ticks.LETTERS})
        return time.perf_counter() - started, count


def _very_many_pairs(number: int) -> None:
    """One pair, made with care, and then copies of it by the database itself."""
    world.pairs(1)
    pair = Pair.objects.get()
    far = world.NOW + timedelta(days=3)
    Pair.objects.update(next_check_at=far, next_reminder_at=far)
    seats = 10_000
    coaches = -(-number // seats)
    first = _copies(pair.learner, number + coaches)
    _copies(
        pair,
        number - 1,
        learner_id=f"{first} + n.i",
        coach_id=f"{first} + {number} + n.i / {seats}",
        slot=f"n.i %% {seats} + 2",
    )


def _copies(row: Model, number: int, **columns: str) -> int:
    """Copy a row so often, each with names of its own; the first copy's id."""
    model = type(row)
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    own = {"public_id": "'c' || n.i", "key": "'c' || n.i", "key_folded": "'c' || n.i", **columns}
    own |= {"email": "'c' || n.i || '@example.com'"}
    values = ", ".join(own.get(name, f"t.{name}") for name in names)
    quoted = ", ".join(connection.ops.quote_name(name) for name in names)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %s) "
            f"INSERT INTO {table} ({quoted}) SELECT {values} FROM {table} t, n WHERE t.id = %s",
            [number, row.pk],
        )
    return model.objects.order_by("pk").filter(pk__gt=row.pk, public_id="c0").get().pk


BENCHMARKS = {
    "letters": Benchmark(
        "one worker against a bare SMTP loop", _letters_arguments, measure_letters, stores=True
    ),
    "tick": Benchmark("a tick over very many pairs", _tick_arguments, measure_tick, stores=True),
}
