"""Who reads, and what time it is: worked out once for a request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from coaching.queries import clock
from coaching.services import people


class ReaderMiddleware:
    """
    Sets `request.person` (the `Person` who reads, or None) and `request.now`,
    and shows times in the reader's zone.

    Nobody signed in, nothing read: an answer that needs no database gets by
    without one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.now = SimpleLazyObject(clock.now)
        request.person = None
        if request.user.is_authenticated:
            request.person = people.person_for(request.user)
        if request.person is None:
            return self.get_response(request)
        # A lazy datetime can neither be subtracted from nor stored by every driver.
        request.now = clock.now()
        with timezone.override(ZoneInfo(request.person.time_zone)):
            return self.get_response(request)
