"""`manage.py benchmark`: how long the heavy work takes, on this machine and this database."""

from __future__ import annotations

import inspect
import os
import pkgutil
import platform
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from coaching.management import benchmarks
from coaching.management.benchmarks import Benchmark


def every_benchmark() -> dict[str, Benchmark]:
    """Return what the files of ``coaching.management.benchmarks`` offer, by name."""
    found: dict[str, Benchmark] = {}
    for file in pkgutil.iter_modules(benchmarks.__path__, f"{benchmarks.__name__}."):
        found |= import_module(file.name).BENCHMARKS
    return found


class Command(BaseCommand):
    help = "Measure the heavy work, in a database of its own that is gone afterwards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        choices = parser.add_subparsers(dest="benchmark", required=True)
        for name, benchmark in every_benchmark().items():
            benchmark.arguments(choices.add_parser(name, help=benchmark.about))

    def handle(self, *, benchmark: str, **options: Any) -> None:
        about, _, measure, stores = every_benchmark()[benchmark]
        chosen = {name: options[name] for name in inspect.signature(measure).parameters}
        machine = _machine()
        if stores:
            with own_database():
                lines = measure(**chosen)
                machine += f", {connection.display_name} {_version()}"
        else:
            lines = measure(**chosen)
        self.stdout.write(f"{benchmark}: {about}\n{machine}\n")
        width = max(len(what) for what, _ in lines)
        for what, figure in lines:
            self.stdout.write(f"  {what:<{width}}  {figure}")


@contextmanager
def own_database() -> Iterator[None]:
    """
    An empty database beside the configured one, gone afterwards; nothing real is touched.

    It is made the way a test run makes its own, so the role needs the right to create one.
    """
    creation, current = connection.creation, connection.settings_dict["NAME"]
    sqlite = connection.vendor == "sqlite"
    name = settings.VAR_DIR / "benchmark.sqlite3" if sqlite else f"benchmark_{current}"
    connection.settings_dict["TEST"]["NAME"] = str(name)
    creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        creation.destroy_test_db(current, verbosity=0)


def _machine() -> str:
    """The machine in a line, as far as it says."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else [])
        if line.startswith("model name")
    ]
    load = os.getloadavg()[0]
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, load {load:.1f} "
        f"at the start, Python {platform.python_version()}, numpy {np.__version__}"
    )


def _version() -> str:
    return ".".join(str(part) for part in connection.get_database_version())
