from django.db import models
from django.utils.translation import gettext_lazy as _

from coaching.models.base import PublicModel

# The four attributes that peers may share, of a hundred letters each, and the dots between.
GROUP_LENGTH = 420


class Band(models.TextChoices):
    """What the evidence carries. The values are those of `coaching.domain.ranking`."""

    WEAK = "weak", _("Weak")
    LEANING_WEAK = "leaning weak", _("Leaning weak")
    MIDDLE = "middle", _("Middle")
    LEANING_STRONG = "leaning strong", _("Leaning strong")
    STRONG = "strong", _("Strong")
    CANNOT_TELL = "cannot tell", _("Cannot tell")
    TOO_SMALL = "group too small", _("Group too small")
    CHECK = "check data", _("Check the numbers")


class Ranking(PublicModel):
    """One run of a scorecard over a window of weeks, kept as it was."""

    scorecard = models.ForeignKey("coaching.Scorecard", models.CASCADE, related_name="rankings")
    # Mondays of the first and the last week that count.
    since = models.DateField()
    until = models.DateField()
    subject = models.CharField(max_length=8, default="people")
    # The scorecard as it was: version, weights by metric key, peers_by, q, policy, minimum_n.
    # And what is good to know: `left_out` and `small_groups` in English, `notes` for any language.
    settings = models.JSONField(default=dict)
    created_by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True)
    created_at = models.DateTimeField()
    seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.scorecard}, {self.since} to {self.until}"


class Yardstick(models.Model):
    """What a peer group looked like on one metric: the frame in which its people are read."""

    ranking = models.ForeignKey(Ranking, models.CASCADE, related_name="yardsticks")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)
    weight = models.FloatField()
    group = models.CharField(max_length=GROUP_LENGTH)
    people = models.PositiveIntegerField()
    # All on the metric's working scale (the logarithm for durations).
    mean = models.FloatField()
    tau2 = models.FloatField("variance between people")
    # The same as a point estimate: exactly 0 where chance alone explains all differences.
    tau2_plug_in = models.FloatField()
    sigma2 = models.FloatField("noise of one observation, with over-dispersion")
    scale = models.FloatField("observed spread")
    top_quartile = models.FloatField("mean of the true top quarter")
    low_cut = models.FloatField("border of the true worst quarter")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ranking", "metric", "group"], name="yardstick_once_per_group"
            ),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.metric} in {self.group}"


class Standing(models.Model):
    """
    One person (or segment), or one team, in a ranking: on one metric or, without one, overall.
    """

    # Millions of rows are written at once, and every index is paid for by each of them: those
    # below find a ranking's rows as well, and nobody looks for a metric's over all rankings.
    ranking = models.ForeignKey(Ranking, models.CASCADE, related_name="standings", db_index=False)
    person = models.ForeignKey(
        "coaching.Person", models.CASCADE, null=True, related_name="standings"
    )
    team = models.ForeignKey(
        "coaching.Team", models.CASCADE, null=True, related_name="standings", db_index=False
    )
    metric = models.ForeignKey("coaching.Metric", models.PROTECT, null=True, db_index=False)
    group = models.CharField(max_length=GROUP_LENGTH)
    n = models.FloatField()
    # On the working scale; `raw` is unknown without readings.
    raw = models.FloatField(null=True)
    estimate = models.FloatField()
    se = models.FloatField()
    reliability = models.FloatField()
    # Spreads above or below the peers' mean, higher is better.
    z = models.FloatField()
    # Chances of truly being in the worst or best quarter, and worst or best two fifths.
    p_low = models.FloatField()
    p_high = models.FloatField()
    p_need = models.FloatField()
    p_skill = models.FloatField()
    # 90 % interval of the true place among peers: 0 is the worst, 1 the best.
    rank_low = models.FloatField()
    rank_high = models.FloatField()
    band = models.CharField(max_length=16, choices=Band)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=False, team__isnull=True)
                | models.Q(person__isnull=True, team__isnull=False),
                name="standing_of_a_person_or_a_team",
            ),
            models.UniqueConstraint(
                fields=["ranking", "metric", "person"],
                name="standing_once_per_metric",
            ),
            models.UniqueConstraint(
                fields=["ranking", "person"],
                condition=models.Q(metric__isnull=True),
                name="standing_once_overall",
            ),
            models.UniqueConstraint(
                fields=["ranking", "metric", "team"],
                condition=models.Q(team__isnull=False),
                name="standing_once_per_team",
            ),
        ]
        indexes = [
            models.Index(fields=["ranking", "metric", "band"]),
            models.Index(
                fields=["team"], condition=models.Q(team__isnull=False), name="standing_team"
            ),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.person or self.team}: {self.get_band_display()}"
