"""`manage.py chaos`: workers are killed, frozen, multiplied; every letter is accounted for."""

import os
import platform
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connection

from coaching.management.chaos import broker, items, stage

NUMBERS = ("letters", "kills", "seeds", "each_step", "ticks", "pairs", "wipes", "rounds")


class Command(BaseCommand):
    help = (
        "Kill, freeze and multiply real workers, in a database of its own that is gone "
        "afterwards, and account for every letter. Exit 1 when something did not hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quick", action="store_true", help="seconds instead of an hour")
        parser.add_argument("--only", "--rule", nargs="+", choices=items.ITEMS, metavar="ITEM",
                            help=f"some of {', '.join(items.ITEMS)}")  # fmt: skip
        for name in NUMBERS:
            parser.add_argument(
                f"--{name.replace('_', '-')}", type=int, help="instead of the usual number"
            )

    def handle(self, *, quick: bool, only: list[str] | None, **options) -> None:
        size = stage.QUICK if quick else stage.FULL
        given = {name: options[name] for name in NUMBERS if options[name]}
        size = size._replace(**given)
        broken = []
        with own_database():
            self.stdout.write(f"{_machine()}, {connection.display_name}")
            for name in only or items.ITEMS:
                about, run = items.ITEMS[name]
                started = time.monotonic()
                try:
                    held, figures = run(size)
                except broker.NotInstalled as missing:
                    self.stdout.write(f"{name:4} skipped {missing}")
                    continue
                seconds = time.monotonic() - started
                self.stdout.write(
                    f"{name:4} {'held' if held else 'BROKEN':6} {about}, {seconds:.0f} s"
                )
                for line in figures.split("; "):
                    self.stdout.write(f"            {line}")
                self.stdout.flush()
                if not held:
                    broken.append(name)
        if broken:
            raise CommandError(f"Did not hold: {', '.join(broken)}")


@contextmanager
def own_database() -> Iterator[None]:
    """An empty database beside the configured one, gone afterwards; nothing real is touched."""
    creation, current = connection.creation, connection.settings_dict["NAME"]
    sqlite = connection.vendor == "sqlite"
    name = settings.VAR_DIR / "chaos.sqlite3" if sqlite else f"chaos_{current}"
    connection.settings_dict["TEST"]["NAME"] = str(name)
    creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        creation.destroy_test_db(current, verbosity=0)


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, load {load:.1f} at the start, Python {platform.python_version()}"
    )
