from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coaching.models.base import PublicModel


class PairQuerySet(models.QuerySet["Pair"]):
    def active(self) -> "PairQuerySet":
        """Pairs that are still swimming: they hold a seat and get letters."""
        return self.filter(state__in=Pair.ACTIVE)

    def counted(self) -> "PairQuerySet":
        """Pairs that took place: all but those whose launch was taken back."""
        return self.exclude(ending=Pair.Ending.UNDONE)


class Pair(PublicModel):
    """
    A coach and a learner at work on one metric until the target is reached.

    `baseline`, `target` and their company are frozen at the launch, on the
    metric's working scale; `in_units` turns them into what people read.
    """

    class State(models.TextChoices):
        ON_TRACK = "on_track", _("On track")
        AT_RISK = "at_risk", _("At risk")
        STUCK = "stuck", _("Stuck")
        PASSED = "passed", _("Passed")
        ENDED = "ended", _("Ended")

    ACTIVE = (State.ON_TRACK, State.AT_RISK, State.STUCK)

    cohort = models.ForeignKey("coaching.Cohort", models.PROTECT, related_name="pairs")
    learner = models.ForeignKey("coaching.Person", models.PROTECT, related_name="pairs_as_learner")
    coach = models.ForeignKey("coaching.Person", models.PROTECT, related_name="pairs_as_coach")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)

    class Ending(models.TextChoices):
        ACCEPTED = "accepted", _("Ended openly, by decision")
        LEFT = "left", _("Somebody left")
        AWAY = "away", _("Somebody is away for long")
        DECLINED = "declined", _("Ended by one of the two")
        REDIRECTED = "redirected", _("Went on with another coach or target")
        UNDONE = "undone", _("The launch was taken back")

    # Endings that say nothing about how the two got on: they may be paired again.
    BLAMELESS = (Ending.AWAY, Ending.UNDONE)

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
    ending = models.CharField(max_length=10, choices=Ending, blank=True)
    ended_by = models.ForeignKey(
        "coaching.Person", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The pair whose learner, target and looks this one goes on with, under another coach.
    follows = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="followed_by"
    )
    # Whether the learner, having passed, is glad to help somebody who still swims; null: not asked.
    would_help = models.BooleanField(null=True, blank=True)
    # The readings a pass rests on, [[Monday, n, sum], ...]. When a correction changes them the
    # pass stays, and a manager is asked to look at it.
    evidence = models.JSONField(default=list, blank=True)
    review_since = models.DateTimeField(null=True, blank=True)
    review_note = models.CharField(max_length=300, blank=True)
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
            models.CheckConstraint(
                condition=(Q(state="ended") & ~Q(ending="")) | (~Q(state="ended") & Q(ending="")),
                name="pair_ending_iff_ended",
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
        ACTIVITY = "activity", _("No sessions")
        OUTCOME = "outcome", _("Sessions, but no movement")
        READINGS = "readings", _("No readings")

    class Decision(models.TextChoices):
        EVERYTHING = "everything", _("Everything we have")
        REDIRECT = "redirect", _("Another way")
        ACCEPT = "accept", _("End it here, openly")
        RECOVERED = "recovered", _("Moving again by itself")

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="cases")
    episode = models.PositiveSmallIntegerField()
    clock = models.CharField(max_length=8, choices=Clock)
    opened_at = models.DateTimeField()
    # 1 while it lies with the nearest manager, one more each time nobody answers.
    level = models.PositiveSmallIntegerField(default=1)
    # When it goes one level up, unless decided; none is left above when this is null.
    escalates_at = models.DateTimeField(null=True, blank=True)
    # What the decision does, in plain values: {"weeks": 4, "helper": id, "clinic": id,
    # "coach": id, "target": value}.
    means = models.JSONField(default=dict, blank=True)
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
        indexes = [
            models.Index(
                fields=["escalates_at"], condition=Q(decided_at__isnull=True), name="case_due"
            ),
        ]
        ordering = ["-opened_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.pair}: {self.get_clock_display()}"


class Helper(models.Model):
    """A second helper of a pair: a graduate, mostly, who sees what the coach sees."""

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="helpers")
    person = models.ForeignKey("coaching.Person", models.PROTECT, related_name="helps")
    asked_by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pair", "person"],
                condition=Q(until__isnull=True),
                name="helper_once_at_a_time",
            ),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.person} helps {self.pair}"


class TargetChange(models.Model):
    """A decision to move a frozen target, with its reason; both sides see it."""

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="target_changes")
    old = models.FloatField()
    new = models.FloatField()
    reason = models.TextField()
    by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.pair}: {self.old} → {self.new}"


class Clinic(PublicModel):
    """One strong coach (or a strong team's) before several learners of one metric, once."""

    cohort = models.ForeignKey("coaching.Cohort", models.CASCADE, related_name="clinics")
    metric = models.ForeignKey("coaching.Metric", models.PROTECT)
    led_by = models.ForeignKey("coaching.Person", models.PROTECT, related_name="clinics_led")
    pairs = models.ManyToManyField(Pair, related_name="clinics")
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=60)
    place = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()
    sequence = models.PositiveSmallIntegerField(default=0)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "pk"]

    def __str__(self) -> str:
        return f"Clinic on {self.metric}, {self.starts_at:%Y-%m-%d}"


class Waiting(models.Model):
    """
    A learner of a running cohort who needs a coach, and the next best one proposed for them.

    They come from a launch with too few seats, or from a pair that ended
    before its target. A cohort with somebody waiting does not close.
    """

    class Why(models.TextChoices):
        NO_SEAT = "no_seat", _("No seat was free at the launch")
        LEFT = "left", _("The coach left")
        AWAY = "away", _("The coach is away for long")
        DECLINED = "declined", _("The pair was ended by one of the two")
        REDIRECTED = "redirected", _("Another coach was decided on")

    class Outcome(models.TextChoices):
        PAIRED = "paired", _("Has a coach")
        DROPPED = "dropped", _("Does not wait any more")

    cohort = models.ForeignKey("coaching.Cohort", models.CASCADE, related_name="waiting")
    learner = models.ForeignKey("coaching.Person", models.PROTECT, related_name="waits")
    # The skill, once it is known: that of the pair before.
    metric = models.ForeignKey("coaching.Metric", models.PROTECT, null=True, blank=True)
    why = models.CharField(max_length=10, choices=Why)
    after = models.ForeignKey(Pair, models.SET_NULL, null=True, blank=True, related_name="+")
    # The order in which they get a seat: drawn by lot at the launch, later by arrival.
    place = models.PositiveIntegerField()
    by_lot = models.BooleanField(default=False)
    since = models.DateTimeField()
    # The proposal before the manager: {"coach": public id, "metric": key, "score": n, "parts": []}.
    proposal = models.JSONField(null=True, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cohort", "learner", "metric"],
                condition=Q(settled_at__isnull=True),
                name="waiting_once",
            ),
            models.UniqueConstraint(
                fields=["cohort", "learner"],
                condition=Q(settled_at__isnull=True, metric__isnull=True),
                name="waiting_once_for_anything",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, outcome="")
                | (Q(settled_at__isnull=False) & ~Q(outcome="")),
                name="waiting_settled_iff_outcome",
            ),
        ]
        ordering = ["place", "pk"]

    def __str__(self) -> str:
        return f"{self.learner} waits in {self.cohort}"
