from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coaching import engine
from coaching.api.doors import Door, Rows
from coaching.api.serializers.preferences import (
    ChangedPreferences,
    ChannelShape,
    MadeChannel,
    NewChannel,
    PreferencesShape,
    Replayed,
)
from coaching.models import Channel, Person
from coaching.queries import channels
from coaching.services import channels as channel_services
from coaching.services import preferences


class Preferences(Door, APIView):
    """Which letters come by e-mail, and when: your own."""

    @extend_schema(responses=PreferencesShape, operation_id="my_preferences")
    def get(self, request: Request) -> Response:
        return Response(PreferencesShape(self.reader, context={"now": self.now}).data)

    @extend_schema(
        request=ChangedPreferences, responses=PreferencesShape, operation_id="my_preferences_change"
    )
    def patch(self, request: Request) -> Response:
        """Change what is given. It holds from the next letter on, waiting ones included."""
        given = ChangedPreferences(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        pauses = "paused_until" in changes
        until = changes.pop("paused_until", None)
        with transaction.atomic():
            preferences.change(person=self.reader, now=self.now, **changes)
            if pauses:
                preferences.pause(person=self.reader, until=until, now=self.now)
        return Response(PreferencesShape(self.reader, context={"now": self.now}).data)


class Channels(ListModelMixin, Rows):
    """Your own chats and webhooks."""

    queryset = Channel.objects.none()
    serializer_class = ChannelShape

    def visible(self, reader: Person) -> QuerySet[Channel]:
        return channels.of(reader).order_by("pk")

    @extend_schema(request=NewChannel, responses={201: MadeChannel})
    def create(self, request: Request) -> Response:
        """Add one; the answer tells a webhook's secret, this once."""
        made = channel_services.add(person=self.reader, now=self.now, **self.given(NewChannel))
        return Response(MadeChannel(made).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Remove one; it hears nothing any more."""
        channel_services.remove(channel=self.get_object(), by=self.reader, now=self.now)
        return Response(status=204)

    @extend_schema(request=None, responses={202: None})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, id: str) -> Response:
        """Send it a test, which tells of nothing."""
        channel_services.test(channel=self.get_object(), by=self.reader, now=self.now)
        engine.wake()
        return Response(status=202)

    @extend_schema(request=None, responses=Replayed)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, id: str) -> Response:
        """Send what was given up once more."""
        again = channel_services.replay(channel=self.get_object(), by=self.reader, now=self.now)
        engine.wake()
        return Response(Replayed({"again": again}).data)
