import math
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows, Rows, named
from coaching.api.filters import CaseFilter, PairFilter
from coaching.api.serializers.pairs import (
    PAIR_BY_ROLE,
    CaseShape,
    Decision,
    FullLook,
    HelpNote,
    LookShape,
    MovedSession,
    NewSession,
    PlannedSession,
    RolePair,
    SessionAnswer,
    SessionShape,
    ThanksNote,
    ThanksShape,
    WorksheetPart,
    WorksheetShape,
)
from coaching.models import Case, Metric, Pair, Person, Session, Visit
from coaching.queries import cases, pairs, sessions, thanks
from coaching.services import cases as case_services
from coaching.services import sessions as session_services
from coaching.services import thanks as thanks_services
from coaching.services import visits
from coaching.services import worksheets as worksheet_services


@extend_schema_view(
    list=extend_schema(responses=PAIR_BY_ROLE), retrieve=extend_schema(responses=PAIR_BY_ROLE)
)
class Pairs(ListModelMixin, RetrieveModelMixin, Rows):
    """Your own pairs, and those of learners in teams you manage; told by your role in each."""

    queryset = Pair.objects.none()
    serializer_class = RolePair
    filterset_class = PairFilter

    def visible(self, reader: Person) -> QuerySet[Pair]:
        return pairs.on_board(pairs.visible_to(reader))

    def get_object(self) -> Pair:
        pair = super().get_object()
        if pairs.side_of(self.reader, pair) == "manager":
            both = [pair.learner, pair.coach]
            visits.note(looker=self.reader, subjects=both, what=Visit.What.PAIR, now=self.now)
        return pair

    @extend_schema(responses=FullLook(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def looks(self, request: Request, id: str) -> Response:
        """Where the learner stood, week by week; the coach reads the way to the target only."""
        pair = self.get_object()
        coach = pairs.side_of(self.reader, pair) in ("coach", "helper")
        shape = LookShape if coach else FullLook
        page = self.paginate_queryset(pair.looks.order_by("week"))
        context = {**self.get_serializer_context(), "pair": pair}
        return self.get_paginated_response(shape(page, many=True, context=context).data)

    @extend_schema(responses=SessionShape(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def sessions(self, request: Request, id: str) -> Response:
        """Meetings planned, held or missed, oldest first."""
        rows = self.get_object().sessions.exclude(state=Session.State.WITHDRAWN)
        rows = rows.select_related("logged_by")
        return self.page(rows.order_by("held_on", "starts_at", "pk"), SessionShape)

    @extend_schema(request=NewSession, responses={201: SessionShape})
    @sessions.mapping.post
    def log_session(self, request: Request, id: str) -> Response:
        """Note a meeting; again for the same day only changes its note."""
        session = session_services.log(
            pair=self.get_object(), by=self.reader, now=self.now, **self.given(NewSession)
        )
        return Response(SessionShape(session).data, status=201)

    def own(self) -> Pair:
        """The pair, for one of its two people."""
        pair = self.get_object()
        if self.reader.pk not in (pair.learner_id, pair.coach_id):
            raise Http404
        return pair

    @extend_schema(request=PlannedSession, responses={201: SessionShape})
    @action(detail=True, methods=["post"])
    def plan(self, request: Request, id: str) -> Response:
        """Plan a meeting; both get it for their calendars."""
        session = session_services.plan(
            pair=self.own(), by=self.reader, now=self.now, **self.given(PlannedSession)
        )
        return Response(SessionShape(session).data, status=201)

    @extend_schema(responses=WorksheetShape(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def worksheets(self, request: Request, id: str) -> Response:
        """The pages of the weeks, newest first."""
        return self.page(self.get_object().worksheets.order_by("-week"), WorksheetShape)

    @extend_schema(request=WorksheetPart, responses=WorksheetShape)
    @worksheets.mapping.post
    def write_worksheet(self, request: Request, id: str) -> Response:
        """Write one's own part of a week's page; the learner writes first."""
        sheet = worksheet_services.write(
            pair=self.own(), by=self.reader, now=self.now, **self.given(WorksheetPart)
        )
        return Response(WorksheetShape(sheet).data)

    @extend_schema(responses=ThanksShape(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def thanks(self, request: Request, id: str) -> Response:
        """What the learner thanked the coach for, newest first; for the two of them alone."""
        return self.page(thanks.visible_to(self.reader).filter(pair=self.own()), ThanksShape)

    @extend_schema(request=ThanksNote, responses={201: ThanksShape})
    @thanks.mapping.post
    def say_thanks(self, request: Request, id: str) -> Response:
        """Thank the coach in a sentence, once a day, also after passing."""
        said = thanks_services.say(
            pair=self.own(), by=self.reader, now=self.now, **self.given(ThanksNote)
        )
        return Response(ThanksShape(said).data, status=201)

    @extend_schema(request=HelpNote, responses={204: None})
    @action(detail=True, methods=["post"])
    def help(self, request: Request, id: str) -> Response:
        """Ask one's manager for help; nobody else is told, and nothing else changes."""
        case_services.ask_for_help(
            pair=self.own(), by=self.reader, now=self.now, **self.given(HelpNote)
        )
        return Response(status=204)


class Sessions(RetrieveModelMixin, Rows):
    """One meeting of a pair you see; its two people move it and say how it went."""

    queryset = Session.objects.none()
    serializer_class = SessionShape
    lookup_field = "uid"
    lookup_value_converter = "uuid"

    def visible(self, reader: Person) -> QuerySet[Session]:
        return sessions.visible_to(reader).select_related(
            "logged_by", "pair__learner__team", "pair__coach", "pair__metric", "pair__cohort"
        )

    def get_object(self) -> Session:
        return get_object_or_404(self.get_queryset(), uid=self.kwargs["id"])

    def own(self) -> Session:
        session = self.get_object()
        if self.reader.pk not in (session.pair.learner_id, session.pair.coach_id):
            raise Http404
        return session

    @extend_schema(request=MovedSession, responses=SessionShape)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, id: UUID) -> Response:
        """Another time for it; both calendars follow."""
        session = session_services.move(
            session=self.own(), by=self.reader, now=self.now, **self.given(MovedSession)
        )
        return Response(SessionShape(session).data)

    @extend_schema(request=SessionAnswer, responses=SessionShape)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, id: UUID) -> Response:
        """It was held, missed, or is withdrawn. Saying it twice is saying it once."""
        session, given = self.own(), self.given(SessionAnswer)
        said = {"session": session, "by": self.reader, "now": self.now}
        if given["answer"] == "held":
            session_services.hold(note=given["note"] or None, **said)
        elif given["answer"] == "missed":
            session_services.miss(note=given["note"], **said)
        else:
            session_services.withdraw(why=given["note"], **said)
        return Response(SessionShape(self.get_object()).data)


class Cases(ListModelMixin, RetrieveModelMixin, ManagerRows):
    """Stuck pairs that somebody has to decide about, and what was decided."""

    queryset = Case.objects.none()
    serializer_class = CaseShape
    filterset_class = CaseFilter

    def visible(self, reader: Person) -> QuerySet[Case]:
        return cases.visible_to(reader).order_by("-opened_at", "-pk")

    @extend_schema(request=Decision, responses=CaseShape)
    @action(detail=True, methods=["post"])
    def decision(self, request: Request, id: str) -> Response:
        """Everything, another way, or to end it openly; both are told, with the reason."""
        case, given = self.get_object(), self.given(Decision)
        case_services.decide(
            case=case,
            decision=given["decision"],
            note=given["note"],
            means=self._means(case.pair, given),
            by=self.reader,
            now=self.now,
        )
        return Response(CaseShape(self.get_object()).data)

    def _means(self, pair: Pair, given: dict) -> case_services.Means:
        clinic = given.get("clinic")
        target = given.get("target")
        return case_services.Means(
            weeks=given["weeks"],
            helper=self._person(given, "helper"),
            new_clinic=clinic and self._clinic(pair, clinic),
            other_coach=given["other_coach"] or "coach" in given,
            coach=self._person(given, "coach"),
            target=None if target is None else _working(pair, target),
        )

    def _clinic(self, pair: Pair, given: dict) -> case_services.NewClinic:
        joining = [named(cases.could_join(pair), key, "clinic") for key in given.pop("pairs")]
        coaches = Person.objects.filter(pairs_as_coach__cohort=pair.cohort_id).distinct()
        return case_services.NewClinic(
            **{**given, "led_by": named(coaches, given["led_by"], "clinic")}, pairs=tuple(joining)
        )

    def _person(self, given: dict, field: str) -> Person | None:
        if field not in given:
            return None
        return named(Person.objects.filter(active=True, kind=Person.Kind.PERSON),
                     given[field], field)  # fmt: skip


def _working(pair: Pair, target: float) -> float:
    """A target in the metric's own units, on its working scale."""
    if pair.metric.kind != Metric.Kind.DURATION:
        return target
    if target <= 0:
        raise ValidationError({"target": ["A duration is longer than nothing."]})
    return math.log(target)
