from django.db import models
from django.db.models import Q


class HandRaise(models.Model):
    """A person who asks for a coach. Added to the ranked, never in their place."""

    person = models.ForeignKey("coaching.Person", models.CASCADE, related_name="hand_raises")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)
    note = models.CharField(max_length=500, blank=True)
    raised_at = models.DateTimeField()
    lowered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "metric"],
                condition=Q(lowered_at__isnull=True),
                name="hand_raised_once_per_metric",
            ),
        ]
        ordering = ["-raised_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.person}: {self.metric}"
