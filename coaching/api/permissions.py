from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request

from coaching.queries import access


class IsReader(IsAuthenticated):
    """A signed-in login that belongs to an active person."""

    message = "This login is not linked to an active person. Ask whoever runs Lanemate."

    def has_permission(self, request: Request, view) -> bool:
        return super().has_permission(request, view) and request.person is not None


class IsManager(BasePermission):
    """Somebody who manages a team, or HR. Comes after `IsReader`."""

    message = "This is for people who manage a team."

    def has_permission(self, request: Request, view) -> bool:
        return access.is_manager(request.person)
