"""Fields and small shapes that many descriptions share."""

from collections.abc import Callable
from datetime import UTC, tzinfo

from django.db import models
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coaching.models import Cohort, Metric, Person, Team


class Moment(serializers.DateTimeField):
    """The same for every reader: UTC, with its offset."""

    def default_timezone(self) -> tzinfo:
        return UTC


class Shape(serializers.ModelSerializer):
    """A row as it is told."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Moment,
    }


class PublicShape(Shape):
    """A row with a public id."""

    id = serializers.CharField(source="public_id", read_only=True)


class PersonRef(PublicShape):
    class Meta:
        model = Person
        fields = ("id", "name")


class TeamRef(PublicShape):
    class Meta:
        model = Team
        fields = ("id", "name")


class CohortRef(PublicShape):
    class Meta:
        model = Cohort
        fields = ("id", "name")


class MetricRef(Shape):
    class Meta:
        model = Metric
        fields = ("key", "name")


class Amount(serializers.Serializer):
    value = serializers.FloatField(help_text="In the metric's own unit; seconds for a duration.")
    text = serializers.CharField(help_text="As people read it.")


@extend_schema_field(Amount)
class Quantity(serializers.Field):
    """A value kept on the working scale of the row's metric, in the metric's unit."""

    def __init__(self, **kwargs) -> None:
        super().__init__(read_only=True, **kwargs)

    def get_attribute(self, row) -> tuple[Metric | None, float | None]:
        return row.metric, super().get_attribute(row)

    def to_representation(self, pair: tuple[Metric | None, float | None]) -> dict | None:
        metric, value = pair
        if value is None:
            return None
        if metric is None:
            # The overall score counts spreads above or below the peers' mean.
            return {"value": value, "text": f"{value:+.2f}"}
        return {"value": metric.in_units(value), "text": metric.read(value)}


@extend_schema_field(OpenApiTypes.STR)
class Known(serializers.SlugRelatedField):
    """A row that the body names, among those the reader may name."""

    default_error_messages = {
        "does_not_exist": "“{value}” is unknown here.",
        "invalid": "Must be a text.",
    }

    def __init__(self, rows: Callable[[Person], QuerySet], *, by: str = "public_id", **kwargs):
        self._rows = rows
        super().__init__(slug_field=by, **kwargs)

    def get_queryset(self) -> QuerySet:
        return self._rows(self.context["request"].person)

    def to_internal_value(self, value: object) -> models.Model:
        if not isinstance(value, str):
            self.fail("invalid")
        return super().to_internal_value(value)
