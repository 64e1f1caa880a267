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
from coaching.models import Cohort, DraftPair, Member, Plan, PlanStep, Rule, Scorecard, Unpaired
from coaching.queries import cohorts, rankings
from coaching.queries import plans as plan_queries
from coaching.services.cohorts import MOST_SEATS
from coaching.services.plans import FEW_COACHES, loads
from coaching.services.plans.comparison import Comparison


class PairTotals(serializers.Serializer):
    total = serializers.IntegerField(source="pair_count")
    on_track = serializers.IntegerField(source="on_track_count")
    at_risk = serializers.IntegerField(source="at_risk_count")
    stuck = serializers.IntegerField(source="stuck_count")
    passed = serializers.IntegerField(source="passed_count")
    waiting = serializers.IntegerField(
        source="waiting_count", help_text="Learners who wait for a coach."
    )
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


class DraftPairShape(PublicShape):
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
            "id", "learner", "coach", "metric", "score", "parts", "reason", "feasible_coaches",
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
    competing = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of those who compete for the same seats."
    )
    contested = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of the coaches whose seats those are."
    )

    class Meta:
        model = Unpaired
        fields = ("learner", "reason", "scarce", "competing", "contested", "seats", "place")


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
    free = serializers.IntegerField(help_text="Seats left after both.")
    hours = serializers.FloatField(help_text="Hours a week, for all their learners together.")


class LeftOut(serializers.Serializer):
    person = PersonRef()
    side = serializers.ChoiceField(choices=Member.Side.choices)
    reason = serializers.CharField()
    of_cohort = serializers.BooleanField(
        help_text="Left out of the cohort, hence of all its plans; else of this plan only."
    )


class PlanShape(PublicShape):
    cohort = CohortRef()
    pairs = DraftPairShape(many=True, source="shown_pairs")
    unpaired = UnpairedShape(many=True, source="shown_unpaired")
    coaches = CoachLoad(many=True)
    rules = RuleShape(many=True, source="shown_rules")
    left_out = LeftOut(many=True, source="shown_left_out")
    preferences = serializers.DictField(
        child=serializers.IntegerField(), help_text="Points for what two people have in common."
    )
    weights = serializers.DictField(
        child=serializers.FloatField(), help_text="By metric; the ranking's where none is given."
    )
    wants = serializers.DictField(
        child=serializers.IntegerField(), help_text="Learners with more than one coach, by id."
    )
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="What deserves a second look, in words."
    )

    class Meta:
        model = Plan
        fields = (
            "id", "name", "cohort", "state", "revision", "step", "matched", "total", "worst",
            "preferences", "weights", "wants", "floor", "lot",
            "created_at", "solved_at", "queued_at", "launched_at", "warnings", "pairs",
            "unpaired", "coaches", "rules", "left_out",
        )  # fmt: skip


def gathered(plan: Plan) -> Plan:
    """The plan with everything its shape tells, in a fixed number of queries."""
    members = list(cohorts.members_of(plan.cohort))
    out = [
        member for member in members if member.left_out or member.person.public_id in plan.left_out
    ]
    coaches = [
        member.person
        for member in members
        if member.side == Member.Side.COACH and member not in out
    ]
    plan.shown_pairs = list(cohorts.draft_pairs_of(plan))
    plan.shown_unpaired = list(cohorts.unpaired_of(plan))
    plan.shown_rules = list(plan.rules.select_related("learner", "coach", "made_by"))
    plan.shown_left_out = [
        {
            "person": member.person,
            "side": member.side,
            "reason": plan.left_out.get(member.person.public_id, member.note),
            "of_cohort": member.left_out,
        }
        for member in out
    ]
    load = loads.of(coaches, plan=plan)
    plan.coaches = [
        {
            "coach": coach,
            "seats": load[coach.pk].seats,
            "taken": load[coach.pk].busy,
            "load": load[coach.pk].here,
            "free": load[coach.pk].free,
            "hours": load[coach.pk].hours,
        }
        for coach in coaches
    ]
    plan.warnings = plan_queries.warnings_of(plan)
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
        choices=Member.Side.choices,
        required=False,
        help_text="Needed for somebody who is new here.",
    )
    reason = serializers.CharField(
        max_length=300,
        allow_blank=True,
        default="",
        help_text="Why, in one sentence; without one nothing is changed.",
    )


class Launch(serializers.Serializer):
    revision = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="The revision of the plan you have looked at, unless If-Match says it.",
    )


class Reselect(serializers.Serializer):
    policy = serializers.ChoiceField(choices=Scorecard.Policy.choices)
    q = serializers.FloatField(min_value=NARROWEST, max_value=WIDEST, required=False)
    quota = serializers.IntegerField(min_value=1, max_value=MOST_SEATS, required=False)


class Swap(serializers.Serializer):
    one = serializers.CharField(max_length=12, help_text="A pair of the plan, by its id.")
    other = serializers.CharField(max_length=12)


class WishChange(serializers.Serializer):
    """What is left out stays as it is."""

    preferences = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="Points by key: site, shift, language, hours, tenure, contact.",
    )
    weights = serializers.DictField(
        child=serializers.FloatField(),
        required=False,
        help_text="By metric key; an empty object takes the ranking's again.",
    )
    floor = serializers.IntegerField(required=False, help_text="No pair scores less than this.")
    lot = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="A number draws who waits when seats are scarce; null: the score decides.",
    )
    wants = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="Coaches by learner's id, each for another skill; the others have one.",
    )


class PlanName(serializers.Serializer):
    name = serializers.CharField(max_length=80, allow_blank=True)


class PlanMove(serializers.Serializer):
    """Somebody's change of coach; null where there was, or is, none."""

    learner = serializers.CharField()
    metric = serializers.CharField()
    before = serializers.CharField(source="from", allow_null=True)
    after = serializers.CharField(source="to", allow_null=True)
    why = serializers.CharField()


class Outcome(serializers.Serializer):
    matched = serializers.IntegerField()
    total = serializers.IntegerField()
    worst = serializers.IntegerField()


class StepShape(Shape):
    by = PersonRef(allow_null=True)
    outcome = serializers.SerializerMethodField()
    moves = PlanMove(many=True)
    here = serializers.BooleanField(help_text="Whether the plan stands at this step.")

    class Meta:
        model = PlanStep
        fields = ("number", "what", "by", "at", "here", "outcome", "moves")

    def get_outcome(self, step: PlanStep) -> Outcome(allow_null=True):
        return Outcome(step.outcome).data if "matched" in step.outcome else None


class ExchangeShape(serializers.Serializer):
    learner = PersonRef()
    before = PersonRef(allow_null=True)
    after = PersonRef(allow_null=True)


class PricedCoach(serializers.Serializer):
    coach = PersonRef()
    metric = MetricRef(allow_null=True, help_text="What the two would work on.")
    score = serializers.IntegerField()
    parts = Part(many=True)
    here = serializers.BooleanField(help_text="The plan has this pair.")
    pinned = serializers.BooleanField()
    possible = serializers.BooleanField()
    why_not = serializers.CharField(help_text="Why the two cannot be a pair, where they cannot.")
    lost_seats = serializers.IntegerField(help_text="Learners more without a coach.")
    lost_score = serializers.IntegerField(
        help_text="Points the whole plan loses; with seats lost it may win some."
    )
    moves = serializers.SerializerMethodField()
    left_without = PersonRef(many=True)
    exact = serializers.BooleanField(help_text="False where only a bound is told.")

    def get_moves(self, offer) -> ExchangeShape(many=True):
        told = [
            {"learner": learner, "before": before, "after": after}
            for learner, before, after in offer.moves
        ]
        return ExchangeShape(told, many=True).data


class NextLearnerShape(serializers.Serializer):
    coach = PersonRef()
    learner = PersonRef()
    score = serializers.IntegerField()


class PricesShape(serializers.Serializer):
    learner = PersonRef()
    offers = PricedCoach(many=True)
    next_learners = NextLearnerShape(
        many=True, help_text="Whom each present coach could take at least cost."
    )


class PriceShape(serializers.Serializer):
    lost_seats = serializers.IntegerField()
    lost_score = serializers.IntegerField()
    refused = serializers.CharField(help_text="Why it cannot be, in words; empty when it can.")
    moves = PlanMove(many=True)


class FloorShape(serializers.Serializer):
    floor = serializers.IntegerField()
    matched = serializers.IntegerField()
    total = serializers.IntegerField()
    worst = serializers.IntegerField()
    here = serializers.BooleanField(help_text="The floor that the plan has.")


class Figure(serializers.Serializer):
    what = serializers.CharField()
    one = serializers.CharField()
    other = serializers.CharField()


class Difference(serializers.Serializer):
    learner = PersonRef()
    metric = MetricRef()
    one = PersonRef(allow_null=True)
    other = PersonRef(allow_null=True)


class SiteFigures(serializers.Serializer):
    site = serializers.CharField()
    one_matched = serializers.IntegerField()
    other_matched = serializers.IntegerField()
    one_mean = serializers.IntegerField()
    other_mean = serializers.IntegerField()


class PlansSideBySide(serializers.Serializer):
    figures = Figure(many=True)
    differences = Difference(many=True)
    sites = SiteFigures(many=True)


def compared(told: Comparison) -> dict:
    def named(shape: type, rows: list[tuple]) -> list[dict]:
        return [dict(zip(shape().fields, row, strict=True)) for row in rows]

    return {
        "figures": named(Figure, told.rows),
        "differences": named(Difference, told.differs),
        "sites": named(SiteFigures, told.by_site),
    }
