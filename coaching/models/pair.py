from django.db import models
from django.db.models import F, Q

from coaching.models.base import PublicModel


class PairQuerySet(models.QuerySet["Pair"]):
    def active(self) -> "PairQuerySet":
        """Pairs that are still swimming: they hold a seat and get letters."""
        return self.filter(state__in=Pair.ACTIVE)


class Pair(PublicModel):
    """
    A coach and a learner at work on one metric until the target is reached.

    `baseline`, `target` and their company are frozen at the launch, on the
    metric's working scale; `in_units` turns them into what people read.
    """

    class State(models.TextChoices):
        ON_TRACK = "on_track", "On track"
        AT_RISK = "at_risk", "At risk"
        STUCK = "stuck", "Stuck"
        PASSED = "passed", "Passed"
        ENDED = "ended", "Ended"

    ACTIVE = (State.ON_TRACK, State.AT_RISK, State.STUCK)

    cohort = models.ForeignKey("coaching.Cohort", models.PROTECT, related_name="pairs")
    learner = models.ForeignKey("coaching.Person", models.PROTECT, related_name="pairs_as_learner")
    coach = models.ForeignKey("coaching.Person", models.PROTECT, related_name="pairs_as_coach")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)
    # Which of the coach's seats this pair holds, 1 for the first.
    slot = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.ON_TRACK)
    score = models.PositiveIntegerField()
    parts = models.JSONField(default=list)

    baseline = models.FloatField()
    baseline_se = models.FloatField()
    peer_mean = models.FloatField()
    tau2 = models.FloatField()
    sigma2 = models.FloatField()
    target = models.FloatField()
    stretch = models.FloatField()
    target_formula = models.CharField(max_length=200)
    # Readings of weeks from this Monday on count.
    counts_from = models.DateField()
    test_date = models.DateField()

    started_at = models.DateTimeField()
    state_since = models.DateTimeField()
    passed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # The clocks of "no session" and "no movement" start here: the launch, or a decision.
    clocks_from = models.DateField()
    # When the sweeps look at it next: after new readings at once, otherwise once a day.
    next_check_at = models.DateTimeField()
    next_reminder_at = models.DateTimeField()
    # Raised with every change of state; a sweep that read an older one changes nothing.
    revision = models.PositiveIntegerField(default=0)

    objects = PairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(coach=F("learner")), name="pair_is_two_people"),
            models.CheckConstraint(
                condition=Q(state="passed", passed_at__isnull=False)
                | (~Q(state="passed") & Q(passed_at__isnull=True)),
                name="pair_passed_at_iff_passed",
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False)
                | (~Q(state="ended") & Q(ended_at__isnull=True)),
                name="pair_ended_at_iff_ended",
            ),
            models.UniqueConstraint(
                fields=["learner", "metric"],
                condition=Q(state__in=["on_track", "at_risk", "stuck"]),
                name="pair_one_coach_per_metric",
            ),
            models.UniqueConstraint(
                fields=["coach", "slot"],
                condition=Q(state__in=["on_track", "at_risk", "stuck"]),
                name="pair_one_learner_per_seat",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_reminder_at"],
                condition=Q(state__in=["on_track", "at_risk", "stuck"]),
                name="pair_reminder_due",
            ),
            models.Index(
                fields=["next_check_at"],
                condition=Q(state__in=["on_track", "at_risk", "stuck"]),
                name="pair_check_due",
            ),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.coach} and {self.learner}: {self.metric}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    def read(self, value: float) -> str:
        """A value of the working scale in words: '82.4 %', '5:40 min', '4.21'."""
        return self.metric.read(value)

    @property
    def baseline_text(self) -> str:
        return self.read(self.baseline)

    @property
    def target_text(self) -> str:
        return self.read(self.target)

    @property
    def stretch_text(self) -> str:
        return self.read(self.stretch)

    def partner_of(self, person):
        return self.coach if person.pk == self.learner_id else self.learner


class Case(PublicModel):
    """A stuck pair put before somebody who can decide; one for each time it gets stuck."""

    class Clock(models.TextChoices):
        ACTIVITY = "activity", "No sessions"
        OUTCOME = "outcome", "Sessions, but no movement"
        READINGS = "readings", "No readings"

    class Decision(models.TextChoices):
        EVERYTHING = "everything", "Give more time"
        ACCEPT = "accept", "End it here, openly"
        RECOVERED = "recovered", "Moving again by itself"

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="cases")
    episode = models.PositiveSmallIntegerField()
    clock = models.CharField(max_length=8, choices=Clock)
    opened_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        "coaching.Person", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "episode"], name="case_once_per_episode"),
            models.UniqueConstraint(
                fields=["pair"], condition=Q(decided_at__isnull=True), name="case_one_open"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True)
                | (~Q(decision="") & Q(decided_at__isnull=False)),
                name="case_decided_at_iff_decided",
            ),
        ]
        ordering = ["-opened_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.pair}: {self.get_clock_display()}"
