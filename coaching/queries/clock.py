"""The one place that reads a clock. Doors ask here; everything below is told `now`."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from coaching.models import Simulation


def now() -> datetime:
    """The machine's time; in a simulated contact centre, the time over there."""
    simulation = Simulation.objects.first()
    return timezone.now() + simulation.ahead if simulation else timezone.now()


def is_simulated() -> bool:
    return Simulation.objects.exists()


def drift() -> timedelta:
    """How far the database's clock runs ahead of this machine's; SQLite has none of its own."""
    if connection.vendor == "sqlite":
        return timedelta(0)
    before = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        there = cursor.fetchone()[0]
    # The answer took its time; it was right somewhere in between.
    return there - (before + (timezone.now() - before) / 2)
