from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows
from coaching.api.filters import CohortFilter
from coaching.api.serializers.plans import (
    CohortDetail,
    CohortShape,
    NewCohort,
    PlanShape,
    gathered,
)
from coaching.api.views.plans import etag_of
from coaching.models import Cohort, Member, Person
from coaching.queries import access, cohorts
from coaching.services import cohorts as cohort_services
from coaching.services import plans


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
