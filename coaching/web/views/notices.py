"""Everything one was told, newest first: letters may be turned off, these not."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from coaching.queries import letters
from coaching.services import notices
from coaching.web.doors import for_person
from coaching.web.paging import page_of


@for_person
def notice_list(request: HttpRequest) -> HttpResponse:
    rows = letters.notices_for(request.person).order_by("-at", "-pk")
    context = {
        "page": page_of(request, rows, size=30),
        "unread": rows.filter(read_at=None).count(),
    }
    return render(request, "staff/notices.html", context)


@require_POST
@for_person
def notices_read(request: HttpRequest) -> HttpResponse:
    """Mark as read what the page showed: what came since then stays unread."""
    until = _moment(request.POST.get("until", "")) or request.now
    marked = notices.mark_read(person=request.person, until=until, now=request.now)
    if marked:
        done = ngettext("%(number)s marked as read.", "%(number)s marked as read.", marked)
        messages.success(request, done % {"number": marked})
    else:
        messages.success(request, gettext("All was read already."))
    return redirect("notices")


def _moment(text: str):
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
