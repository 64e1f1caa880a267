from collections.abc import Callable

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows, Rows
from coaching.api.filters import LetterFilter
from coaching.api.serializers.letters import (
    EventShape,
    LetterDetail,
    LetterShape,
    MarkedRead,
    NoticeShape,
    ReadUntil,
)
from coaching.models import Event, Letter, Notice, Person, Visit
from coaching.notifications import rendering
from coaching.queries import access, letters, trail
from coaching.services import letters as services
from coaching.services import notices, visits


class Letters(ListModelMixin, RetrieveModelMixin, Rows):
    """Letters to you, and those about pairs and cohorts you manage."""

    queryset = Letter.objects.none()
    filterset_class = LetterFilter

    def visible(self, reader: Person) -> QuerySet[Letter]:
        return (
            letters.visible_to(reader)
            .select_related("recipient", "pair", "cohort")
            .order_by("-created_at", "-pk")
        )

    def get_serializer_class(self) -> type:
        return LetterDetail if self.action == "retrieve" else LetterShape

    def get_object(self) -> Letter:
        letter = super().get_object()
        visits.note(
            looker=self.reader, subjects=[letter.recipient], what=Visit.What.LETTER, now=self.now
        )
        letter.rendered = rendering.render(letter)
        return letter

    @extend_schema(request=None, responses=LetterShape)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, id: str) -> Response:
        """Send a letter again that was given up or perhaps sent. For HR."""
        return self._decided(services.resend, id)

    @extend_schema(request=None, responses=LetterShape)
    @action(detail=True, methods=["post"], url_path="sent")
    def mark_sent(self, request: Request, id: str) -> Response:
        """Take a letter that was perhaps sent for sent. For HR."""
        return self._decided(services.mark_sent, id)

    def _decided(self, decide: Callable[..., None], public_id: str) -> Response:
        letter = access.found_or_404(letters.troubled(self.reader), public_id)
        decide(letter=letter, by=self.reader, now=self.now)
        letter.refresh_from_db()
        return Response(LetterShape(letter, context=self.get_serializer_context()).data)


class Notices(ListModelMixin, Rows):
    """What you have been told here, newest first."""

    queryset = Notice.objects.none()
    serializer_class = NoticeShape

    def visible(self, reader: Person) -> QuerySet[Notice]:
        return letters.notices_for(reader).order_by("-at", "-pk")

    @extend_schema(request=ReadUntil, responses=MarkedRead)
    @action(detail=False, methods=["post"])
    def read(self, request: Request) -> Response:
        """Mark your notices as read."""
        until = self.given(ReadUntil).get("until", self.now)
        marked = notices.mark_read(person=self.reader, until=until, now=self.now)
        return Response(MarkedRead({"marked": marked}).data)


class Events(ListModelMixin, ManagerRows):
    """The audit trail of the teams you manage, newest first."""

    queryset = Event.objects.none()
    serializer_class = EventShape

    def visible(self, reader: Person) -> QuerySet[Event]:
        return trail.visible_to(reader)
