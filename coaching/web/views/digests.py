"""One's own next digest, the same bytes as the letter; nobody previews another's."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from coaching.models import Letter
from coaching.notifications import rendering
from coaching.queries import preferences
from coaching.services import digests
from coaching.web.doors import for_person
from coaching.web.views.letters import in_its_frame


@for_person
def digest_page(request: HttpRequest) -> HttpResponse:
    person = request.person
    letter = digests.preview(person, now=request.now)
    context = {
        "rendered": rendering.render(letter) if letter else None,
        "off": Letter.Kind.DIGEST in preferences.turned_off(person),
        "at": preferences.outlook(person, request.now).digest if letter else None,
    }
    return render(request, "staff/digest.html", context)


@in_its_frame
@xframe_options_sameorigin
@for_person
def digest_html(request: HttpRequest) -> HttpResponse:
    letter = digests.preview(request.person, now=request.now)
    if letter is None:
        raise Http404
    return HttpResponse(rendering.render(letter).html)
