from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from coaching.queries import access, cohorts, letters, pairs
from coaching.services import progress
from coaching.web import charts, words
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.forms import DecisionForm, SessionForm

MOST_EVENTS = 40


@for_person
def pair_page(request: HttpRequest, pair: str) -> HttpResponse:
    reader = request.person
    row = access.found_or_404(pairs.with_progress(pairs.visible_to(reader)), pair)
    manages = pairs.manages(reader, row)
    today = request.now.astimezone(reader.zone).date()
    sessions = pairs.sessions_of(row)
    looks = list(row.looks.all())
    context = {
        "pair": row,
        "manages": manages,
        "side": "learner" if reader.pk == row.learner_id else "coach",
        "partner": row.learner if manages else row.partner_of(reader),
        "sessions": sessions[::-1],
        "looks": looks,
        "level": row.read(looks[-1].level) if looks else "",
        "reached": looks[-1].p_reached if looks else None,
        "picture": charts.progress_picture(
            row,
            looks=looks,
            readings=pairs.readings_of(row, reader),
            sessions=sessions,
            today=today,
        ),
        "next_step": "" if manages else pairs.next_step(row, reader, today=today),
        "why": words.why_pair(row, reader),
        "session_form": SessionForm(today=today) if row.is_active else None,
    }
    if manages:
        cases = list(cohorts.cases_visible_to(reader).filter(pair=row))
        context |= {
            "case": next((case for case in cases if case.decided_at is None), None),
            "decided": [case for case in cases if case.decided_at],
            "decision_form": DecisionForm(),
            "events": pairs.history(row)[:MOST_EVENTS],
        }
    context["letters"] = list(letters.visible_to(reader).filter(pair=row)[:60])
    return render(request, "pair.html", context)


@require_POST
@for_person
def session_log(request: HttpRequest, pair: str) -> HttpResponse:
    reader = request.person
    row = access.found_or_404(pairs.visible_to(reader), pair)
    today = request.now.astimezone(reader.zone).date()
    form = SessionForm(request.POST, today=today)
    if form.is_valid():
        with flashing(request, "Noted. Thank you."):
            progress.log_session(pair=row, by=reader, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return redirect("me" if request.POST.get("from") == "me" else "pair", **_back(request, row))


def _back(request: HttpRequest, pair) -> dict:
    return {} if request.POST.get("from") == "me" else {"pair": pair.public_id}


@require_POST
@for_person
def case_decide(request: HttpRequest, pair: str, case: str) -> HttpResponse:
    reader = request.person
    row = access.found_or_404(cohorts.cases_visible_to(reader).filter(pair__public_id=pair), case)
    # Nobody decides about a pair they are half of.
    if not pairs.manages(reader, row.pair):
        raise Http404
    form = DecisionForm(request.POST)
    if form.is_valid():
        with flashing(request, "Decided. Both of them are told, with your reason."):
            progress.decide(case=row, by=reader, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return redirect("pair", pair)
