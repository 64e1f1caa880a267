"""Who waits, who helps, who is away; and the letters of a launch before it."""

from rest_framework import serializers

from coaching.api.fields import MetricRef, PersonRef, Shape
from coaching.api.serializers.letters import Rendering
from coaching.api.serializers.plans import Part
from coaching.models import Helper, Leave, Letter, Waiting


class OfferShape(serializers.Serializer):
    coach = PersonRef()
    metric = MetricRef()
    score = serializers.IntegerField()
    parts = Part(many=True)
    proposed = serializers.BooleanField(help_text="The one that those who wait are best off with.")
    lost_seats = serializers.IntegerField(help_text="Others who wait and then go without.")
    lost_score = serializers.IntegerField(help_text="What it costs those who wait together.")


class WaitingShape(Shape):
    number = serializers.IntegerField(source="pk", help_text="What this wait is answered by.")
    learner = PersonRef()
    metric = MetricRef(allow_null=True)
    after = serializers.SlugRelatedField(slug_field="public_id", read_only=True)
    offers = OfferShape(many=True, help_text="Every coach with a free seat, the best first.")

    class Meta:
        model = Waiting
        fields = ("number", "learner", "metric", "why", "place", "by_lot", "since", "after",
                  "proposed_at", "offers")  # fmt: skip


class Accept(serializers.Serializer):
    coach = serializers.CharField(
        max_length=12, required=False, help_text="The proposed one when left out."
    )


class Begun(serializers.Serializer):
    pair = serializers.CharField(source="public_id", help_text="The new pair.")


class Drop(serializers.Serializer):
    note = serializers.CharField(max_length=300, help_text="The cohort keeps it.")


class PreviewShape(serializers.ModelSerializer):
    """A letter that a launch would send."""

    recipient = PersonRef()
    pair = serializers.CharField(source="pair.public_id", help_text="What the pair will be.")
    leaves_at = serializers.DateTimeField(source="next_attempt_at")
    rendered = Rendering(help_text="Word for word what would be sent.")

    class Meta:
        model = Letter
        fields = ("kind", "recipient", "pair", "leaves_at", "rendered")


class HelperShape(Shape):
    person = PersonRef()

    class Meta:
        model = Helper
        fields = ("person", "since")


class NewHelper(serializers.Serializer):
    person = serializers.CharField(max_length=12)


class Willing(serializers.Serializer):
    willing = serializers.BooleanField()


class LeaveShape(Shape):
    number = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Leave
        fields = ("number", "first_day", "last_day")


class NewLeave(serializers.Serializer):
    first_day = serializers.DateField()
    last_day = serializers.DateField(
        allow_null=True, default=None, help_text="Null: until further notice."
    )
