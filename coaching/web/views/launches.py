"""Before a launch, every letter it would send; after it, an hour to take it back."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from coaching.models import Letter, Plan
from coaching.notifications import rendering
from coaching.queries import access, cohorts
from coaching.services import launches
from coaching.web.doors import flashing, for_manager
from coaching.web.paging import page_of
from coaching.web.views.letters import in_its_frame

# Two letters each.
PAIRS = 25


def _draft(request: HttpRequest, plan: str) -> Plan:
    """A plan that can still be launched; of one that was, the letters themselves can be read."""
    row = access.found_or_404(cohorts.plans_visible_to(request.person), plan)
    if row.state != Plan.State.DRAFT:
        raise Http404
    return row


@for_manager
def plan_letters(request: HttpRequest, plan: str) -> HttpResponse:
    row = access.found_or_404(cohorts.plans_visible_to(request.person), plan)
    if row.state != Plan.State.DRAFT:
        return redirect("plan", plan)
    drafts = row.draft_pairs.order_by("learner__name", "pk").select_related("learner", "coach")
    page = page_of(request, drafts, size=PAIRS)
    letters: dict[str, list[Letter]] = {}
    for letter in launches.preview(row, request.now, drafts=[one.public_id for one in page]):
        letters.setdefault(letter.pair.public_id, []).append(letter)
    for draft in page:
        draft.letters = [
            {"letter": letter, "side": side, "subject": rendering.render(letter).subject}
            for side, letter in zip(("learner", "coach"), letters[draft.public_id], strict=True)
        ]
    return render(
        request,
        "manager/plan_letters.html",
        {"plan": row, "cohort": row.cohort, "page": page, "count": 2 * page.paginator.count},
    )


def _letter(request: HttpRequest, plan: Plan, draft: str, side: str) -> Letter:
    if side not in ("learner", "coach"):
        raise Http404
    for letter in launches.preview(plan, request.now, drafts=[draft]):
        if letter.recipient_id == getattr(letter.pair, f"{side}_id"):
            return letter
    raise Http404


@for_manager
def plan_letter(request: HttpRequest, plan: str, draft: str, side: str) -> HttpResponse:
    row = _draft(request, plan)
    letter = _letter(request, row, draft, side)
    return render(
        request,
        "manager/plan_letter.html",
        {
            "plan": row,
            "cohort": row.cohort,
            "letter": letter,
            "draft": draft,
            "side": side,
            "rendered": rendering.render(letter),
        },
    )


@in_its_frame
@xframe_options_sameorigin
@for_manager
def plan_letter_html(request: HttpRequest, plan: str, draft: str, side: str) -> HttpResponse:
    letter = _letter(request, _draft(request, plan), draft, side)
    return HttpResponse(rendering.render(letter).html)


@require_POST
@for_manager
def launch_undo(request: HttpRequest, cohort: str) -> HttpResponse:
    row = access.found_or_404(cohorts.visible_to(request.person), cohort)
    with flashing(
        request,
        gettext(
            "The launch is taken back. What had not left stays here; whoever may have been told "
            "gets one correction."
        ),
    ):
        launches.undo(cohort=row, by=request.person, now=request.now)
    return redirect("cohort", cohort)
