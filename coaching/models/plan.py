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
    # What the manager calls it, when there are several to choose from.
    name = models.CharField(max_length=80, blank=True)
    # What the manager wishes, besides the rules (rows of `Rule`); `PlanStep` keeps every version.
    # Score points (of 1000) a pair earns for what the two have in common: {"shift": 100}.
    preferences = models.JSONField(default=dict, blank=True)
    # Weights of metrics where they differ from the ranking's: {metric key: weight}.
    weights = models.JSONField(default=dict, blank=True)
    # Seats a coach has in this plan where it differs from the person's own: {public_id: seats}.
    capacities = models.JSONField(default=dict, blank=True)
    # Selected people who take no part in this plan, and why: {public_id: reason}.
    left_out = models.JSONField(default=dict, blank=True)
    # Learners who get more than one coach, each for another skill: {public_id: coaches}.
    wants = models.JSONField(default=dict, blank=True)
    # No pair scores less than this.
    floor = models.PositiveSmallIntegerField(default=0)
    # With a number, a lot seeded by it draws who waits when seats are scarce; without, the score.
    lot = models.PositiveIntegerField(null=True, blank=True)
    matched = models.PositiveIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    worst = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True, blank=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    # Raised with every change, so that two people cannot overwrite each other unseen.
    revision = models.PositiveIntegerField(default=0)
    # The `PlanStep` it stands at; steps beyond it can be done again.
    step = models.PositiveIntegerField(default=0)
    # Since when a plan too large for one request waits to be solved in the background.
    queued_at = models.DateTimeField(null=True, blank=True)

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


class PlanStep(models.Model):
    """One version of what the manager wished, what came of it, and who moved: undo and redo."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    # In words: "Ivo Keller and Lea Brandt pinned together".
    what = models.CharField(max_length=300)
    by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    # {"preferences", "weights", "capacities", "left_out", "wants", "floor", "lot",
    #  "rules": [[kind, learner, coach, made by], ...]}; people by public id.
    wishes = models.JSONField()
    # {"matched", "total", "worst"} of the plan solved for them.
    outcome = models.JSONField(default=dict)
    # [{"learner", "metric", "from", "to", "why"}, ...], names as read; against the step before.
    moves = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_step_once"),
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number}. {self.what}"


class PlanPart(models.Model):
    """
    An independent part of a plan that is solved in the background, by whichever worker comes.

    Learners and coaches of one part have no candidate in another, so that
    the optima of the parts are together the optimum of the plan.
    """

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    # The plan's revision it belongs to; parts of an older one are dropped.
    revision = models.PositiveIntegerField()
    # Person ids of its learners.
    learners = models.JSONField()
    taken_until = models.DateTimeField(null=True, blank=True)
    # The draft pairs and unpaired people found, as plain values; null until solved.
    answer = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_part_once"),
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.plan}"


class DraftPair(PublicModel):
    """
    A pair the plan proposes, with everything its reason is made of.

    The pair that a launch makes of it takes over its public id, so that a
    preview of its letters is what will be sent.
    """

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
            models.UniqueConstraint(
                fields=["plan", "learner", "metric"], name="draft_pair_one_coach_per_skill"
            ),
            models.UniqueConstraint(
                fields=["plan", "learner", "coach"], name="draft_pair_coach_once_per_learner"
            ),
        ]
        ordering = ["-score", "pk"]

    def __str__(self) -> str:
        return f"{self.coach} → {self.learner}: {self.metric}"


class Unpaired(models.Model):
    """A learner the plan leaves without a coach, and why."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="unpaired")
    learner = models.ForeignKey("coaching.Person", models.PROTECT, related_name="+")
    reason = models.TextField()
    # Whether the seats are what is missing: then they wait for one after the launch.
    scarce = models.BooleanField(default=False)
    # Public ids: who else wants those seats, whose seats they are, and how many there are.
    competing = models.JSONField(default=list)
    contested = models.JSONField(default=list)
    seats = models.PositiveIntegerField(default=0)
    # Their place in the lot, when one was drawn; 1 comes first.
    place = models.PositiveIntegerField(null=True, blank=True)

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
