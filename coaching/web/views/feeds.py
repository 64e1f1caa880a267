"""A calendar reads somebody's sessions under a link of their own; they make and end it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_POST, require_safe

from coaching.models import Person
from coaching.notifications import feeds, ics
from coaching.notifications.messages import pair_link
from coaching.queries import sessions
from coaching.services import feeds as services
from coaching.web.doors import for_person


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The sessions of whoever the link belongs to; a link that opens nothing is not there."""
    person = _owner(token)
    if person is None:
        raise Http404
    meetings = [
        ics.Meeting(
            uid=str(row.uid),
            sequence=row.sequence,
            starts_at=row.starts_at,
            minutes=row.minutes,
            place=row.place,
            link=pair_link(row.pair),
            organiser=person,
            attendees=(),
        )
        for row in sessions.in_calendar(person, now=request.now)
    ]
    meetings += [
        ics.Meeting(
            uid=f"clinic-{row.public_id}",
            sequence=row.sequence,
            starts_at=row.starts_at,
            minutes=row.minutes,
            place=row.place,
            link="/me/",
            organiser=person,
            attendees=(),
        )
        for row in sessions.clinics_in_calendar(person, now=request.now)
    ]
    with override(person.reading_language):
        calendar = ics.feed(meetings, now=request.now)
    answer = HttpResponse(calendar, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="lanemate.ics"'
    answer["Cache-Control"] = "private, max-age=900"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _owner(token: str) -> Person | None:
    said = feeds.read(token)
    if said is None:
        return None
    public_id, key = said
    person = Person.objects.filter(public_id=public_id, active=True).first()
    if person is None or not person.calendar_key:
        return None
    return person if constant_time_compare(person.calendar_key, key) else None


@require_POST
@for_person
def feed_renew(request: HttpRequest) -> HttpResponse:
    services.renew(person=request.person, now=request.now)
    messages.success(request, _("Your link is made. One you had before opens nothing any more."))
    return redirect("/preferences/#calendar")


@require_POST
@for_person
def feed_end(request: HttpRequest) -> HttpResponse:
    services.end(person=request.person, now=request.now)
    messages.success(request, _("The link opens nothing any more."))
    return redirect("/preferences/#calendar")
