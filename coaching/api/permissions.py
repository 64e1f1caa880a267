from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request


class IsReader(IsAuthenticated):
    """A signed-in login that belongs to an active person."""

    message = "This login is not linked to an active person. Ask whoever runs Lanemate."

    def has_permission(self, request: Request, view) -> bool:
        return super().has_permission(request, view) and request.person is not None
