"""What is stored about oneself, who looked, and one's own calendar."""

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coaching.api.doors import Door, Rows
from coaching.api.serializers.people import CalendarLink, VisitShape
from coaching.models import Person, Visit
from coaching.notifications import feeds
from coaching.queries import own_data
from coaching.services import feeds as feed_services
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


class MyCalendar(Door, APIView):
    """A link under which my calendar reads my sessions, without signing in."""

    @extend_schema(responses=CalendarLink, operation_id="my_calendar")
    def get(self, request: Request) -> Response:
        return self._link()

    @extend_schema(request=None, responses=CalendarLink, operation_id="my_calendar_renew")
    def post(self, request: Request) -> Response:
        """Make a link; one from before opens nothing any more."""
        feed_services.renew(person=self.reader, now=self.now)
        return self._link()

    @extend_schema(responses={204: None}, operation_id="my_calendar_end")
    def delete(self, request: Request) -> Response:
        """Take the link back."""
        feed_services.end(person=self.reader, now=self.now)
        return Response(status=204)

    def _link(self) -> Response:
        path = feeds.path(self.reader)
        url = f"{settings.SITE_URL}{path}" if path else None
        return Response(CalendarLink({"url": url}).data, headers={"Cache-Control": "no-store"})
