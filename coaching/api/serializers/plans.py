from collections import Counter

from rest_framework import serializers

from coaching.api.fields import (
    CohortRef,
    Known,
    MetricRef,
    Moment,
    PersonRef,
    PublicShape,
    Shape,
    TeamRef,
)
from coaching.domain.selection import NARROWEST, WIDEST
from coaching.models import Cohort, DraftPair, Member, Plan, Rule, Scorecard, Unpaired
from coaching.queries import cohorts, rankings
from coaching.services.cohorts import MOST_SEATS
from coaching.services.plans import FEW_COACHES


class PairTotals(serializers.Serializer):
    total = serializers.IntegerField(source="pair_count")
    on_track = serializers.IntegerField(source="on_track_count")
    at_risk = serializers.IntegerField(source="at_risk_count")
    stuck = serializers.IntegerField(source="stuck_count")
    passed = serializers.IntegerField(source="passed_count")
    ended = serializers.IntegerField(source="ended_count")


class CohortShape(PublicShape):
    team = TeamRef()
    ranking = serializers.SlugRelatedField(slug_field="public_id", read_only=True)
    created_by = PersonRef()
    pairs = PairTotals(source="*")
    last_passed_at = Moment(allow_null=True)
    plans = serializers.SlugRelatedField(
        slug_field="public_id", read_only=True, many=True, help_text="Newest first."
    )

    class Meta:
        model = Cohort
        fields = (
            "id", "name", "team", "ranking", "state", "policy", "q", "quota", "target_form",
            "test_date", "created_by",
            "created_at", "launched_at", "closed_at", "pairs", "last_passed_at", "plans",
        )  # fmt: skip


class MemberShape(Shape):
    person = PersonRef()
    metric = MetricRef(allow_null=True)

    class Meta:
        model = Member
        fields = ("person", "side", "source", "metric", "chance", "left_out", "note")


class CohortDetail(CohortShape):
    members = MemberShape(many=True)

    class Meta(CohortShape.Meta):
        fields = (*CohortShape.Meta.fields, "members")


class NewCohort(serializers.Serializer):
    ranking = Known(rankings.visible_to)
    name = serializers.CharField(max_length=120)
    test_date = serializers.DateField()
    target_form = serializers.ChoiceField(choices=Cohort.Target, default=Cohort.Target.GAP_TOP)
    policy = serializers.ChoiceField(
        choices=Scorecard.Policy.choices, required=False, help_text="The scorecard's when left out."
    )
    q = serializers.FloatField(
        min_value=NARROWEST,
        max_value=WIDEST,
        required=False,
        help_text="What counts as worst or best, as a share; the ranking's when left out.",
    )
    quota = serializers.IntegerField(
        min_value=1,
        max_value=MOST_SEATS,
        required=False,
        help_text="So many from each end instead of a share, for the policy quota.",
    )


class Part(serializers.Serializer):
    metric = serializers.CharField(allow_blank=True, help_text="Empty for a shared attribute.")
    name = serializers.CharField()
    points = serializers.IntegerField()


class RunnerUp(serializers.Serializer):
    coach = PersonRef(source="runner_up")
    score = serializers.IntegerField(source="runner_up_score", allow_null=True)
    cost = serializers.IntegerField(
        source="runner_up_cost",
        allow_null=True,
        help_text="Points the whole plan loses by insisting on this coach; null: not worked out.",
    )
    unmatches = serializers.BooleanField(
        source="runner_up_unmatches", help_text="Somebody else would lose their coach."
    )


class DraftPairShape(Shape):
    learner = PersonRef()
    coach = PersonRef()
    metric = MetricRef()
    parts = Part(many=True)
    reason = serializers.SerializerMethodField()
    few_coaches = serializers.SerializerMethodField(
        help_text="Fewer than three coaches could take this learner."
    )
    runner_up = serializers.SerializerMethodField()

    class Meta:
        model = DraftPair
        fields = (
            "learner", "coach", "metric", "score", "parts", "reason", "feasible_coaches",
            "few_coaches", "pinned", "runner_up",
        )  # fmt: skip

    def get_reason(self, pair: DraftPair) -> str:
        said = [f"{part['name']} {part['points']}" for part in pair.parts]
        return (
            f"{pair.coach.name} does well in {pair.metric.name}, where {pair.learner.name} can "
            f"gain: {pair.score} of 1000 points ({', '.join(said) or 'none'})."
        )

    def get_few_coaches(self, pair: DraftPair) -> bool:
        return pair.feasible_coaches < FEW_COACHES

    def get_runner_up(self, pair: DraftPair) -> RunnerUp(allow_null=True):
        return RunnerUp(pair).data if pair.runner_up else None


class UnpairedShape(Shape):
    learner = PersonRef()

    class Meta:
        model = Unpaired
        fields = ("learner", "reason")


class RuleShape(Shape):
    learner = PersonRef()
    coach = PersonRef()
    made_by = PersonRef(allow_null=True)

    class Meta:
        model = Rule
        fields = ("kind", "learner", "coach", "made_by", "made_at")


class CoachLoad(serializers.Serializer):
    coach = PersonRef()
    seats = serializers.IntegerField(help_text="Learners at a time, in this plan.")
    taken = serializers.IntegerField(help_text="Seats that running pairs hold.")
    load = serializers.IntegerField(help_text="Learners this plan gives them.")


class PlanShape(PublicShape):
    cohort = CohortRef()
    pairs = DraftPairShape(many=True, source="shown_pairs")
    unpaired = UnpairedShape(many=True, source="shown_unpaired")
    coaches = CoachLoad(many=True)
    rules = RuleShape(many=True, source="shown_rules")
    left_out = MemberShape(many=True)
    preferences = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = Plan
        fields = (
            "id", "cohort", "state", "revision", "matched", "total", "worst", "preferences",
            "created_at", "solved_at", "launched_at", "pairs", "unpaired", "coaches", "rules",
            "left_out",
        )  # fmt: skip


def gathered(plan: Plan) -> Plan:
    """The plan with everything its shape tells, in a fixed number of queries."""
    members = list(cohorts.members_of(plan.cohort))
    coaches = [
        member.person
        for member in members
        if member.side == Member.Side.COACH and not member.left_out
    ]
    taken = cohorts.seats_taken(coaches)
    plan.shown_pairs = list(cohorts.draft_pairs_of(plan))
    plan.shown_unpaired = list(cohorts.unpaired_of(plan))
    plan.shown_rules = list(plan.rules.select_related("learner", "coach", "made_by"))
    plan.left_out = [member for member in members if member.left_out]
    load = Counter(pair.coach_id for pair in plan.shown_pairs)
    plan.coaches = [
        {
            "coach": coach,
            "seats": plan.capacities.get(coach.public_id, coach.capacity),
            "taken": taken.get(coach.pk, 0),
            "load": load[coach.pk],
        }
        for coach in coaches
    ]
    return plan


class NewRule(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Rule.Kind)
    learner = serializers.CharField(max_length=12)
    coach = serializers.CharField(max_length=12)

    def validate(self, given: dict) -> dict:
        if given["learner"] == given["coach"]:
            raise serializers.ValidationError({"coach": ["Nobody coaches themselves."]})
        return given


class Seats(serializers.Serializer):
    coach = serializers.CharField(max_length=12)
    seats = serializers.IntegerField(min_value=0, max_value=50)


class MemberChange(serializers.Serializer):
    person = serializers.CharField(max_length=12)
    change = serializers.ChoiceField(choices=("in", "out"))
    side = serializers.ChoiceField(
        choices=Member.Side, required=False, help_text="Needed for somebody who is new here."
    )
    note = serializers.CharField(max_length=300, allow_blank=True, default="")


class Launch(serializers.Serializer):
    revision = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="The revision of the plan you have looked at, unless If-Match says it.",
    )
