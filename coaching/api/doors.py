"""What every door of the API shares: who reads, what time it is, and where rows come from."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property

from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from coaching.api.permissions import IsManager, IsReader
from coaching.models import Person
from coaching.queries import access, clock
from coaching.services import people


class Door:
    """Sets `request.person`, for tokens as for sessions."""

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        request.person = people.person_for(request.user) if request.user.is_authenticated else None

    @property
    def reader(self) -> Person:
        return self.request.person

    @cached_property
    def now(self) -> datetime:
        return clock.now()

    @property
    def today(self) -> date:
        return self.now.astimezone(self.reader.zone).date()


class Rows(Door, GenericViewSet):
    """
    Rows of one kind that the reader may see.

    `queryset` only tells the description which model it is; rows come from
    `visible(reader)`. Who may not see a row gets the 404 of a row that is not there.
    """

    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_converter = "slug"

    def visible(self, reader: Person) -> QuerySet:
        raise NotImplementedError

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return self.visible(self.reader)

    def get_object(self) -> Model:
        return access.found_or_404(self.get_queryset(), self.kwargs["id"])

    def given(self, serializer_class: Callable) -> dict:
        """
        What the body says, checked.

        :raises ValidationError:
        """
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def page(self, rows: QuerySet, serializer_class: Callable | None = None):
        """The asked-for page of rows, described."""
        serializer_class = serializer_class or self.get_serializer_class()
        page = self.paginate_queryset(rows)
        serializer = serializer_class(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(serializer.data)


class ManagerRows(Rows):
    permission_classes = [IsReader, IsManager]


def named(rows: QuerySet, public_id: str, field: str) -> Model:
    """
    The row that a field of the body names.

    :raises ValidationError: pointing at the field
    """
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise ValidationError({field: [f"“{public_id}” is unknown here."]})
    return row
