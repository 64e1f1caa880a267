"""Is the process alive? Who reads, and what time is it? Worked out once for a request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

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
    and answers in the reader's zone and language: the one they have chosen, else the browser's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.now = clock.now()
        request.person = None
        if request.user.is_authenticated:
            request.person = people.person_for(request.user)
        person = request.person
        zone = ZoneInfo(person.time_zone) if person else None
        chosen = person.reads if person else ""
        language = chosen or translation.get_language_from_request(request)
        with timezone.override(zone), translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        # Who has chosen is known by their cookie, which the session says; all others by this.
        patch_vary_headers(response, ("Accept-Language",))
        return response


class WrongMethodMiddleware:
    """A form's address that is opened like a page answers with a page, not with an empty one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if isinstance(answer, HttpResponseNotAllowed) and not answer.content:
            page = render(request, "405.html", status=405)
            page["Allow"] = answer["Allow"]
            return page
        return answer
