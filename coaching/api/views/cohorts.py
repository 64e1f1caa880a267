from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows, named
from coaching.api.filters import CohortFilter
from coaching.api.serializers.departures import Accept, Begun, Drop, WaitingShape
from coaching.api.serializers.plans import (
    CohortDetail,
    CohortShape,
    NewCohort,
    PlanShape,
    Reselect,
    gathered,
)
from coaching.api.views.departures import NUMBER
from coaching.api.views.plans import etag_of
from coaching.models import Cohort, Member, Person, Waiting
from coaching.queries import access, cohorts
from coaching.queries import waiting as waiting_queries
from coaching.services import cohorts as cohort_services
from coaching.services import launches, plans, waiting


class Cohorts(ListModelMixin, RetrieveModelMixin, ManagerRows):
    """Groups of pairs that start together and close when everybody has passed."""

    queryset = Cohort.objects.none()
    filterset_class = CohortFilter

    def visible(self, reader: Person) -> QuerySet[Cohort]:
        rows = cohorts.with_counts(cohorts.visible_to(reader)).prefetch_related("plans")
        if self.action != "list":
            people = Member.objects.select_related("person", "metric")
            rows = rows.prefetch_related(
                Prefetch("members", queryset=people.order_by("person__name", "pk"))
            )
        return rows.order_by("-created_at", "-pk")

    def get_serializer_class(self) -> type:
        return CohortShape if self.action == "list" else CohortDetail

    @extend_schema(request=NewCohort, responses={201: CohortDetail})
    def create(self, request: Request) -> Response:
        """A draft cohort with the learners and coaches that a ranking and raised hands give."""
        given = self.given(NewCohort)
        made = cohort_services.create(by=self.reader, now=self.now, **given)
        cohort = access.found_or_404(self.get_queryset(), made.public_id)
        where = reverse("api:cohort-detail", kwargs={"id": cohort.public_id})
        return Response(CohortDetail(cohort).data, status=201, headers={"Location": where})

    @extend_schema(request=None, responses={201: PlanShape})
    @action(detail=True, methods=["post"])
    def plan(self, request: Request, id: str) -> Response:
        """A plan for a draft cohort: the one optimum of its people and seats."""
        cohort = self.get_object()
        plan = plans.draft(cohort=cohort, by=self.reader, now=self.now)
        plan = access.found_or_404(cohorts.plans_visible_to(self.reader), plan.public_id)
        where = reverse("api:plan-detail", kwargs={"id": plan.public_id})
        headers = {"Location": where, "ETag": etag_of(plan)}
        return Response(PlanShape(gathered(plan)).data, status=201, headers=headers)

    @extend_schema(request=Reselect, responses=CohortDetail)
    @action(detail=True, methods=["post"])
    def select(self, request: Request, id: str) -> Response:
        """
        Select the ranked of a draft cohort again by another policy. A manager's own additions,
        raised hands and whoever was left out stay as they are.
        """
        cohort_services.reselect(
            cohort=self.get_object(), by=self.reader, now=self.now, **self.given(Reselect)
        )
        return Response(CohortDetail(self.get_object()).data)

    @extend_schema(request=None, responses=CohortDetail)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, id: str) -> Response:
        """
        Take a launch back, within the hour and before anybody has met. Whoever may have been told
        gets one correction.
        """
        launches.undo(cohort=self.get_object(), by=self.reader, now=self.now)
        return Response(CohortDetail(self.get_object()).data)

    @extend_schema(responses=WaitingShape(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def waiting(self, request: Request, id: str) -> Response:
        """Who waits for a coach, in the order of seats, and every coach they could have."""
        cohort = self.get_object()
        page = self.paginate_queryset(waiting_queries.open_in(cohort))
        offers = waiting.offers_in(cohort, now=self.now) if page else {}
        for place in page:
            place.offers = offers.get(place.pk, [])
        return self.get_paginated_response(WaitingShape(page, many=True).data)

    def _place(self, number: int) -> Waiting:
        place = waiting_queries.visible_to(self.reader).filter(cohort=self.get_object(), pk=number)
        found = place.first()
        if found is None:
            raise Http404
        return found

    @extend_schema(
        request=Accept, responses={201: Begun}, parameters=[OpenApiParameter("number", **NUMBER)]
    )
    @action(detail=True, methods=["post"], url_path="waiting/<int:number>/accept")
    def accept(self, request: Request, id: str, number: int) -> Response:
        """Give somebody who waits the proposed coach, or another one with a free seat."""
        place = self._place(number)
        wanted = self.given(Accept).get("coach")
        members = Person.objects.filter(pk__in=place.cohort.members.values("person"))
        coach = named(members, wanted, "coach") if wanted else None
        pair = waiting.accept(waiting=place, coach=coach, by=self.reader, now=self.now)
        return Response(Begun(pair).data, status=201)

    @extend_schema(
        request=Drop, responses={204: None}, parameters=[OpenApiParameter("number", **NUMBER)]
    )
    @action(detail=True, methods=["post"], url_path="waiting/<int:number>/drop")
    def drop(self, request: Request, id: str, number: int) -> Response:
        """Somebody does not wait any more; the cohort may close by it."""
        place = self._place(number)
        waiting.drop(waiting=place, by=self.reader, now=self.now, **self.given(Drop))
        return Response(status=204)
