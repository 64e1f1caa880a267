from django.db import models
from django.db.models import Q


class Reading(models.Model):
    """
    One person, one metric, one week: how many, their sum, their sum of squares.

    For a proportion `sum` counts the successes among `n`; for a rate it counts
    events in an exposure of `n`. `sumsq` is unknown where only means were given.
    """

    person = models.ForeignKey("coaching.Person", models.PROTECT, related_name="readings")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT, related_name="readings")
    # The Monday of the week.
    period = models.DateField()
    n = models.FloatField()
    sum = models.FloatField()
    sumsq = models.FloatField(null=True)
    source = models.ForeignKey("coaching.Import", models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "metric", "period"], name="reading_once_per_week"
            ),
            models.CheckConstraint(condition=Q(n__gt=0), name="reading_counts_something"),
        ]
        indexes = [models.Index(fields=["metric", "period"])]

    def __str__(self) -> str:
        return f"{self.person} · {self.metric} · {self.period}"
