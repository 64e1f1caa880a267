"""What is stored about oneself, and who looked."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coaching.api.doors import Door, Rows
from coaching.api.serializers.people import VisitShape
from coaching.models import Person, Visit
from coaching.queries import own_data
from coaching.services import own_data as services


class MyData(Door, APIView):
    """Everything that is stored about me, by kind; the audit trail learns that it was taken."""

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="my_data")
    def get(self, request: Request) -> Response:
        return Response(
            services.take(person=self.reader, now=self.now), headers={"Cache-Control": "no-store"}
        )


class MyVisits(ListModelMixin, Rows):
    """Managers and HR who opened a page about me, newest first; once a day for each kind."""

    queryset = Visit.objects.none()
    serializer_class = VisitShape

    def visible(self, reader: Person) -> QuerySet[Visit]:
        return own_data.visits_to(reader).select_related("looker")
