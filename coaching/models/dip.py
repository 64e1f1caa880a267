from django.db import models
from django.db.models import Q


class Dip(models.Model):
    """
    An episode in which a coach's own numbers are notably below where they were at the launch.

    It is opened, and told to the coach's manager, once; it is over when the level is back, or
    when the coach coaches nobody any more.
    """

    person = models.ForeignKey("coaching.Person", models.CASCADE, related_name="dips")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)
    # On the metric's working scale: before the first launch, and when the dip was found.
    before = models.FloatField()
    level = models.FloatField()
    # The Monday of the week that settled it.
    week = models.DateField()
    found_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "metric"],
                condition=Q(over_at__isnull=True),
                name="dip_one_at_a_time",
            ),
        ]
        ordering = ["-found_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.person}: {self.metric} since the week of {self.week}"
