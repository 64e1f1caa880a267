from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coaching.models.base import PublicModel
from coaching.models.scorecard import Scorecard


class Cohort(PublicModel):
    """A group of pairs that starts together and closes when every one of them has passed."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Being planned")
        LIVE = "live", _("Running")
        CLOSED = "closed", _("Closed")

    class Target(models.TextChoices):
        GAP_TOP = "gap_top", _("Half of the gap to the best quarter")
        GAP_MEAN = "gap_mean", _("Half of the gap to the peers' mean")
        MIDDLE = "middle", _("Out of the worst quarter")

    name = models.CharField(max_length=120)
    team = models.ForeignKey("coaching.Team", models.PROTECT, related_name="cohorts")
    ranking = models.ForeignKey("coaching.Ranking", models.PROTECT, related_name="cohorts")
    state = models.CharField(max_length=6, choices=State, default=State.DRAFT)
    target_form = models.CharField(max_length=8, choices=Target, default=Target.GAP_TOP)
    test_date = models.DateField()
    # How its people were selected: the policy, the part of the peers that counted as worst or
    # best, and for a quota of so many instead of a share, how many from each end.
    policy = models.CharField(
        max_length=8, choices=Scorecard.Policy, default=Scorecard.Policy.EVIDENCE
    )
    q = models.FloatField("band width", default=0.25)
    quota = models.PositiveIntegerField("people from each end", null=True, blank=True)
    # The two clocks, in days and weekly looks; defaults from what coaching programmes found.
    first_session_days = models.PositiveSmallIntegerField("days to a first session", default=10)
    next_session_days = models.PositiveSmallIntegerField("days between sessions", default=14)
    readings_days = models.PositiveSmallIntegerField("days without readings", default=21)
    looks_without_movement = models.PositiveSmallIntegerField("looks without movement", default=6)
    created_by = models.ForeignKey(
        "coaching.Person", models.SET_NULL, null=True, related_name="created_cohorts"
    )
    created_at = models.DateTimeField()
    launched_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft", launched_at__isnull=True)
                | (~Q(state="draft") & Q(launched_at__isnull=False)),
                name="cohort_launched_at_iff_launched",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="cohort_closed_at_iff_closed",
            ),
            models.CheckConstraint(condition=Q(q__gt=0, q__lte=0.5), name="cohort_q_in_range"),
        ]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """Somebody selected for a cohort, on one side, with the reason why."""

    class Side(models.TextChoices):
        LEARNER = "learner", _("Learner")
        COACH = "coach", _("Coach")

    class Source(models.TextChoices):
        RANKING = "ranking", _("By the ranking")
        HAND = "hand", _("Raised a hand")
        MANAGER = "manager", _("Added by the manager")

    cohort = models.ForeignKey(Cohort, models.CASCADE, related_name="members")
    person = models.ForeignKey("coaching.Person", models.PROTECT)
    side = models.CharField(max_length=7, choices=Side)
    source = models.CharField(max_length=7, choices=Source, default=Source.RANKING)
    # The skill a hand was raised for.
    metric = models.ForeignKey("coaching.Metric", models.PROTECT, null=True, blank=True)
    # The probability, when selected, of truly belonging to the part they were selected from.
    chance = models.FloatField(null=True, blank=True)
    # Left out by the manager; kept, so that the choice stays visible.
    left_out = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cohort", "person"], name="member_on_one_side"),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.person} ({self.get_side_display()})"
