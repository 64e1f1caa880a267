from django.db import models
from django.db.models import Q

from coaching.models.base import PublicModel


class Scorecard(PublicModel):
    """What counts, how much, among whom, and over how many weeks."""

    class Policy(models.TextChoices):
        EVIDENCE = "evidence", "Evidence: nobody is labelled on noise"
        LEANING = "leaning", "Leaning: more likely than not"
        QUOTA = "quota", "Quota: a fixed share, right or wrong"

    name = models.CharField(max_length=120)
    team = models.ForeignKey("coaching.Team", models.CASCADE, related_name="scorecards")
    metrics = models.ManyToManyField("coaching.Metric", through="coaching.ScorecardMetric")
    # Names of person attributes; people who agree in all of them are peers.
    peers_by = models.JSONField(default=list, blank=True)
    weeks = models.PositiveSmallIntegerField("weeks of readings", default=13)
    policy = models.CharField(max_length=8, choices=Policy, default=Policy.EVIDENCE)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class ScorecardMetric(models.Model):
    scorecard = models.ForeignKey(Scorecard, models.CASCADE, related_name="weights")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)
    weight = models.FloatField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "metric"], name="scorecard_metric_once"),
            models.CheckConstraint(
                condition=Q(weight__gte=0), name="scorecard_weight_not_negative"
            ),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.metric} × {self.weight:g}"
