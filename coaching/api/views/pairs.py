from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows, Rows
from coaching.api.filters import CaseFilter, PairFilter
from coaching.api.serializers.pairs import (
    PAIR_BY_ROLE,
    CaseShape,
    Decision,
    FullLook,
    LookShape,
    NewSession,
    RolePair,
    SessionShape,
    side_of,
)
from coaching.models import Case, Pair, Person
from coaching.queries import cohorts, pairs
from coaching.services import progress


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

    @extend_schema(responses=FullLook(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def looks(self, request: Request, id: str) -> Response:
        """Where the learner stood, week by week; the coach reads the way to the target only."""
        pair = self.get_object()
        shape = LookShape if side_of(self.reader, pair) == "coach" else FullLook
        page = self.paginate_queryset(pair.looks.order_by("week"))
        context = {**self.get_serializer_context(), "pair": pair}
        return self.get_paginated_response(shape(page, many=True, context=context).data)

    @extend_schema(responses=SessionShape(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def sessions(self, request: Request, id: str) -> Response:
        """Meetings that took place, oldest first."""
        rows = self.get_object().sessions.select_related("logged_by").order_by("held_on", "pk")
        return self.page(rows, SessionShape)

    @extend_schema(request=NewSession, responses={201: SessionShape})
    @sessions.mapping.post
    def log_session(self, request: Request, id: str) -> Response:
        """Note a meeting; again for the same day only changes its note."""
        session = progress.log_session(
            pair=self.get_object(), by=self.reader, now=self.now, **self.given(NewSession)
        )
        return Response(SessionShape(session).data, status=201)


class Cases(ListModelMixin, RetrieveModelMixin, ManagerRows):
    """Stuck pairs that somebody has to decide about, and what was decided."""

    queryset = Case.objects.none()
    serializer_class = CaseShape
    filterset_class = CaseFilter

    def visible(self, reader: Person) -> QuerySet[Case]:
        # Nobody decides about a pair they are half of.
        others = cohorts.cases_visible_to(reader).exclude(pair__learner=reader)
        return others.exclude(pair__coach=reader).order_by("-opened_at", "-pk")

    @extend_schema(request=Decision, responses=CaseShape)
    @action(detail=True, methods=["post"])
    def decision(self, request: Request, id: str) -> Response:
        """Give more time, or end it openly; both sides are told, with the reason."""
        case = self.get_object()
        if not pairs.manages(self.reader, case.pair):
            raise Http404
        progress.decide(case=case, by=self.reader, now=self.now, **self.given(Decision))
        return Response(CaseShape(self.get_object()).data)
