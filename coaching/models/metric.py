import math

from django.db import models
from django.db.models import F, Q
from django.utils.formats import get_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coaching.domain.said import Measured, measured


class Metric(models.Model):
    """One skill, as it is counted: its kind, unit and which direction is better."""

    class Kind(models.TextChoices):
        MEAN = "mean", _("Mean of scores")
        PROPORTION = "proportion", _("Share of cases")
        RATE = "rate", _("Events per exposure")
        DURATION = "duration", _("Duration")

    class Direction(models.TextChoices):
        HIGHER = "higher", _("Higher is better")
        LOWER = "lower", _("Lower is better")

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    direction = models.CharField(max_length=6, choices=Direction, default=Direction.HIGHER)
    unit = models.CharField(max_length=30, blank=True)
    lower = models.FloatField("smallest possible value", null=True, blank=True)
    upper = models.FloatField("largest possible value", null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lower__isnull=True) | Q(upper__isnull=True) | Q(lower__lt=F("upper")),
                name="metric_bounds_in_order",
                violation_error_message="The smallest possible value must lie below the largest.",
            ),
        ]
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def higher_is_better(self) -> bool:
        return self.direction == self.Direction.HIGHER

    @property
    def sign(self) -> int:
        return 1 if self.higher_is_better else -1

    def in_units(self, value: float) -> float:
        """A value of the working scale as it is counted (durations are kept as logarithms)."""
        return math.exp(value) if self.kind == self.Kind.DURATION else value

    def read(self, value: float) -> Measured:
        """A value of the working scale in words: '82.4 %', '5:40 min', '4.21'."""
        return self.show(self.in_units(value))

    def show(self, value: float) -> Measured:
        """A value in the metric's own units, in words of the active language."""
        text = self._words(value).replace("~", get_format("DECIMAL_SEPARATOR"))
        return measured(text, value=value, kind=self.kind, unit=self.unit)

    def _words(self, value: float) -> str:
        """The same with ~ for the decimal sign."""

        def number(value: float, digits: int) -> str:
            return f"{value:.{digits}f}".replace(".", "~")

        if self.kind == self.Kind.PROPORTION:
            return f"{number(100 * value, 1)} %"
        if self.kind == self.Kind.DURATION:
            if value < 100:
                return f"{value:.0f} s"
            minutes, seconds = divmod(round(value), 60)
            return f"{minutes}:{seconds:02d} min"
        if self.kind == self.Kind.RATE:
            return gettext("%(number)s in 100") % {"number": number(100 * value, 1)}
        digits = 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
        return f"{number(value, digits)}{' ' + self.unit if self.unit else ''}"
