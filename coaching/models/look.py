from django.db import models


class Look(models.Model):
    """
    Where a pair's learner stood after one more week of readings.

    `level` and `se` are on the metric's working scale; `p_reached` is the
    probability that the true level is at or beyond the target.
    """

    pair = models.ForeignKey("coaching.Pair", models.CASCADE, related_name="looks")
    # The Monday of the last week that counts.
    week = models.DateField()
    # Weeks since the launch, 1 for the first.
    number = models.PositiveSmallIntegerField()
    n = models.FloatField()
    level = models.FloatField()
    se = models.FloatField()
    p_reached = models.FloatField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "week"], name="look_once_a_week"),
        ]
        ordering = ["week", "pk"]

    def __str__(self) -> str:
        return f"{self.pair}, week {self.number}"
