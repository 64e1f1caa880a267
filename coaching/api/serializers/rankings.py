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
from coaching.domain.selection import NARROWEST, WIDEST
from coaching.models import Person, Ranking, Scorecard, ScorecardMetric, Standing, Yardstick
from coaching.queries import metrics, teams
from coaching.services.scorecards import HEAVIEST, MOST_EVIDENCE, MOST_WEEKS


class WeightShape(Shape):
    metric = MetricRef()

    class Meta:
        model = ScorecardMetric
        fields = ("metric", "weight")


class ScorecardShape(PublicShape):
    team = TeamRef()
    weights = WeightShape(many=True)
    peers_by = serializers.ListField(child=serializers.ChoiceField(choices=Person.ATTRIBUTES))
    latest_ranking = serializers.SerializerMethodField()

    class Meta:
        model = Scorecard
        fields = (
            "id", "name", "team", "subject", "weights", "peers_by", "weeks", "minimum_n", "q",
            "policy", "version", "latest_ranking",
        )  # fmt: skip

    def get_latest_ranking(self, scorecard: Scorecard) -> str | None:
        return scorecard.latest[0].public_id if scorecard.latest else None


class ScorecardRef(PublicShape):
    team = TeamRef()

    class Meta:
        model = Scorecard
        fields = ("id", "name", "team")


class NewScorecard(serializers.Serializer):
    team = Known(teams.managed_by)
    subject = serializers.ChoiceField(
        choices=Scorecard.Subject.choices, default=Scorecard.Subject.PEOPLE
    )
    name = serializers.CharField(max_length=120, allow_blank=True, default="")


class Weight(serializers.Serializer):
    metric = Known(metrics.visible_to, by="key")
    weight = serializers.FloatField(min_value=0, max_value=HEAVIEST)


class ScorecardChange(serializers.Serializer):
    name = serializers.CharField(max_length=120, required=False)
    weights = serializers.ListField(
        child=Weight(),
        required=False,
        max_length=200,
        help_text="All metrics of the scorecard: those left out do not count any more.",
    )
    peers_by = serializers.ListField(
        child=serializers.ChoiceField(choices=Person.ATTRIBUTES), required=False, max_length=4
    )
    weeks = serializers.IntegerField(min_value=1, max_value=MOST_WEEKS, required=False)
    policy = serializers.ChoiceField(choices=Scorecard.Policy.choices, required=False)
    q = serializers.FloatField(
        min_value=NARROWEST,
        max_value=WIDEST,
        required=False,
        help_text="The part of the peers that is called worst or best.",
    )
    minimum_n = serializers.FloatField(
        min_value=0,
        max_value=MOST_EVIDENCE,
        required=False,
        help_text="Whoever has fewer observations of a metric counts as having none.",
    )
    subject = serializers.ChoiceField(choices=Scorecard.Subject.choices, required=False)
    version = serializers.IntegerField(
        required=False, help_text="The one you have seen; a change since then is refused."
    )

    def validate_weights(self, rows: list[dict]) -> dict:
        weights = {row["metric"]: row["weight"] for row in rows}
        if len(weights) < len(rows):
            raise serializers.ValidationError("Name each metric once.")
        return weights


class RankingShape(PublicShape):
    scorecard = ScorecardRef()
    created_by = PersonRef()

    class Meta:
        model = Ranking
        fields = (
            "id", "scorecard", "since", "until", "subject", "settings",
            "created_by", "created_at", "seconds",
        )  # fmt: skip

    def to_representation(self, row: Ranking) -> dict:
        shown = super().to_representation(row)
        # The same sentences once more, kept for pages in any language.
        shown["settings"] = {key: told for key, told in row.settings.items() if key != "notes"}
        return shown


class YardstickShape(Shape):
    metric = MetricRef()
    mean = Quantity()
    top_quartile = Quantity()
    low_cut = Quantity()

    class Meta:
        model = Yardstick
        fields = (
            "metric", "weight", "group", "people", "mean", "top_quartile", "low_cut",
            "tau2", "sigma2",
        )  # fmt: skip


class RankingDetail(RankingShape):
    yardsticks = YardstickShape(many=True)

    class Meta(RankingShape.Meta):
        fields = (*RankingShape.Meta.fields, "yardsticks")


class StandingPerson(PublicShape):
    team = TeamRef()

    class Meta:
        model = Person
        fields = ("id", "name", "team")


class StandingShape(Shape):
    person = StandingPerson(allow_null=True, help_text="Or a segment; null where teams stand.")
    of_team = TeamRef(source="team", allow_null=True, help_text="The team, where teams stand.")
    metric = MetricRef(allow_null=True, help_text="Null: overall.")
    raw = Quantity(allow_null=True)
    estimate = Quantity()
    se = serializers.FloatField(help_text="On the working scale: of the logarithm for durations.")
    rank_low = serializers.FloatField(help_text="Place among peers: 0 the worst, 1 the best.")

    class Meta:
        model = Standing
        fields = (
            "person", "of_team", "metric", "group",
            "n", "raw", "estimate", "se", "reliability", "z",
            "p_low", "p_high", "rank_low", "rank_high", "band",
        )  # fmt: skip
