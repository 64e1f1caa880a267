from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coaching.queries import undelivered
from coaching.web.doors import for_manager
from coaching.web.paging import page_of

MOST_PEOPLE = 100


@for_manager
def undelivered_list(request: HttpRequest) -> HttpResponse:
    """Whose letters fail, which letters those are, and what can be done about it."""
    reader, now = request.person, request.now
    unreached = undelivered.unreached(reader, now=now)
    rows = undelivered.visible_to(reader, now=now).select_related("recipient", "cohort")
    return render(
        request,
        "manager/undelivered.html",
        {
            "unreached": unreached[:MOST_PEOPLE],
            "more": max(len(unreached) - MOST_PEOPLE, 0),
            "page": page_of(request, rows, size=40),
            "days": undelivered.RECENTLY.days,
        },
    )
