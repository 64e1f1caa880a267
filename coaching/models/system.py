from datetime import timedelta

from django.db import models


class Beat(models.Model):
    """When a recurring job last ran, so that silence can be noticed."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.at}"


class Simulation(models.Model):
    """
    Marks a database that holds a simulated contact centre, and carries its clock.

    At most one row. With none, the clock is the machine's.
    """

    seed = models.PositiveIntegerField()
    # The Monday of the centre's first week; what happens depends on the week's number only.
    epoch = models.DateField()
    # How far the simulated clock runs ahead of the machine's.
    ahead = models.DurationField(default=timedelta(0))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="simulation_is_single"),
        ]

    def __str__(self) -> str:
        return f"Simulated contact centre, seed {self.seed}"
