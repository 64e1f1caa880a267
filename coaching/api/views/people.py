from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coaching.api.doors import Door, Rows
from coaching.api.filters import PersonFilter, ReadingFilter
from coaching.api.parsers import BulkJSONParser
from coaching.api.permissions import IsManager, IsReader
from coaching.api.problems import BadParameters
from coaching.api.serializers.people import (
    HandShape,
    Ingested,
    IngestOptions,
    Me,
    MetricShape,
    OwnSkills,
    PersonShape,
    RaisedHand,
    ReadingShape,
    SentReading,
    TeamShape,
)
from coaching.models import HandRaise, Metric, Pair, Person, Reading, Team, Visit
from coaching.queries import access, letters, metrics, pairs, people, rankings, teams
from coaching.services import people as people_services
from coaching.services import readings as reading_services
from coaching.services import visits


class MeView(Door, APIView):
    """Who I am here, and what is mine."""

    @extend_schema(responses=Me, operation_id="me")
    def get(self, request: Request) -> Response:
        reader = self.reader
        roles = ["manager"] if access.is_manager(reader) else []
        mine = list(pairs.mine(reader))
        active = [pair for pair in mine if pair.is_active]
        me = {
            "person": reader,
            "roles": [reader.access, *roles],
            "teams": teams.managed_by(reader).order_by("path"),
            "pairs": {
                "learning": sum(pair.learner_id == reader.pk for pair in active),
                "coaching": sum(pair.coach_id == reader.pk for pair in active),
                "passed": sum(pair.state == Pair.State.PASSED for pair in mine),
            },
            "unread_notices": letters.notices_for(reader).filter(read_at=None).count(),
        }
        return Response(Me(me).data)


class MySkillsView(Door, APIView):
    """My own skills from the newest ranking with me in it, and how colleagues do on the whole."""

    @extend_schema(responses=OwnSkills, operation_id="my_skills")
    def get(self, request: Request) -> Response:
        own = rankings.own_standings(self.reader) or {"ranking": None, "skills": []}
        return Response(OwnSkills(own).data)


class Teams(ListModelMixin, RetrieveModelMixin, Rows):
    """The teams you manage, all below them, and your own."""

    queryset = Team.objects.none()
    serializer_class = TeamShape

    def visible(self, reader: Person) -> QuerySet[Team]:
        return (
            teams.visible_to(reader)
            .select_related("manager", "parent")
            .annotate(size=teams.SIZE)
            .order_by("path")
        )


class People(ListModelMixin, RetrieveModelMixin, Rows):
    """Yourself, and the people of the teams you manage."""

    queryset = Person.objects.none()
    serializer_class = PersonShape
    filterset_class = PersonFilter

    def visible(self, reader: Person) -> QuerySet[Person]:
        return people.visible_to(reader).select_related("team").order_by("name", "pk")

    def get_object(self) -> Person:
        row = super().get_object()
        visits.note(looker=self.reader, subjects=[row], what=Visit.What.PERSON, now=self.now)
        return row


class Metrics(ListModelMixin, RetrieveModelMixin, Rows):
    """The skills that are counted; addressed by their key."""

    queryset = Metric.objects.none()
    serializer_class = MetricShape
    lookup_field = "key"
    lookup_url_kwarg = "key"

    def visible(self, reader: Person) -> QuerySet[Metric]:
        return metrics.visible_to(reader).order_by("name", "pk")

    def get_object(self) -> Metric:
        return get_object_or_404(self.get_queryset(), key=self.kwargs["key"])


class Readings(ListModelMixin, Rows):
    """Your own readings, and those of the teams you manage."""

    queryset = Reading.objects.none()
    serializer_class = ReadingShape
    filterset_class = ReadingFilter
    parser_classes = (BulkJSONParser,)

    def get_permissions(self) -> list:
        return [IsReader(), IsManager()] if self.request.method == "POST" else [IsReader()]

    def visible(self, reader: Person) -> QuerySet[Reading]:
        return (
            people.readings_visible_to(reader)
            .select_related("person", "metric")
            .order_by("-period", "person__name", "metric__name", "pk")
        )

    @extend_schema(request=SentReading(many=True), parameters=[IngestOptions], responses=Ingested)
    def create(self, request: Request) -> Response:
        """
        Store up to 100,000 readings, all or nothing.

        A reading of the same person, metric and week is replaced. People and metrics must be
        known already; people must be in teams that you manage.
        """
        options = IngestOptions(data=request.query_params)
        if not options.is_valid():
            raise BadParameters(options.errors)
        if not isinstance(request.data, list):
            raise ValidationError(["Send a list of readings."])
        dry_run = options.validated_data["dry_run"]
        outcome = reading_services.ingest(
            rows=request.data, by=self.reader, now=self.now, dry_run=dry_run
        )
        counts = {"new": outcome.new, "changed": outcome.changed, "same": outcome.same}
        return Response(Ingested({**counts, "dry_run": dry_run}).data)


class Hands(ListModelMixin, Rows):
    """Hands that are raised: yours, and those in the teams you manage."""

    queryset = HandRaise.objects.none()
    serializer_class = HandShape
    lookup_field = "metric"
    lookup_url_kwarg = "metric"

    def visible(self, reader: Person) -> QuerySet[HandRaise]:
        return metrics.hands_visible_to(reader).filter(lowered_at=None).order_by("-raised_at", "pk")

    @extend_schema(request=RaisedHand, responses={201: HandShape})
    def create(self, request: Request) -> Response:
        """Raise your hand for a metric; again only changes the note."""
        hand = people_services.raise_hand(
            person=self.reader, now=self.now, **self.given(RaisedHand)
        )
        return Response(HandShape(hand).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, metric: str) -> Response:
        """Lower your own hand for a metric."""
        mine = self.get_queryset().filter(person=self.reader)
        hand = get_object_or_404(mine, metric__key=metric)
        people_services.lower_hand(hand=hand, by=self.reader, now=self.now)
        return Response(status=204)
