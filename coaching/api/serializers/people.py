from django.contrib.auth.models import User
from rest_framework import serializers

from coaching.api.fields import (
    Known,
    MetricRef,
    PersonRef,
    PublicShape,
    Quantity,
    Shape,
    TeamRef,
)
from coaching.models import HandRaise, Metric, Person, Reading, Team, Visit
from coaching.queries import metrics


class Credentials(serializers.Serializer):
    username = serializers.CharField(max_length=User._meta.get_field("username").max_length)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)


class Token(serializers.Serializer):
    token = serializers.CharField()
    expiry = serializers.DateTimeField()


class PersonShape(PublicShape):
    team = TeamRef()

    class Meta:
        model = Person
        fields = (
            "id", "key", "name", "email", "team", "role", "site", "shift", "language",
            "time_zone", "started_on", "part_time", "capacity", "access", "active",
        )  # fmt: skip


class TeamShape(PublicShape):
    parent = TeamRef()
    manager = PersonRef()
    size = serializers.IntegerField(help_text="Active people in this team itself.")

    class Meta:
        model = Team
        fields = ("id", "name", "parent", "manager", "size")


class PairCounts(serializers.Serializer):
    learning = serializers.IntegerField()
    coaching = serializers.IntegerField()
    passed = serializers.IntegerField()


class Me(serializers.Serializer):
    person = PersonShape()
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=("staff", "manager", "hr", "auditor"))
    )
    teams = TeamRef(many=True, help_text="Teams in which you may rank, plan and launch.")
    pairs = PairCounts(help_text="Your own pairs: active ones by side, and those that passed.")
    unread_notices = serializers.IntegerField()


class OwnSkillShape(serializers.Serializer):
    """One skill of one's own; what leans on the peers is null among fewer than five of them."""

    metric = MetricRef()
    n = serializers.FloatField(help_text="Cases that were counted.")
    raw = Quantity(allow_null=True)
    estimate = Quantity(allow_null=True)
    se = serializers.FloatField(
        allow_null=True, help_text="On the working scale: of the logarithm for durations."
    )
    reliability = serializers.FloatField(allow_null=True)
    peers = Quantity(allow_null=True, help_text="The mean of colleagues who do the same work.")
    best = Quantity(allow_null=True, help_text="The mean of the best part of them.")


class OwnSkills(serializers.Serializer):
    since = serializers.DateField(
        source="ranking.since",
        allow_null=True,
        help_text="Monday of the first week that was counted.",
    )
    until = serializers.DateField(
        source="ranking.until",
        allow_null=True,
        help_text="Monday of the last week that was counted.",
    )
    skills = OwnSkillShape(many=True)


class MetricShape(Shape):
    class Meta:
        model = Metric
        fields = ("key", "name", "kind", "direction", "unit", "lower", "upper")


class ReadingPerson(PublicShape):
    class Meta:
        model = Person
        fields = ("id", "key", "name")


class ReadingShape(Shape):
    person = ReadingPerson()
    metric = MetricRef()

    class Meta:
        model = Reading
        fields = ("person", "metric", "period", "n", "sum", "sumsq")


class SentReading(serializers.Serializer):
    """One row of a bulk ingest; `coaching.services.readings` checks it."""

    person = serializers.CharField(help_text="The identifier in exports.")
    metric = serializers.CharField(help_text="The metric's key.")
    period = serializers.DateField(help_text="Any day of the week that is meant.")
    n = serializers.FloatField(help_text="How many; for a rate, the exposure.")
    sum = serializers.FloatField(help_text="Sum of the n values; successes; events.")
    sumsq = serializers.FloatField(required=False, allow_null=True)


class IngestOptions(serializers.Serializer):
    dry_run = serializers.BooleanField(
        default=False, help_text="Check and count, but write nothing."
    )


class Ingested(serializers.Serializer):
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    same = serializers.IntegerField()
    dry_run = serializers.BooleanField()


class HandShape(Shape):
    person = PersonRef()
    metric = MetricRef()

    class Meta:
        model = HandRaise
        fields = ("person", "metric", "note", "raised_at", "lowered_at")


class RaisedHand(serializers.Serializer):
    metric = Known(metrics.visible_to, by="key")
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class VisitShape(Shape):
    looker = PersonRef()

    class Meta:
        model = Visit
        fields = ("looker", "what", "day", "at")


class CalendarLink(serializers.Serializer):
    url = serializers.CharField(allow_null=True, help_text="A secret; null without a link.")
