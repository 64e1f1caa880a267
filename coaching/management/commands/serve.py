"""
`manage.py serve`: the whole product in one process.

The port is bound first, so that a taken one is said and nothing is left
behind; then a ticker thread sweeps what is due, every half minute and
whenever a page wakes it, while waitress serves.
"""

import errno
import logging
import os
import signal
import socket
import threading
import time
from argparse import ArgumentParser
from types import FrameType

import waitress
from django.core.management import BaseCommand, CommandError
from django.db import close_old_connections

from coaching import engine
from coaching.errors import CoachingError
from coaching.queries import clock
from coaching.services import clocks, ticks
from config.wsgi import application

logger = logging.getLogger(__name__)

TICK_EVERY = 30.0
HURRY = 1.0


class Command(BaseCommand):
    help = "Serve Lanemate from one process: pages, API and the work behind them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args, host: str, port: int, **options) -> None:
        serve(bind(host, port))


def bind(host: str, port: int) -> socket.socket:
    """
    Take the port, or say that somebody else has it.

    :raises CommandError:
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "is taken" if taken else f"cannot be used: {error}"
        raise CommandError(
            f"Port {port} on {host} {reason}. Choose another one: --port {port + 1} "
            f"(with make: make demo PORT={port + 1})."
        ) from error
    return listener


def serve(listener: socket.socket) -> None:
    """Serve on a bound socket until Ctrl-C or SIGTERM."""
    threading.Thread(target=_tick_forever, name="ticker", daemon=True).start()
    server = waitress.create_server(application, sockets=[listener], threads=8)
    stopped_at: list[float] = []

    def stop(signum: int, frame: FrameType | None) -> None:
        # Only numbers and exceptions here: locking anything in a signal's way can deadlock.
        # Some launchers deliver the signal twice; a person who asks again means it.
        if stopped_at and time.monotonic() - stopped_at[0] > HURRY:
            os._exit(130)
        if not stopped_at:
            stopped_at.append(time.monotonic())
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def _tick_forever() -> None:
    while True:
        engine.woken.clear()
        try:
            clocks.vouch(now=clock.now())
            ticks.tick(now=clock.now())
        except CoachingError as refusal:
            logger.error("%s", refusal.message)
        except Exception:
            # Logged by the tick; the next one comes anyway.
            logger.error("A tick failed; the next one follows in %d seconds.", TICK_EVERY)
        close_old_connections()
        engine.woken.wait(TICK_EVERY)
