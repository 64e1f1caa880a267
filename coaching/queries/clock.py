"""The one place that reads a clock. Doors ask here; everything below is told `now`."""

from datetime import datetime

from django.utils import timezone

from coaching.models import Simulation


def now() -> datetime:
    """The machine's time; in a simulated contact centre, the time over there."""
    simulation = Simulation.objects.first()
    return timezone.now() + simulation.ahead if simulation else timezone.now()


def is_simulated() -> bool:
    return Simulation.objects.exists()
