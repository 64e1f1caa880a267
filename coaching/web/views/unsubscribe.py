"""
"No more letters of this kind", by the link in a letter: without a sign-in.

A GET shows one button and does nothing, because mail scanners follow links.
A POST does it: the button's, or a mail program's own (RFC 8058).
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from coaching.models import Letter, Person
from coaching.notifications import unsubscribing
from coaching.services import preferences
from coaching.web.doors import render_for


def _page(request: HttpRequest, token: str, person: Person, kind: str, state: str) -> HttpResponse:
    context = {
        "token": token,
        "who": person.first_name,
        "label": Letter.Kind(kind).label,
        "state": state,
    }
    return render_for(person, request, "unsubscribe.html", context)


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "unsubscribe.html", {"state": "unknown"}, status=404)


# The token is the permission: whoever can read the letter may do this, and nothing else. A mail
# program has neither a session nor a form token.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    found = unsubscribing.read(token)
    if found is None:
        return _unknown(request)
    person, kind = found
    if request.method != "POST":
        return _page(request, token, person, kind, "ask")
    preferences.turn_off(person=person, kind=kind, now=request.now)
    return _page(request, token, person, kind, "off")


@csrf_exempt
@never_cache
@require_POST
def subscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The way back, for a click that was not meant."""
    found = unsubscribing.read(token)
    if found is None:
        return _unknown(request)
    person, kind = found
    preferences.turn_on(person=person, kind=kind, now=request.now)
    return _page(request, token, person, kind, "on")
