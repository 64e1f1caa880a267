from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from coaching.models import Cohort, Plan, Scorecard
from coaching.notifications.words import tell
from coaching.queries import access, cohorts, helping, pairs, people, rankings, selection, waiting
from coaching.services import cohorts as cohort_services
from coaching.services import launches, members, plans
from coaching.web import board, words
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.forms import AdditionForm, CohortForm, Plain, RemovalForm
from coaching.web.offers import NAMED, promise
from coaching.web.paging import page_of
from coaching.web.views.drafts import draft_page
from coaching.web.views.selection import asked_of, usual_of

MOST_DRAFTS = 30
ON_BOARD = 60


@for_manager
def cohort_list(request: HttpRequest) -> HttpResponse:
    seen = cohorts.visible_to(request.person)
    rows = cohorts.with_counts(seen.exclude(state=Cohort.State.DRAFT))
    rows = rows.order_by("-launched_at", "-pk")
    drafts = cohorts.drafts(seen)
    return render(
        request,
        "manager/cohorts.html",
        {
            "page": page_of(request, rows, size=30),
            "drafts": list(drafts[:MOST_DRAFTS]),
            "more_drafts": max(drafts.count() - MOST_DRAFTS, 0),
            "ranking": rankings.visible_to(request.person)
            .filter(subject=Scorecard.Subject.PEOPLE)
            .order_by("-created_at")
            .first(),
        },
    )


@for_manager
def cohort_new(request: HttpRequest, ranking: str) -> HttpResponse:
    row = access.found_or_404(rankings.visible_to(request.person), ranking)
    if row.subject != Scorecard.Subject.PEOPLE:
        messages.error(request, tell(cohort_services.OnlyPeople.message))
        return redirect("ranking", row.public_id)
    how, asked = asked_of(request, usual_of(row))
    flash_form_errors(request, how)
    form = CohortForm(request.POST or None, today=request.now.date())
    if form.is_valid() and how.is_valid():
        with flashing(request) as attempt:
            cohort = cohort_services.create(
                ranking=row,
                by=request.person,
                now=request.now,
                policy=asked.policy,
                q=asked.q,
                quota=asked.quota,
                **form.cleaned_data,
            )
        if attempt.done:
            return redirect("cohort", cohort.public_id)
    field = selection.field_of(row).at(asked.q)
    chosen = field.choose(asked.policy, quota=asked.quota)
    ranked = set(field.person[chosen.learner].tolist())
    worst, best = words.ends(asked.q)
    return render(
        request,
        "manager/cohort_new.html",
        {
            "ranking": row,
            "form": form,
            "address": asked.address(),
            "policy": NAMED[asked.policy][0],
            "learners": promise(chosen.learners, chosen.learners_right, "learner", worst),
            "coaches": promise(chosen.coaches, chosen.coaches_right, "coach", best),
            "swimming": len(ranked & selection.swimming_in(row)),
            "hands": len({hand.person_id for hand in selection.hands_in(row)} - ranked),
        },
    )


@for_manager
def cohort_page(request: HttpRequest, cohort: str) -> HttpResponse:
    row = access.found_or_404(cohorts.with_counts(cohorts.visible_to(request.person)), cohort)
    plan = cohorts.plans_visible_to(request.person).filter(cohort=row).first()
    if row.state == Cohort.State.DRAFT:
        return draft_page(request, row, plan)
    return _board(request, row, plan)


@require_POST
@for_manager
def member_add(request: HttpRequest, cohort: str) -> HttpResponse:
    return _change_member(
        request, cohort, AdditionForm, members.add, gettext_noop("%(name)s: added to the cohort.")
    )


@require_POST
@for_manager
def member_leave_out(request: HttpRequest, cohort: str) -> HttpResponse:
    return _change_member(
        request, cohort, RemovalForm, members.leave_out, gettext_noop("%(name)s: left out.")
    )


@require_POST
@for_manager
def member_take_back(request: HttpRequest, cohort: str) -> HttpResponse:
    return _change_member(
        request, cohort, RemovalForm, members.take_back, gettext_noop("%(name)s: taken back in.")
    )


def _change_member(
    request: HttpRequest, cohort: str, form_class: type[Plain], change: Callable, done: str
) -> HttpResponse:
    """`done` is said with the name of whom it was done to."""
    row = access.found_or_404(cohorts.visible_to(request.person), cohort)
    form = form_class(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("cohort", row.public_id)
    given = form.cleaned_data
    person = access.found_or_404(people.visible_to(request.person), given.pop("person"))
    with flashing(request, _(done) % {"name": person.name}):
        change(cohort=row, person=person, by=request.person, now=request.now, **given)
    return redirect("cohort", row.public_id)


def _board(request: HttpRequest, cohort: Cohort, plan: Plan | None) -> HttpResponse:
    reader = request.person
    choice = board.Choice.of(request.GET)
    seen = cohorts.last_ones(pairs.visible_to(reader).filter(cohort=cohort))
    found = board.narrowed(seen, choice)
    rows = found.filter(state=choice.state) if choice.state else found
    page = page_of(request, cohorts.with_open_case(board.ordered(rows, choice)), size=ON_BOARD)
    line = list(waiting.open_in(cohort))
    until = launches.undo_until(cohort)
    left = max(int((until - request.now).total_seconds()), 0) if until else 0
    return render(
        request,
        "manager/board.html",
        {
            "cohort": cohort,
            "plan": plan,
            "lanes": board.lanes(list(page)) if not choice.sort else [],
            "page": page,
            "choice": choice,
            "tabs": board.tabs(found),
            "orders": [(key, label) for key, (label, _) in board.ORDERS.items()],
            **board.options(seen),
            "line": line,
            "proposed": sum(place.proposal is not None for place in line),
            "graduates": helping.graduates_in(reader, cohort),
            "undo_left": left,
            "undo_minutes": -(-left // 60),
        },
    )


@require_POST
@for_manager
def plan_new(request: HttpRequest, cohort: str) -> HttpResponse:
    row = access.found_or_404(cohorts.visible_to(request.person), cohort)
    with flashing(request) as attempt:
        plan = plans.draft(cohort=row, by=request.person, now=request.now)
    if attempt.done:
        return redirect("plan", plan.public_id)
    return redirect("cohort", row.public_id)
