from django.db import models
from django.db.models import F, Q

from coaching.models.base import PublicModel


class Plan(PublicModel):
    """Draft pairs under rules. Solved as one optimum, changed by rules, launched once."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        LAUNCHED = "launched", "Launched"

    cohort = models.ForeignKey("coaching.Cohort", models.CASCADE, related_name="plans")
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    # Score points (of 1000) for sharing an attribute: {"shift": 100}.
    preferences = models.JSONField(default=dict, blank=True)
    # Seats a coach has in this plan where it differs from the person's own: {public_id: seats}.
    capacities = models.JSONField(default=dict, blank=True)
    matched = models.PositiveIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    worst = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True, blank=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    # Raised with every change, so that two people cannot overwrite each other unseen.
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cohort"], condition=Q(state="launched"), name="plan_launched_once"
            ),
            models.CheckConstraint(
                condition=Q(state="launched", launched_at__isnull=False)
                | (~Q(state="launched") & Q(launched_at__isnull=True)),
                name="plan_launched_at_iff_launched",
            ),
        ]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"Plan for {self.cohort}"


class DraftPair(models.Model):
    """A pair the plan proposes, with everything its reason is made of."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="draft_pairs")
    learner = models.ForeignKey("coaching.Person", models.PROTECT, related_name="+")
    coach = models.ForeignKey("coaching.Person", models.PROTECT, related_name="+")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)
    score = models.PositiveIntegerField()
    # [{"metric": key, "name": ..., "points": n}, ...]; the points add up to the score.
    parts = models.JSONField(default=list)
    feasible_coaches = models.PositiveIntegerField()
    # The learner's next best coach, and what the whole plan would lose by insisting on it.
    runner_up = models.ForeignKey("coaching.Person", models.SET_NULL, null=True, related_name="+")
    runner_up_score = models.PositiveIntegerField(null=True)
    runner_up_cost = models.PositiveIntegerField(null=True)
    runner_up_unmatches = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "learner"], name="draft_pair_learner_once"),
        ]
        ordering = ["-score", "pk"]

    def __str__(self) -> str:
        return f"{self.coach} → {self.learner}: {self.metric}"


class Unpaired(models.Model):
    """A learner the plan leaves without a coach, and why."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="unpaired")
    learner = models.ForeignKey("coaching.Person", models.PROTECT, related_name="+")
    reason = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "learner"], name="unpaired_learner_once"),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.learner}: {self.reason}"


class Rule(models.Model):
    """A manager's word on one pair of people: together, or not."""

    class Kind(models.TextChoices):
        PIN = "pin", "Pinned"
        FORBID = "forbid", "Forbidden"

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=6, choices=Kind)
    learner = models.ForeignKey("coaching.Person", models.PROTECT, related_name="+")
    coach = models.ForeignKey("coaching.Person", models.PROTECT, related_name="+")
    made_by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "learner", "coach"], name="rule_once_per_pair"),
            models.CheckConstraint(condition=~Q(learner=F("coach")), name="rule_names_two_people"),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.coach} and {self.learner}"
