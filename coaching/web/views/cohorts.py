from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from coaching.models import Cohort, Member, Pair, Plan
from coaching.queries import access, cohorts, pairs, rankings
from coaching.services import cohorts as cohort_services
from coaching.services import plans
from coaching.web.doors import flashing, for_manager
from coaching.web.forms import CohortForm
from coaching.web.paging import page_of


@for_manager
def cohort_list(request: HttpRequest) -> HttpResponse:
    rows = cohorts.with_counts(cohorts.visible_to(request.person)).order_by("-created_at", "-pk")
    return render(
        request,
        "manager/cohorts.html",
        {
            "page": page_of(request, rows, size=30),
            "ranking": rankings.visible_to(request.person).order_by("-created_at").first(),
        },
    )


@for_manager
def cohort_new(request: HttpRequest, ranking: str) -> HttpResponse:
    row = access.found_or_404(rankings.visible_to(request.person), ranking)
    form = CohortForm(request.POST or None, today=request.now.date())
    if form.is_valid():
        with flashing(request) as attempt:
            cohort = cohort_services.create(
                ranking=row, by=request.person, now=request.now, **form.cleaned_data
            )
        if attempt.done:
            return redirect("cohort", cohort.public_id)
    return render(request, "manager/cohort_new.html", {"ranking": row, "form": form})


@for_manager
def cohort_page(request: HttpRequest, cohort: str) -> HttpResponse:
    row = access.found_or_404(cohorts.with_counts(cohorts.visible_to(request.person)), cohort)
    plan = cohorts.plans_visible_to(request.person).filter(cohort=row).first()
    if row.state == Cohort.State.DRAFT:
        return _draft(request, row, plan)
    return _board(request, row, plan)


def _draft(request: HttpRequest, cohort: Cohort, plan: Plan | None) -> HttpResponse:
    members = list(cohorts.members_of(cohort))
    return render(
        request,
        "manager/cohort_draft.html",
        {
            "cohort": cohort,
            "plan": plan,
            "learners": [m for m in members if m.side == Member.Side.LEARNER],
            "coaches": [m for m in members if m.side == Member.Side.COACH],
        },
    )


def _board(request: HttpRequest, cohort: Cohort, plan: Plan | None) -> HttpResponse:
    rows = cohorts.with_open_case(
        pairs.on_board(pairs.visible_to(request.person).filter(cohort=cohort))
    )
    page = page_of(request, rows, size=120)
    lanes = [
        (Pair.State(state), list(group)) for state, group in groupby(page, key=lambda p: p.state)
    ]
    return render(
        request,
        "manager/board.html",
        {"cohort": cohort, "plan": plan, "lanes": lanes, "page": page},
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
