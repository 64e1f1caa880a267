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
    PersonRef,
    PublicShape,
    Quantity,
    Shape,
)
from coaching.api.serializers.plans import Part
from coaching.models import Case, Look, Pair, Person, Session
from coaching.queries import pairs

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
        return side_of(self.reader, pair)

    def get_level(self, pair: Pair) -> str:
        looks = list(pair.looks.all())
        return pair.read(looks[-1].level) if looks else ""

    def get_next_step(self, pair: Pair) -> str:
        today: date = self.context["view"].today
        if side_of(self.reader, pair) == "manager":
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


BY_SIDE = {"learner": LearnerPair, "coach": CoachPair, "manager": ManagerPair}


def side_of(reader: Person, pair: Pair) -> str:
    if reader.pk == pair.learner_id:
        return "learner"
    return "coach" if reader.pk == pair.coach_id else "manager"


class RolePair(serializers.BaseSerializer):
    """A pair as the reader's role has it."""

    def to_representation(self, pair: Pair) -> dict:
        side = side_of(self.context["request"].person, pair)
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
    logged_by = PersonRef(allow_null=True)

    class Meta:
        model = Session
        fields = ("held_on", "note", "logged_by", "logged_at")


class NewSession(serializers.Serializer):
    held_on = serializers.DateField()
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


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
            "id", "pair", "clock", "episode", "opened_at", "decision", "decided_at", "decided_by",
            "note",
        )  # fmt: skip


class Decision(serializers.Serializer):
    decision = serializers.ChoiceField(choices=(Case.Decision.EVERYTHING, Case.Decision.ACCEPT))
    note = serializers.CharField(max_length=2000, help_text="Both sides read this sentence.")
