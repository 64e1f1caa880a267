"""A cohort that is being planned: its people, and choosing them again by another policy."""

from collections import Counter

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coaching.models import Cohort, Member, Plan
from coaching.queries import access, cohorts, people, selection
from coaching.services import cohorts as cohort_services
from coaching.services import drafts as draft_services
from coaching.web import steps, words
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.forms import CohortForm, WhatIfForm
from coaching.web.offers import NAMED
from coaching.web.paging import page_of

# So many people are found at a time; a longer name finds fewer.
MOST_FOUND = 12
MEMBERS = 50
SIDES = {"learner": "worst", "coach": "best"}


def draft_page(request: HttpRequest, cohort: Cohort, plan: Plan | None) -> HttpResponse:
    """Both sides of a draft cohort, one at a time, each with a search."""
    everybody = cohorts.members_of(cohort)
    numbers = Counter(
        cohort.members.filter(left_out=False).order_by().values_list("side", flat=True)
    )
    side = request.GET.get("side", "")
    side = side if side in SIDES else "learner"
    who = _text(request, "who")
    members = everybody.filter(left_out=False, side=side)
    if who:
        members = members.filter(people.named(who, "person__name"))
    text = _text(request, "find")
    found = list(selection.addable(cohort.ranking, cohort.members.all(), text)) if text else []
    return render(
        request,
        "manager/cohort_draft.html",
        {
            "cohort": cohort,
            "plan": plan,
            "learners": numbers["learner"],
            "coaches": numbers["coach"],
            "side": side,
            "part": SIDES[side],
            "who": who,
            "page": page_of(request, members, size=MEMBERS),
            "left_out": list(everybody.filter(left_out=True)),
            "policy": NAMED[cohort.policy][0],
            "width": words.quarter(cohort.q),
            "form": WhatIfForm(
                initial={"policy": cohort.policy, "q": cohort.q, "quota": cohort.quota}
            ),
            "find": text,
            "found": found[:MOST_FOUND],
            "more": max(len(found) - MOST_FOUND, 0),
        },
    )


@for_manager
def cohort_target(request: HttpRequest, cohort: str) -> HttpResponse:
    """Name, test date and target of a draft, to be changed until the launch."""
    rows = cohorts.drafts(cohorts.visible_to(request.person))
    row = access.found_or_404(rows, cohort)
    form = CohortForm(
        request.POST or None,
        today=request.now.date(),
        initial={"name": row.name, "test_date": row.test_date, "target_form": row.target_form},
    )
    if form.is_valid():
        with flashing(request) as attempt:
            changed = draft_services.change(
                cohort=row, by=request.person, now=request.now, **form.cleaned_data
            )
        if attempt.done:
            messages.success(request, _("Saved.") if changed else _("Nothing was different."))
            return redirect("cohort", row.public_id)
    return render(
        request,
        "manager/cohort_target.html",
        {"cohort": row, "form": form, "plan": steps.plan_of(row)},
    )


@require_POST
@for_manager
def cohort_discard(request: HttpRequest, cohort: str) -> HttpResponse:
    row = access.found_or_404(cohorts.visible_to(request.person), cohort)
    told = _("The draft “%(name)s” is discarded. Nothing had been sent.") % {"name": row.name}
    with flashing(request, told) as done:
        draft_services.discard(cohort=row, by=request.person, now=request.now)
    return redirect("cohorts") if done.done else redirect("cohort", cohort)


@require_POST
@for_manager
def cohort_reselect(request: HttpRequest, cohort: str) -> HttpResponse:
    """Choose the people of a draft cohort again; a manager's own changes stay."""
    row = access.found_or_404(cohorts.visible_to(request.person), cohort)
    form = WhatIfForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("cohort", row.public_id)
    before = _numbers(row)
    given = form.cleaned_data
    with flashing(request) as attempt:
        cohort_services.reselect(
            cohort=row,
            policy=given["policy"] or row.policy,
            q=given["q"] or row.q,
            quota=given["quota"] or None,
            by=request.person,
            now=request.now,
        )
    if attempt.done:
        messages.success(request, words.reselected(before, _numbers(row)))
    return redirect("cohort", row.public_id)


def _numbers(cohort: Cohort) -> tuple[int, int]:
    """Learners and coaches who take part."""
    sides = cohort.members.filter(left_out=False).order_by().values_list("side", flat=True)
    numbers = Counter(sides)
    return numbers[Member.Side.LEARNER], numbers[Member.Side.COACH]


def _text(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:80]
