from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from coaching import engine
from coaching.models import Letter, Visit
from coaching.notifications import rendering
from coaching.queries import access, letters
from coaching.services import letters as services
from coaching.services import visits
from coaching.web.doors import flashing, for_person
from coaching.web.paging import page_of

MOST_ADDRESSES = 100


@for_person
def letter_list(request: HttpRequest) -> HttpResponse:
    rows = letters.visible_to(request.person).select_related("recipient", "cohort")
    kind = request.GET.get("kind", "")
    if kind in Letter.Kind.values:
        rows = rows.filter(kind=kind)
    return render(
        request,
        "letters.html",
        {"page": page_of(request, rows, size=50), "kind": kind, "kinds": Letter.Kind.choices},
    )


@for_person
def letter_page(request: HttpRequest, letter: str) -> HttpResponse:
    row = access.found_or_404(letters.visible_to(request.person), letter)
    visits.note(
        looker=request.person, subjects=[row.recipient], what=Visit.What.LETTER, now=request.now
    )
    tries = row.tries.all() if access.sees_everything(request.person) else []
    return render(
        request,
        "letter.html",
        {"letter": row, "rendered": rendering.render(row), "tries": tries},
    )


@for_person
def troubled(request: HttpRequest) -> HttpResponse:
    """What needs somebody: letters given up or perhaps sent, and addresses that get none."""
    if not access.sees_everything(request.person):
        raise Http404
    rows = letters.troubled(request.person).prefetch_related("tries")
    return render(
        request,
        "letters_troubled.html",
        {
            "page": page_of(request, rows, size=50),
            "addresses": letters.suppressed(request.person)[:MOST_ADDRESSES],
        },
    )


@require_POST
@for_person
def letter_resend(request: HttpRequest, letter: str) -> HttpResponse:
    row = access.found_or_404(letters.troubled(request.person), letter)
    with flashing(request, _("It goes out again, under the same Message-ID.")):
        services.resend(letter=row, by=request.person, now=request.now)
        engine.wake()
    return redirect("letters-troubled")


@require_POST
@for_person
def letter_mark_sent(request: HttpRequest, letter: str) -> HttpResponse:
    row = access.found_or_404(letters.troubled(request.person), letter)
    with flashing(request, _("Marked as sent.")):
        services.mark_sent(letter=row, by=request.person, now=request.now)
    return redirect("letters-troubled")


@require_POST
@for_person
def address_free(request: HttpRequest, bounce: int) -> HttpResponse:
    row = get_object_or_404(letters.suppressed(request.person), pk=bounce)
    with flashing(request, _("Letters go to %(email)s again.") % {"email": row.email}):
        services.free(bounce=row, by=request.person, now=request.now)
    return redirect("letters-troubled")


# A letter brings its own styles, because mail programs need them in place. It
# may show them here, in a frame of our own pages, and do nothing else.
in_its_frame = csp_replace(
    {
        "default-src": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:"],
        "frame-ancestors": ["'self'"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
    }
)


@in_its_frame
@xframe_options_sameorigin
@for_person
def letter_html(request: HttpRequest, letter: str) -> HttpResponse:
    row = access.found_or_404(letters.visible_to(request.person), letter)
    return HttpResponse(rendering.render(row).html)
