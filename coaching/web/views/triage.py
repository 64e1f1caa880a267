"""The triage inbox, a case with its three ways on, and a cohort's clocks."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from coaching.models import Case, Cohort
from coaching.queries import access, cases, cohorts, pairs, peers, sessions, worksheets
from coaching.services import cases as case_services
from coaching.services import clinics, progress
from coaching.web import charts, triage
from coaching.web.case_forms import ClocksForm
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.paging import page_of

STATES = {"open": _("Open"), "decided": _("Decided"), "all": _("All")}


@for_manager
def triage_list(request: HttpRequest) -> HttpResponse:
    reader = request.person
    seen = cases.visible_to(reader)
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    rows = cases.to_decide(reader)
    if state == "decided":
        rows = seen.exclude(decided_at=None).order_by("-decided_at", "-pk")
    elif state == "all":
        rows = seen.order_by("-opened_at", "-pk")
    clock = request.GET.get("clock", "")
    if clock in Case.Clock.values:
        rows = rows.filter(clock=clock)
    running = cohorts.visible_to(reader).exclude(state=Cohort.State.DRAFT)
    cohort = running.filter(public_id=request.GET.get("cohort", "")).first()
    if cohort:
        rows = rows.filter(pair__cohort=cohort)
    return render(
        request,
        "manager/triage.html",
        {
            "page": page_of(request, rows, size=30),
            "state": state,
            "states": STATES.items(),
            "clock": clock,
            "clocks": Case.Clock.choices,
            "cohort": cohort,
            "cohorts": running.order_by("name", "pk")[:60],
            "open_count": seen.filter(decided_at=None).count(),
            "clinics": cases.clinics_visible_to(reader)
            .filter(starts_at__gt=request.now, withdrawn_at=None)
            .annotate(learners=Count("pairs"))
            .order_by("starts_at", "pk")[:20],
            "passes": list(cases.passes_to_review(reader)[:20]) if state != "decided" else [],
        },
    )


def _case(request: HttpRequest, case: str) -> Case:
    return access.found_or_404(cases.visible_to(request.person), case)


@for_manager
def case_page(request: HttpRequest, case: str) -> HttpResponse:
    return _show(request, _case(request, case))


@require_POST
@for_manager
def case_decide(request: HttpRequest, case: str) -> HttpResponse:
    row = _case(request, case)
    if row.decided_at:
        with flashing(request):
            raise case_services.CaseDecided
        return redirect("case", row.public_id)
    return _show(request, row)


def _show(request: HttpRequest, case: Case) -> HttpResponse:
    reader = request.person
    pair = pairs.with_progress(pairs.visible_to(reader)).get(pk=case.pair_id)
    case.pair = pair
    rows = sessions.of_pair(pair)
    held = sessions.held(rows)
    looks = list(pair.looks.all())
    ways = None
    if case.decided_at is None and pair.is_active:
        look = looks[-1] if looks else None
        ways = triage.ways_of(request, case, sessions=held, look=look)
        if request.method == "POST":
            form = ways.of(request.POST.get("decision", ""))
            if form is None:
                with flashing(request):
                    raise case_services.NoSuchDecision
            elif form.is_valid():
                with flashing(
                    request, gettext("Decided. Both of them are told, with your reason.")
                ) as attempt:
                    case_services.decide(
                        case=case,
                        decision=form.decision,
                        note=form.cleaned_data["note"],
                        means=form.means,
                        by=reader,
                        now=request.now,
                    )
                if attempt.done:
                    return redirect("case", case.public_id)
    today = request.now.astimezone(reader.zone).date()
    return render(
        request,
        "manager/triage_case.html",
        {
            "case": case,
            "pair": pair,
            "ways": ways,
            "sent": request.POST.get("decision", ""),
            "clock_words": triage.clock_words(case),
            "looks": looks,
            "level": pair.read(looks[-1].level) if looks else "",
            "reached": looks[-1].p_reached if looks else None,
            "sessions": [row for row in rows if row.state != "planned"][::-1],
            "held": len(held),
            "upcoming": sessions.upcoming(rows, now=request.now),
            "pages": worksheets.of_pair(pair)[:3],
            "page_count": pair.worksheets.count(),
            "tried": triage.tried_before(pair),
            "escalations": triage.escalations_of(case),
            "asked": case_services.asked_in(case),
            "changes": pair.target_changes.select_related("by"),
            "picture": charts.progress_picture(
                pair,
                looks=looks,
                readings=pairs.readings_of(pair, reader),
                sessions=held,
                today=today,
                expected=peers.without_coaching(pair, weeks=[look.week for look in looks]),
            ),
        },
    )


@require_POST
@for_manager
def clinic_withdraw(request: HttpRequest, clinic: str) -> HttpResponse:
    row = access.found_or_404(cases.clinics_visible_to(request.person), clinic)
    with flashing(request, gettext("Called off, and out of all calendars.")):
        clinics.withdraw(clinic=row, by=request.person, now=request.now)
    return redirect("triage")


@require_POST
@for_manager
def clocks_change(request: HttpRequest, cohort: str) -> HttpResponse:
    row = access.found_or_404(cohorts.visible_to(request.person), cohort)
    form = ClocksForm(request.POST, cohort=row)
    if form.is_valid():
        done = gettext("The clocks are set. Pairs are judged by them from now on.")
        with flashing(request, done):
            progress.set_clocks(cohort=row, by=request.person, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return redirect("cohort", row.public_id)
