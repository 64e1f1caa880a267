"""Is the process alive? Who reads, and what time is it? Worked out once for a request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from coaching.queries import clock
from coaching.services import people


class AliveMiddleware:
    """Answers /healthz before anything else: no database, no session, no host name is needed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        return self.get_response(request)


class ReaderMiddleware:
    """
    Sets `request.person` (the `Person` who reads, or None) and `request.now`,
    and shows times in the reader's zone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.now = clock.now()
        request.person = None
        if request.user.is_authenticated:
            request.person = people.person_for(request.user)
        if request.person is None:
            return self.get_response(request)
        with timezone.override(ZoneInfo(request.person.time_zone)):
            return self.get_response(request)
