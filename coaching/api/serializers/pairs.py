"""
Pairs, one description for each role. A coach reads the way to the target; the
learner everything about themselves; scores and their parts are the managers'.
"""

from datetime import date

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from coaching.api.fields import (
    CohortRef,
    MetricRef,
    Moment,
    PersonRef,
    PublicShape,
    Quantity,
    Shape,
)
from coaching.api.serializers.plans import Part
from coaching.models import Case, Look, Pair, Person, Session, Thanks, Worksheet
from coaching.queries import pairs
from coaching.services.thanks import LONGEST as LONGEST_THANKS
from coaching.services.worksheets import LONGEST

EVERYBODY = (
    "id", "side", "cohort", "learner", "coach", "metric", "state", "target", "stretch",
    "test_date", "started_at", "passed_at", "ended_at", "last_session", "level", "next_step",
)  # fmt: skip


class AnyPair(PublicShape):
    """What all who may see a pair read of it."""

    side = serializers.SerializerMethodField(help_text="As whom you see this pair.")
    cohort = CohortRef()
    learner = PersonRef()
    coach = PersonRef()
    metric = MetricRef()
    baseline = Quantity()
    target = Quantity()
    stretch = Quantity()
    last_session = serializers.DateField(allow_null=True)
    level = serializers.SerializerMethodField(help_text="At the newest look, in words.")
    next_step = serializers.SerializerMethodField()

    class Meta:
        model = Pair
        fields = EVERYBODY

    @property
    def reader(self) -> Person:
        return self.context["request"].person

    def get_side(self, pair: Pair) -> str:
        return pairs.side_of(self.reader, pair)

    def get_level(self, pair: Pair) -> str:
        looks = list(pair.looks.all())
        return pair.read(looks[-1].level) if looks else ""

    def get_next_step(self, pair: Pair) -> str:
        today: date = self.context["view"].today
        if pairs.side_of(self.reader, pair) in ("manager", "helper"):
            return ""
        return pairs.next_step(pair, self.reader, today=today)


class CoachPair(AnyPair):
    class Meta(AnyPair.Meta):
        fields = (*EVERYBODY, "baseline")


class LearnerPair(AnyPair):
    class Meta(AnyPair.Meta):
        fields = (*EVERYBODY, "baseline", "baseline_se", "target_formula", "state_since")


class ManagerPair(AnyPair):
    parts = Part(many=True)

    class Meta(AnyPair.Meta):
        fields = (
            *LearnerPair.Meta.fields, "score", "parts", "counts_from", "clocks_from", "revision",
        )  # fmt: skip


# A second helper reads what the coach reads.
BY_SIDE = {
    "learner": LearnerPair,
    "coach": CoachPair,
    "helper": CoachPair,
    "manager": ManagerPair,
}


class RolePair(serializers.BaseSerializer):
    """A pair as the reader's role has it."""

    def to_representation(self, pair: Pair) -> dict:
        side = pairs.side_of(self.context["request"].person, pair)
        if not hasattr(self, "_by_side"):
            # One of each for a whole list: building a serializer costs more than using it.
            self._by_side = {side: shape(context=self.context) for side, shape in BY_SIDE.items()}
        return self._by_side[side].to_representation(pair)


PAIR_BY_ROLE = PolymorphicProxySerializer(
    component_name="Pair",
    serializers=BY_SIDE,
    resource_type_field_name="side",
    many=False,
)


class LookShape(Shape):
    """For the coach: the way to the target."""

    level = serializers.SerializerMethodField()

    class Meta:
        model = Look
        fields = ("week", "number", "level", "p_reached")

    @extend_schema_field(Quantity)
    def get_level(self, look: Look) -> dict:
        metric = self.context["pair"].metric
        return {"value": metric.in_units(look.level), "text": metric.read(look.level)}


class FullLook(LookShape):
    class Meta(LookShape.Meta):
        fields = (*LookShape.Meta.fields, "n", "se", "taken_at")


class SessionShape(Shape):
    id = serializers.UUIDField(source="uid", read_only=True, help_text="As calendars know it.")
    logged_by = PersonRef(allow_null=True)

    class Meta:
        model = Session
        fields = (
            "id", "state", "held_on", "starts_at", "minutes", "place", "note", "logged_by",
            "logged_at",
        )  # fmt: skip


class NewSession(serializers.Serializer):
    held_on = serializers.DateField()
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class PlannedSession(serializers.Serializer):
    starts_at = Moment()
    minutes = serializers.IntegerField(min_value=1, max_value=1440, default=45)
    place = serializers.CharField(max_length=200, allow_blank=True, default="")


class MovedSession(serializers.Serializer):
    starts_at = Moment()
    minutes = serializers.IntegerField(min_value=1, max_value=1440, required=False)
    place = serializers.CharField(max_length=200, allow_blank=True, required=False)


class SessionAnswer(serializers.Serializer):
    answer = serializers.ChoiceField(choices=("held", "missed", "withdrawn"))
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class WorksheetShape(Shape):
    class Meta:
        model = Worksheet
        fields = ("week", "went", "will_try", "learner_at", "coach_does", "coach_at")


class WorksheetPart(serializers.Serializer):
    """One's own part: the learner the first two, the coach the last."""

    week = serializers.DateField(help_text="Any day of the week.")
    went = serializers.CharField(max_length=LONGEST, allow_blank=True, required=False)
    will_try = serializers.CharField(max_length=LONGEST, allow_blank=True, required=False)
    coach_does = serializers.CharField(max_length=LONGEST, allow_blank=True, required=False)


class HelpNote(serializers.Serializer):
    note = serializers.CharField(
        max_length=1000, allow_blank=True, default="", help_text="Only the manager reads it."
    )


class ThanksShape(Shape):
    class Meta:
        model = Thanks
        fields = ("text", "at")


class ThanksNote(serializers.Serializer):
    text = serializers.CharField(max_length=LONGEST_THANKS, help_text="One sentence.")


class CasePair(PublicShape):
    learner = PersonRef()
    coach = PersonRef()
    metric = MetricRef()
    cohort = CohortRef()

    class Meta:
        model = Pair
        fields = ("id", "learner", "coach", "metric", "cohort", "state")


class CaseShape(PublicShape):
    pair = CasePair()
    decided_by = PersonRef(allow_null=True)

    class Meta:
        model = Case
        fields = (
            "id", "pair", "clock", "episode", "opened_at", "level", "escalates_at", "decision",
            "decided_at", "decided_by", "note", "means",
        )  # fmt: skip


class ClinicPlan(serializers.Serializer):
    led_by = serializers.CharField(max_length=12, help_text="A coach of the cohort.")
    starts_at = Moment()
    minutes = serializers.IntegerField(min_value=1, max_value=1440, default=60)
    place = serializers.CharField(max_length=200, allow_blank=True, default="")
    pairs = serializers.ListField(
        child=serializers.CharField(max_length=12),
        default=list,
        max_length=30,
        help_text="Other pairs of the cohort that join.",
    )


class Decision(serializers.Serializer):
    decision = serializers.ChoiceField(
        choices=(Case.Decision.EVERYTHING, Case.Decision.REDIRECT, Case.Decision.ACCEPT)
    )
    note = serializers.CharField(max_length=2000, help_text="Both sides read this sentence.")
    weeks = serializers.IntegerField(min_value=1, max_value=26, default=4)
    helper = serializers.CharField(
        max_length=12, required=False, help_text="For everything: a graduate who would help."
    )
    clinic = ClinicPlan(required=False, help_text="For everything: a clinic to be planned.")
    other_coach = serializers.BooleanField(
        default=False, help_text="To redirect: the next best coach is proposed the same day."
    )
    coach = serializers.CharField(
        max_length=12, required=False, help_text="To redirect: this coach, from today."
    )
    target = serializers.FloatField(
        required=False, help_text="To redirect: another target, in the metric's own units."
    )
