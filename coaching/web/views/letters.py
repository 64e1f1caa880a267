from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from coaching.models import Letter
from coaching.notifications import rendering
from coaching.queries import access, letters
from coaching.web.doors import for_person
from coaching.web.paging import page_of


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
    return render(request, "letter.html", {"letter": row, "rendered": rendering.render(row)})


# A letter brings its own styles, because mail programs need them in place. It
# may show them here, in a frame of our own pages, and do nothing else.
@csp_replace(
    {
        "default-src": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:"],
        "frame-ancestors": ["'self'"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
    }
)
@xframe_options_sameorigin
@for_person
def letter_html(request: HttpRequest, letter: str) -> HttpResponse:
    row = access.found_or_404(letters.visible_to(request.person), letter)
    return HttpResponse(rendering.render(row).html)
