from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coaching.models.base import PublicModel


class Scorecard(PublicModel):
    """What counts, how much, among whom, and over how many weeks."""

    class Policy(models.TextChoices):
        EVIDENCE = "evidence", _("Evidence: nobody is labelled on noise")
        LEANING = "leaning", _("Leaning: more likely than not")
        QUOTA = "quota", _("Quota: a fixed share, right or wrong")

    class Subject(models.TextChoices):
        PEOPLE = "people", _("People")
        TEAMS = "teams", _("Teams")
        SEGMENTS = "segments", _("Customer segments")

    name = models.CharField(max_length=120)
    team = models.ForeignKey("coaching.Team", models.CASCADE, related_name="scorecards")
    metrics = models.ManyToManyField("coaching.Metric", through="coaching.ScorecardMetric")
    # Names of person attributes; people who agree in all of them are peers.
    peers_by = models.JSONField(default=list, blank=True)
    weeks = models.PositiveSmallIntegerField("weeks of readings", default=13)
    policy = models.CharField(max_length=8, choices=Policy, default=Policy.EVIDENCE)
    # Who is ranked: the people of the team and below, the teams below it, or its segments.
    subject = models.CharField(max_length=8, choices=Subject, default=Subject.PEOPLE)
    # The part of the peers that is called worst or best.
    q = models.FloatField("band width", default=0.25)
    # Fewer observations of a metric than this count as none.
    minimum_n = models.FloatField("minimum evidence", default=0)
    # Raised with every change; a ranking keeps the settings it was made with.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(q__gt=0, q__lte=0.5), name="scorecard_q_in_range"),
            models.CheckConstraint(
                condition=Q(minimum_n__gte=0), name="scorecard_minimum_not_negative"
            ),
        ]
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
