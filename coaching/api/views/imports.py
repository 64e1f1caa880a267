from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.doors import ManagerRows
from coaching.api.problems import TooLarge
from coaching.api.serializers.imports import Confirmation, ImportDetail, ImportShape, Upload
from coaching.engine import wake
from coaching.models import Import, Person
from coaching.queries import imports
from coaching.services import imports as import_services


class Imports(ListModelMixin, RetrieveModelMixin, ManagerRows):
    """
    Files on their way to readings: received, read and shown, and only then written.

    Each step is worked off in the background: ask again while `is_waiting`.
    """

    queryset = Import.objects.none()

    def visible(self, reader: Person) -> QuerySet[Import]:
        rows = imports.visible_to(reader)
        large = ("preview", "problems", "sentences", "result")
        return rows if self.action == "retrieve" else rows.defer(*large)

    def get_serializer_class(self) -> type:
        return ImportDetail if self.action == "retrieve" else ImportShape

    def get_parsers(self) -> list:
        return [MultiPartParser()] if self.action_for_post == "create" else super().get_parsers()

    @property
    def action_for_post(self) -> str:
        # Parsers are chosen before the action is.
        return getattr(self, "action_map", {}).get("post", "")

    @extend_schema(request=Upload, responses={202: ImportShape})
    def create(self, request: Request) -> Response:
        """Send a file as `multipart/form-data`."""
        # The upload handler drops what is too large while it arrives, and notes its name.
        given = request.data
        if request.META.get("lanemate.upload_refused"):
            raise TooLarge(f"Send at most {settings.UPLOAD_LIMIT_MB} MB at a time.")
        serializer = Upload(data=given, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        upload = serializer.validated_data["file"]
        mapping = serializer.validated_data.get("mapping")
        if mapping is not None and not isinstance(mapping, dict):
            raise ValidationError({"mapping": ["Must be an object with named fields."]})
        source = import_services.receive(
            filename=upload.name,
            content=upload.read(),
            by=self.reader,
            team=serializer.validated_data.get("team"),
            now=self.now,
            mapping=mapping,
        )
        wake()
        return self._accepted(source)

    def _accepted(self, source: Import) -> Response:
        where = reverse("api:import-detail", kwargs={"id": source.public_id})
        return Response(
            ImportShape(source, context=self.get_serializer_context()).data,
            status=202,
            headers={"Location": where},
        )

    @extend_schema(request=OpenApiTypes.OBJECT, responses={202: ImportShape})
    @action(detail=True, methods=["post"])
    def mapping(self, request: Request, id: str) -> Response:
        """Say what the columns mean; the file is read again."""
        source = self.get_object()
        if not isinstance(request.data, dict):
            raise ValidationError(["The mapping must be an object with named fields."])
        import_services.remap(source=source, mapping=request.data, by=self.reader, now=self.now)
        return self._moved(source)

    @extend_schema(request=Confirmation, responses={202: ImportShape})
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, id: str) -> Response:
        """Have the readings written."""
        source = self.get_object()
        import_services.confirm(
            source=source, by=self.reader, now=self.now, **self.given(Confirmation)
        )
        return self._moved(source)

    @extend_schema(request=None, responses={200: ImportShape})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, id: str) -> Response:
        """Forget the file; nothing was written."""
        source = self.get_object()
        import_services.cancel(source=source, by=self.reader, now=self.now)
        wake()
        return Response(ImportShape(self.get_object()).data)

    def _moved(self, source: Import) -> Response:
        wake()
        source.refresh_from_db()
        return self._accepted(source)
