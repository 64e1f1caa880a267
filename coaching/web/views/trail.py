"""Who did what, when: for managers about their teams, for HR about all."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import islice

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language, override, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from coaching.models import Event, Person
from coaching.queries import trail as trail_queries
from coaching.services import exports as export_services
from coaching.web import exports, trail
from coaching.web.doors import for_manager
from coaching.web.forms import Plain, day_input

PAGE = 50
# Lines a download holds at most, and how many are read at a time.
MOST_LINES = 100_000
CHUNK = 1_000
HEADINGS = [_("when"), _("who"), _("what"), _("in their words"), _("kind"), _("team")]


class TrailForm(Plain):
    """Which lines; whatever is left empty narrows nothing."""

    who = forms.CharField(label=_("Who, or about whom"), max_length=80, required=False)
    since = forms.DateField(label=_("From"), required=False, widget=day_input())
    until = forms.DateField(label=pgettext_lazy("a day", "To"), required=False, widget=day_input())

    def clean(self) -> dict:
        given = super().clean()
        days = [day for day in (given.get("since"), given.get("until")) if day]
        # Beyond these, days fall off the calendar in one zone or another.
        if not all(1970 <= day.year <= 2999 for day in days):
            raise forms.ValidationError(_("Nothing happened in a year like that."))
        if len(days) == 2 and days[1] < days[0]:
            raise forms.ValidationError(_("The first day lies after the last one."))
        return given


def _asked(request: HttpRequest) -> tuple[QuerySet[Event], TrailForm, str]:
    """The lines that are asked for, newest first; what cannot be read is said, and not asked."""
    reader = request.person
    lines = trail_queries.visible_to(reader).order_by("-at", "-pk")
    kind = request.GET.get("kind", "")
    kind = kind if kind in trail.KINDS else ""
    if kind:
        lines = trail.of_kind(lines, kind)
    form = TrailForm(request.GET)
    if form.is_valid():
        given = form.cleaned_data
        if given["who"]:
            lines = trail_queries.about(lines, reader, given["who"])
        if given["since"]:
            lines = lines.filter(at__gte=datetime.combine(given["since"], time(), reader.zone))
        if given["until"]:
            end = given["until"] + timedelta(days=1)
            lines = lines.filter(at__lt=datetime.combine(end, time(), reader.zone))
    return lines, form, kind


def _before(lines: QuerySet[Event], mark: str) -> QuerySet[Event] | None:
    """The lines after a mark like "2027-03-01T07:30:00+00:00,12"; None for what is none."""
    moment, _comma, number = mark.rpartition(",")
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    if at is None or at.tzinfo is None or not number.isdecimal() or len(number) > 18:
        return None
    return trail_queries.before(lines, at, int(number))


@for_manager
def trail_page(request: HttpRequest) -> HttpResponse:
    lines, form, kind = _asked(request)
    after = _before(lines, request.GET.get("before", ""))
    rows = list((lines if after is None else after)[: PAGE + 1])
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    return render(
        request,
        "manager/trail.html",
        {
            "lines": trail.told(rows, request.person),
            "form": form,
            "kind": kind,
            "kinds": trail.KINDS.items(),
            "first": after is None,
            "next": f"{rows[-1].at.isoformat()},{rows[-1].pk}" if more else "",
            "narrowed": bool(kind) or any(form.data.get(name) for name in form.fields),
        },
    )


@require_POST
@for_manager
def trail_export(request: HttpRequest) -> HttpResponseBase:
    """The lines that the page shows, as CSV; that they were taken is a line of its own."""
    lines, form, kind = _asked(request)
    count = min(lines.count(), MOST_LINES)
    # The line about this download is not in it.
    newest = lines.values_list("pk", flat=True).order_by("-pk").first() or 0
    rows = _rows(lines.filter(pk__lte=newest)[:MOST_LINES], request.person, get_language())
    narrowed = {"kind": kind, **(form.cleaned_data if form.is_valid() else {})}
    export_services.trail_taken(
        lines=count,
        filters={name: str(value) for name, value in narrowed.items() if value},
        by=request.person,
        now=request.now,
    )
    return exports.as_csv(rows, filename=f"lanemate-audit-{request.now:%Y-%m-%d}")


def _rows(lines: QuerySet[Event], reader: Person, language: str) -> Iterator[list]:
    """Read while the answer is under way, when the request's own language is over."""
    with override(language):
        headings = [str(heading) for heading in HEADINGS]
    yield headings
    found = lines.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        with override(language):
            told = trail.told(chunk, reader)
        for line in told:
            yield [
                f"{line.at.astimezone(reader.zone):%Y-%m-%d %H:%M:%S}",
                line.actor,
                line.sentence,
                line.note,
                line.kind,
                line.team,
            ]
