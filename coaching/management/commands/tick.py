"""`manage.py tick`: everything that is due, once or every so many seconds, without a broker."""

import logging
import time
from argparse import ArgumentParser

from django.core.management import BaseCommand, CommandError
from django.db import close_old_connections

from coaching.errors import CoachingError
from coaching.queries import clock
from coaching.services import clocks, ticks

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Do everything that is due now: imports, looks, reminders, digests, letters."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accept-clock",
            action="store_true",
            help="the clock has jumped, and it is right now",
        )
        parser.add_argument(
            "--every",
            type=float,
            metavar="SECONDS",
            help="go on for ever; any number of these, beside beat and workers or without",
        )

    def handle(self, *args, accept_clock: bool, every: float | None, **options) -> None:
        if every is None:
            self._once(accept_clock=accept_clock)
            return
        while True:
            try:
                self._once(accept_clock=accept_clock)
            except Exception as failure:
                # Sweeps log what went wrong in them; the next tick comes anyway.
                logger.error("A tick failed: %s", failure)
            accept_clock = False
            close_old_connections()
            time.sleep(every)

    def _once(self, *, accept_clock: bool) -> None:
        now = clock.now()
        try:
            if accept_clock:
                clocks.accept(now=now)
            else:
                clocks.vouch(now=now)
        except CoachingError as refusal:
            raise CommandError(refusal.message) from refusal
        for name, done in ticks.tick(now=now).items():
            self.stdout.write(f"{name}: {done}")
