"""The one page of a pair's week, its history, and how it is printed."""

from datetime import date, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from coaching.domain import cadence
from coaching.models import Pair, Visit, Worksheet
from coaching.queries import access, pairs
from coaching.queries import worksheets as worksheet_queries
from coaching.services import visits, worksheets
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.pair_forms import CoachPageForm, LearnerPageForm


@for_person
def worksheet_page(request: HttpRequest, pair: str) -> HttpResponse:
    reader = request.person
    row = access.found_or_404(pairs.visible_to(reader), pair)
    side = pairs.side_of(reader, row)
    today = request.now.astimezone(reader.zone).date()
    week = _asked_week(request, row, today)
    sheet = worksheet_queries.of_week(row, week)
    form = None
    if row.is_active and side == "learner":
        form = LearnerPageForm(request.POST or None, sheet=sheet)
    elif row.is_active and side == "coach" and sheet.learner_at:
        form = CoachPageForm(request.POST or None, sheet=sheet)
    if request.method == "POST":
        if form is not None and form.is_valid():
            with flashing(request, _("Written.")) as attempt:
                worksheets.write(
                    pair=row, week=week, by=reader, now=request.now, **form.cleaned_data
                )
            if attempt.done:
                return redirect(f"{reverse('worksheet', args=[pair])}?week={week}")
        elif form is not None:
            flash_form_errors(request, form)
        else:
            with flashing(request):
                raise worksheets.LearnerFirst
    if side == "manager":
        both = [row.learner, row.coach]
        visits.note(looker=reader, subjects=both, what=Visit.What.WORKSHEET, now=request.now)
    started = cadence.week_of(row.started_at.astimezone(row.learner.zone).date())
    context = {
        "pair": row,
        "side": side,
        "partner": row.learner if side in ("manager", "helper") else row.partner_of(reader),
        "sheet": sheet,
        "week": week,
        "week_ends": week + timedelta(days=4),
        "this_week": cadence.week_of(today),
        "earlier_week": week - cadence.WEEK if week > started else None,
        "later_week": week + cadence.WEEK if week < cadence.week_of(today) else None,
        "form": form,
        "history": [row for row in worksheet_queries.of_pair(row) if row.week != week],
    }
    return render(request, "staff/worksheet.html", context)


def _asked_week(request: HttpRequest, pair: Pair, today: date) -> date:
    """The Monday of `?week=`; this week's when it is not asked for."""
    asked = request.GET.get("week", "")
    if not asked:
        return cadence.week_of(today)
    try:
        week = cadence.week_of(date.fromisoformat(asked))
    except ValueError as unreadable:
        raise Http404 from unreadable
    started = cadence.week_of(pair.started_at.astimezone(pair.learner.zone).date())
    known = Worksheet.objects.filter(pair=pair, week=week).exists()
    if not known and not started <= week <= cadence.week_of(today):
        raise Http404
    return week
