"""One pair, as each of its people and its managers see it, and what they do there."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coaching.models import Pair, Session, Visit
from coaching.queries import (
    access,
    cases,
    helping,
    letters,
    pairs,
    peers,
    sessions,
    thanks,
    timelines,
)
from coaching.queries import worksheets as worksheet_queries
from coaching.services import cases as case_services
from coaching.services import departures, reviews, visits
from coaching.services import sessions as session_services
from coaching.web import charts, timeline, words
from coaching.web.assignment import assignment_of
from coaching.web.case_forms import ReviewForm
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.paging import page_of
from coaching.web.pair_forms import HelpForm, PlanSessionForm, SessionForm, ThanksForm

WEEKS_ON_A_PAGE = 8
WEEKS_OPEN = 2
MOST_LETTERS = 60


@for_person
def pair_page(request: HttpRequest, pair: str) -> HttpResponse:
    reader = request.person
    visible = pairs.visible_to(reader).prefetch_related(
        "sessions__logged_by", "worksheets", "target_changes__by"
    )
    row = access.found_or_404(pairs.with_progress(visible), pair)
    side = pairs.side_of(reader, row)
    own = side in ("learner", "coach")
    today = request.now.astimezone(reader.zone).date()
    looks = list(row.looks.all())
    assignment = assignment_of(row, reader, now=request.now)
    context = {
        "pair": row,
        "side": side,
        "own": own,
        "manages": side == "manager",
        "partner": row.partner_of(reader) if own else row.learner,
        "assignment": assignment,
        "sessions": assignment.past,
        "looks": looks,
        "level": row.read(looks[-1].level) if looks else "",
        "reached": looks[-1].p_reached if looks else None,
        "picture": charts.progress_picture(
            row,
            looks=looks,
            readings=pairs.readings_of(row, reader),
            sessions=assignment.held,
            today=today,
            expected=peers.without_coaching(row, weeks=[look.week for look in looks]),
        ),
        "thanks": thanks.of_pair(row, reader),
        "why": words.why_pair(row, reader),
        "helpers": helping.helpers_of(row),
        "pages": worksheet_queries.of_pair(row)[:4],
    }
    if side == "learner":
        context["thanks_form"] = ThanksForm()
    if own and row.is_active:
        context |= forms_of(request, assignment) | {"help_form": HelpForm()}
    if side == "manager":
        both = [row.learner, row.coach]
        visits.note(looker=reader, subjects=both, what=Visit.What.PAIR, now=request.now)
        seen = list(cases.visible_to(reader).filter(pair=row))
        context |= {
            "case": next((case for case in seen if case.decided_at is None), None),
            "decided": [case for case in seen if case.decided_at],
            "review_form": ReviewForm() if row.review_since else None,
            "graduates": helping.graduates_seen_by(reader, row) if row.is_active else [],
        }
    mail = letters.visible_to(reader).filter(pair=row)
    if side != "manager":
        # Half of a pair of one's own team: what was written to the other is between the two of us.
        mail = mail.filter(recipient=reader)
    context["letters"] = list(mail[:MOST_LETTERS])
    context["timeline"] = _timeline(request, row)
    return render(request, "pair.html", context)


def _timeline(request: HttpRequest, pair: Pair) -> dict:
    reader = request.person
    moments = timeline.moments_of(timelines.kept_of(pair, reader), reader)
    known = {moment.kind for moment in moments}
    kind = request.GET.get("kind", "")
    kind = kind if kind in timeline.KINDS else ""
    shown = [moment for moment in moments if kind in ("", moment.kind)]
    weeks = page_of(request, timeline.by_week(shown, reader), size=WEEKS_ON_A_PAGE)
    return {
        "weeks": weeks,
        "count": len(shown),
        "kinds": [(key, label) for key, label in timeline.KINDS.items() if key in known],
        "kind": kind,
        # Whoever asked for a kind or an older page wants to read it.
        "open": WEEKS_ON_A_PAGE if kind or weeks.number > 1 else WEEKS_OPEN,
    }


def forms_of(request: HttpRequest, assignment) -> dict:
    """The forms beside a pair's sessions."""
    reader = request.person
    today = request.now.astimezone(reader.zone).date()
    clock = {"zone": reader.zone, "today": today}
    planned = assignment.waiting or assignment.upcoming
    return {
        "session_form": SessionForm(today=today),
        "plan_form": PlanSessionForm(**clock),
        "move_form": PlanSessionForm(**clock, session=planned) if planned else None,
    }


def _own(request: HttpRequest, pair: str) -> Pair:
    """The pair, for one of its two people; for everybody else it is not there."""
    row = access.found_or_404(pairs.visible_to(request.person), pair)
    if request.person.pk not in (row.learner_id, row.coach_id):
        raise Http404
    return row


def _back(request: HttpRequest, pair: Pair) -> HttpResponse:
    if request.POST.get("from") == "me":
        return redirect("me")
    return redirect(f"{reverse('pair', args=[pair.public_id])}#sessions")


@require_POST
@for_person
def session_log(request: HttpRequest, pair: str) -> HttpResponse:
    row = access.found_or_404(pairs.visible_to(request.person), pair)
    form = SessionForm(request.POST, today=request.now.astimezone(request.person.zone).date())
    if form.is_valid():
        with flashing(request, _("Noted. Thank you.")):
            session_services.log(pair=row, by=request.person, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return _back(request, row)


@require_POST
@for_person
def session_plan(request: HttpRequest, pair: str) -> HttpResponse:
    row = _own(request, pair)
    form = _plan_form(request)
    if form.is_valid():
        with flashing(request, _("Planned. Both of you get it for your calendars.")):
            session_services.plan(pair=row, by=request.person, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return _back(request, row)


def _plan_form(request: HttpRequest) -> PlanSessionForm:
    zone = request.person.zone
    return PlanSessionForm(request.POST, zone=zone, today=request.now.astimezone(zone).date())


def _session(request: HttpRequest, session: str) -> Session:
    rows = sessions.visible_to(request.person).select_related(
        "pair__learner__team", "pair__coach", "pair__cohort", "pair__metric", "logged_by"
    )
    row = rows.filter(uid=session).first()
    if row is None or request.person.pk not in (row.pair.learner_id, row.pair.coach_id):
        raise Http404
    return row


@require_POST
@for_person
def session_move(request: HttpRequest, session: str) -> HttpResponse:
    row = _session(request, session)
    form = _plan_form(request)
    if form.is_valid():
        with flashing(request, _("Moved. Both calendars follow.")):
            session_services.move(
                session=row, by=request.person, now=request.now, **form.cleaned_data
            )
    else:
        flash_form_errors(request, form)
    return _back(request, row.pair)


@require_POST
@for_person
def session_answer(request: HttpRequest, session: str) -> HttpResponse:
    """It took place, it did not, or it is called off."""
    row = _session(request, session)
    by_and_now = {"by": request.person, "now": request.now}
    answer = request.POST.get("answer")
    if answer == "held":
        with flashing(request, _("Noted. Thank you.")):
            session_services.hold(
                session=row, note=request.POST.get("note", "").strip() or None, **by_and_now
            )
    elif answer == "missed":
        with flashing(request, _("Noted. Plan the next one when it suits you both.")):
            session_services.miss(session=row, **by_and_now)
    elif answer == "withdrawn":
        with flashing(request, _("Withdrawn, and out of both calendars.")):
            session_services.withdraw(session=row, why="", **by_and_now)
    else:
        raise Http404
    return _back(request, row.pair)


@require_POST
@for_person
def help_ask(request: HttpRequest, pair: str) -> HttpResponse:
    row = _own(request, pair)
    form = HelpForm(request.POST)
    if form.is_valid():
        with flashing(request) as attempt:
            asked = case_services.ask_for_help(
                pair=row, by=request.person, now=request.now, **form.cleaned_data
            )
        if attempt.done:
            done = _("%(name)s has been asked. Nobody else is told.")
            messages.success(request, done % {"name": asked.name})
    else:
        flash_form_errors(request, form)
    return redirect("pair", row.public_id)


@for_person
def pair_end(request: HttpRequest, pair: str) -> HttpResponse:
    """One of the two ends the pair: a page with one button, and no question why."""
    row = _own(request, pair)
    if request.method == "POST":
        with flashing(request, _("Ended. Nobody asks why.")):
            departures.end_pair(pair=row, by=request.person, now=request.now)
        return redirect("me")
    if not row.is_active:
        return redirect("pair", row.public_id)
    context = {
        "pair": row,
        "partner": row.partner_of(request.person),
        "side": pairs.side_of(request.person, row),
    }
    return render(request, "staff/end.html", context)


@require_POST
@for_person
def pass_review(request: HttpRequest, pair: str) -> HttpResponse:
    """A manager keeps a pass whose readings were corrected, or reopens the work."""
    row = access.found_or_404(cases.passes_to_review(request.person), pair)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("pair", row.public_id)
    said = {"pair": row, "note": form.cleaned_data["note"], "by": request.person}
    if form.cleaned_data["answer"] == "reopen":
        with flashing(request, _("Reopened. Both of them are told, with your reason.")) as attempt:
            again = reviews.reopen(now=request.now, **said)
        if attempt.done:
            return redirect("pair", again.public_id)
    else:
        with flashing(request, _("The pass stands, on the readings of today.")):
            reviews.confirm(now=request.now, **said)
    return redirect("pair", row.public_id)
