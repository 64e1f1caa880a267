from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows
from coaching.api.filters import RankingFilter, StandingFilter
from coaching.api.problems import BadParameters
from coaching.api.serializers import drivers as driver_shapes
from coaching.api.serializers.rankings import (
    NewScorecard,
    RankingDetail,
    RankingShape,
    ScorecardChange,
    ScorecardShape,
    StandingShape,
)
from coaching.models import Person, Ranking, Scorecard, Standing
from coaching.queries import access, drivers, rankings
from coaching.services import rankings as ranking_services
from coaching.services import scorecards


class Scorecards(ListModelMixin, RetrieveModelMixin, ManagerRows):
    """What counts, how much, among whom, and over how many weeks."""

    queryset = Scorecard.objects.none()
    serializer_class = ScorecardShape

    def visible(self, reader: Person) -> QuerySet[Scorecard]:
        return rankings.with_latest(rankings.scorecards_visible_to(reader)).order_by("name", "pk")

    @extend_schema(request=NewScorecard, responses={201: ScorecardShape})
    def create(self, request: Request) -> Response:
        """A first scorecard for a team, proposed from the readings it has."""
        card = scorecards.default_scorecard(
            by=self.reader, now=self.now, **self.given(NewScorecard)
        )
        where = reverse("api:scorecard-detail", kwargs={"id": card.public_id})
        return self._told(card, status=201, headers={"Location": where})

    @extend_schema(request=ScorecardChange, responses=ScorecardShape)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change what is given. Rankings that exist stay as they were."""
        card = scorecards.change_scorecard(
            scorecard=self.get_object(), by=self.reader, now=self.now, **self.given(ScorecardChange)
        )
        return self._told(card)

    @extend_schema(request=None, responses={201: RankingShape})
    @action(detail=True, methods=["post"])
    def rank(self, request: Request, id: str) -> Response:
        """Rank on the newest readings."""
        ranking = ranking_services.run(scorecard=self.get_object(), by=self.reader, now=self.now)
        where = reverse("api:ranking-detail", kwargs={"id": ranking.public_id})
        return Response(RankingShape(ranking).data, status=201, headers={"Location": where})

    def _told(self, card: Scorecard, **kwargs) -> Response:
        card = access.found_or_404(self.get_queryset(), card.public_id)
        return Response(ScorecardShape(card).data, **kwargs)


class Rankings(ListModelMixin, RetrieveModelMixin, ManagerRows):
    """Runs of scorecards, newest first."""

    queryset = Ranking.objects.none()
    filterset_class = RankingFilter

    def visible(self, reader: Person) -> QuerySet[Ranking]:
        rows = rankings.visible_to(reader)
        if self.action == "retrieve":
            rows = rows.prefetch_related("yardsticks__metric")
        return rows.order_by("-created_at", "-pk")

    def get_serializer_class(self) -> type:
        return RankingDetail if self.action == "retrieve" else RankingShape

    @extend_schema(
        parameters=[driver_shapes.DriverOptions], responses=driver_shapes.ComparisonShape
    )
    @action(detail=True)
    def drivers(self, request: Request, id: str) -> Response:
        """Which metrics separate the top from the bottom."""
        ranking = self.get_object()
        options = driver_shapes.DriverOptions(data=request.query_params)
        if not options.is_valid():
            raise BadParameters(options.errors)
        wanted = options.validated_data.get("by", "")
        comparison = drivers.of_ranking(ranking, outcome=wanted)
        if wanted and comparison.outcome is None:
            raise BadParameters({"by": [f"“{wanted}” is no metric of this ranking."]})
        told = driver_shapes.told(comparison, ranking.subject)
        return Response(driver_shapes.ComparisonShape(told).data)


class Standings(ManagerRows):
    """Where people stand in a ranking, with the uncertainty; no peer groups under five."""

    queryset = Standing.objects.none()
    serializer_class = StandingShape
    filterset_class = StandingFilter

    def visible(self, reader: Person) -> QuerySet[Standing]:
        ranking = access.found_or_404(rankings.visible_to(reader), self.kwargs["id"])
        rows = rankings.standings_visible_to(reader).filter(ranking=ranking)
        return rankings.shown(rows, ranking).order_by("pk")

    def list(self, request: Request, id: str) -> Response:
        """Those of a metric, or of `overall`; ordered as asked."""
        return self.page(self.filter_queryset(self.get_queryset()))
