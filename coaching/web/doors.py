"""Who may come in, and how a refusal from a service reaches the page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme

from coaching.errors import CoachingError
from coaching.models import Person
from coaching.notifications.words import tell
from coaching.queries import access

View = Callable[..., HttpResponse]


def _way_back(request: HttpRequest) -> str:
    """
    Where to go on after signing in. What a form sent is lost with the session, so that leads
    to the page with the form, as far as the browser says which it was.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()})
    return urlsplit(came_from).path if ours else "/"


def for_person(view: View) -> View:
    """Let in whoever is signed in and linked to an active person."""

    @wraps(view)
    def door(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(_way_back(request))
        if request.person is None:
            return render(request, "errors/no_person.html", status=403)
        return view(request, *args, **kwargs)

    return door


def for_manager(view: View) -> View:
    """Let in people who manage a team; for others the page does not exist."""

    @for_person
    @wraps(view)
    def door(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not access.is_manager(request.person):
            raise Http404
        return view(request, *args, **kwargs)

    return door


def for_server_staff(view: View) -> View:
    """Let in logins that may administer the server; for others the page does not exist."""

    @wraps(view)
    def door(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(_way_back(request))
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return door


def render_for(person: Person, request: HttpRequest, template: str, context: dict) -> HttpResponse:
    """A page for somebody who came by a link of theirs, signed in or not: in their language."""
    language = person.reads or translation.get_language()
    with translation.override(language), timezone.override(person.zone):
        answer = render(request, template, context)
    answer.headers["Content-Language"] = language
    return answer


class Attempt:
    """Whether the service did what was asked."""

    done = False


@contextmanager
def flashing(request: HttpRequest, done: str = "") -> Iterator[Attempt]:
    """Show a service's refusal on the next page, or `done` if it did what was asked."""
    attempt = Attempt()
    try:
        yield attempt
    except CoachingError as refusal:
        messages.error(request, tell(refusal.message))
    else:
        attempt.done = True
        if done:
            messages.success(request, done)


def flash_form_errors(request: HttpRequest, form) -> None:
    """For forms that have no page of their own: the first sentence of each error."""
    for errors in form.errors.values():
        messages.error(request, errors[0])
