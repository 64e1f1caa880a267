from rest_framework import serializers

from coaching.api.fields import Amount, MetricRef
from coaching.domain.drivers import Split, Verdict
from coaching.models import Scorecard
from coaching.queries.drivers import Comparison, DriverRow

LEVELS = (0.90, 0.95)


class DriverOptions(serializers.Serializer):
    by = serializers.CharField(
        max_length=60,
        required=False,
        help_text="Key of the metric that decides who is at the top. Without one, the overall "
        "score does, each time without the metric that is compared.",
    )


class Between(serializers.Serializer):
    low = serializers.FloatField()
    high = serializers.FloatField()


class DriverShape(serializers.Serializer):
    """One metric. All numbers are null where too little is known to compare."""

    metric = MetricRef()
    verdict = serializers.ChoiceField(choices=[(one.value, one.value) for one in Verdict])
    compared = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Split],
        help_text="The strong with the weak band, the upper with the lower third, or why nobody.",
    )
    without_itself = serializers.BooleanField(
        help_text="The score that decided was made without this metric."
    )
    top = serializers.IntegerField(help_text="How many were compared at the top.")
    bottom = serializers.IntegerField()
    effect = serializers.FloatField(
        allow_null=True,
        help_text="How much better the top is, in spreads; below 0 it is worse.",
    )
    interval_90 = Between(allow_null=True)
    interval_95 = Between(allow_null=True)
    difference = serializers.FloatField(
        allow_null=True,
        help_text="The same in the metric's unit, signed as the metric is counted; for a "
        "duration the share by which it differs (-0.2: a fifth shorter).",
    )
    top_mean = Amount(allow_null=True)
    bottom_mean = Amount(allow_null=True)
    p = serializers.FloatField(allow_null=True, help_text="Two-sided, for this metric alone.")
    p_holm = serializers.FloatField(
        allow_null=True, help_text="Corrected for all metrics that were compared (Holm)."
    )


class ComparisonShape(serializers.Serializer):
    """What separates the top of a ranking from its bottom; the largest differences first."""

    subject = serializers.ChoiceField(choices=Scorecard.Subject.choices)
    subjects = serializers.IntegerField(help_text="How many the ranking has.")
    by = MetricRef(allow_null=True, help_text="What decides who is at the top; null: overall.")
    drivers = DriverShape(many=True)


def told(comparison: Comparison, subject: str) -> dict:
    """A comparison as plain values, for `ComparisonShape`."""
    return {
        "subject": subject,
        "subjects": comparison.subjects,
        "by": comparison.outcome,
        "drivers": [_driver(row) for row in comparison.rows],
    }


def _driver(row: DriverRow) -> dict:
    driver = row.driver
    plain = {
        "metric": row.metric,
        "verdict": driver.verdict,
        "compared": driver.split,
        "without_itself": driver.without_itself,
        "top": driver.top,
        "bottom": driver.bottom,
    }
    numbers = ("effect", "interval_90", "interval_95", "difference", "top_mean", "bottom_mean",
               "p", "p_holm")  # fmt: skip
    if not driver.told:
        return plain | dict.fromkeys(numbers)
    for level in LEVELS:
        low, high = driver.interval(level)
        plain[f"interval_{100 * level:.0f}"] = {"low": low, "high": high}
    return plain | {
        "effect": driver.effect,
        "difference": row.in_units(driver.effect),
        "top_mean": _amount(row, driver.top_mean),
        "bottom_mean": _amount(row, driver.bottom_mean),
        "p": driver.p,
        "p_holm": driver.p_holm,
    }


def _amount(row: DriverRow, value: float) -> dict:
    level = row.level(value)
    return {"value": row.metric.in_units(level), "text": row.metric.read(level)}
