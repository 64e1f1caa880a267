import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Session(models.Model):
    """A meeting of a pair: planned, then held, or not."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        HELD = "held", _("Held")
        MISSED = "missed", _("Could not take place")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    pair = models.ForeignKey("coaching.Pair", models.CASCADE, related_name="sessions")
    state = models.CharField(max_length=9, choices=State, default=State.HELD)
    # The day it took place, where the one who logged it is.
    held_on = models.DateField(null=True, blank=True)
    # When it is to take place; null for one that was only logged.
    starts_at = models.DateTimeField(null=True, blank=True)
    minutes = models.PositiveSmallIntegerField(default=45)
    place = models.CharField(max_length=200, blank=True)
    # What calendars know it by: the same through every move, numbered by `sequence`.
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sequence = models.PositiveSmallIntegerField(default=0)
    note = models.CharField(max_length=500, blank=True)
    logged_by = models.ForeignKey("coaching.Person", models.SET_NULL, null=True)
    logged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pair", "held_on"],
                condition=Q(held_on__isnull=False),
                name="session_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(state="held", held_on__isnull=False)
                | (~Q(state="held") & Q(held_on__isnull=True)),
                name="session_held_on_iff_held",
            ),
            models.CheckConstraint(
                condition=Q(state="held") | Q(starts_at__isnull=False),
                name="session_planned_has_a_time",
            ),
        ]
        ordering = ["held_on", "starts_at", "pk"]

    def __str__(self) -> str:
        return f"{self.pair}, {self.held_on or self.starts_at}"


class Worksheet(models.Model):
    """The one page of a pair's week: the learner writes first, then the coach."""

    pair = models.ForeignKey("coaching.Pair", models.CASCADE, related_name="worksheets")
    # The Monday of the week.
    week = models.DateField()
    went = models.TextField("what went how", blank=True)
    will_try = models.TextField("what I will try", blank=True)
    learner_at = models.DateTimeField(null=True, blank=True)
    coach_does = models.TextField("what I do here", blank=True)
    coach_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "week"], name="worksheet_once_a_week"),
            models.CheckConstraint(
                condition=Q(coach_at__isnull=True) | Q(learner_at__isnull=False),
                name="worksheet_learner_writes_first",
            ),
        ]
        ordering = ["week", "pk"]

    def __str__(self) -> str:
        return f"{self.pair}, week of {self.week}"
