"""
What a manager does to a plan. Each change says what it did and cost; one that was meant for a
plan that is no longer there is told so, with what happened meanwhile, and changes nothing.
"""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from coaching import engine
from coaching.models import Member, Plan, Rule
from coaching.notifications.words import count as counted
from coaching.queries import access, cohorts, people
from coaching.services import plans
from coaching.web import planning, words
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.forms import (
    LeaveOutForm,
    PairForm,
    PlanNameForm,
    SeatsForm,
    TakeInForm,
    WantsForm,
)
from coaching.web.retold import retold
from coaching.web.views.plans import member_of, plan_of, plan_swap, wishes_form


def _change(
    request: HttpRequest, row: Plan, said: str, change: Callable[..., Plan], /, **what
) -> HttpResponse:
    """Do it, say what it cost or brought, and go back to where the form stood."""
    back = redirect(planning.back_to(request, row))
    seen = request.POST.get("seen", "")
    told = planning.changed_since(row, seen)
    if told:
        messages.warning(request, told)
        return back
    matched, total = row.matched, row.total
    with flashing(request) as attempt:
        after = change(
            by=request.person, now=request.now, revision=planning.revision_of(seen), **what
        )
    if attempt.done:
        if after.queued_at:
            engine.wake()
            messages.success(request, gettext("%(done)s It is being solved.") % {"done": said})
        else:
            cost = words.plan_change(after.matched - matched, after.total - total)
            messages.success(request, f"{said} {cost}".strip())
    return back


def _refused(request: HttpRequest, plan: Plan, form) -> HttpResponse:
    flash_form_errors(request, form)
    return redirect(planning.back_to(request, plan))


@require_POST
@for_manager
def plan_solve(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    return _change(
        request, row, gettext("Solved on today's people and seats."), plans.solve, plan=row
    )


@require_POST
@for_manager
def plan_undo(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    what = planning.head_of(row).undo
    said = gettext("Undone: %(what)s.") % {"what": retold(what)}
    return _change(request, row, said, plans.undo, plan=row)


@require_POST
@for_manager
def plan_redo(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    what = planning.head_of(row).redo
    said = gettext("Done again: %(what)s.") % {"what": retold(what)}
    return _change(request, row, said, plans.redo, plan=row)


@require_POST
@for_manager
def rule_add(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    form = PairForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    kind = form.cleaned_data["kind"]
    learner = member_of(row, form.cleaned_data["learner"])
    coach = member_of(row, form.cleaned_data["coach"])
    if kind == "drop":
        rule = row.rules.filter(learner=learner, coach=coach).first()
        return _drop(request, row, rule)
    said = (
        gettext("%(coach)s and %(learner)s are pinned together.")
        if kind == Rule.Kind.PIN
        else gettext("%(coach)s and %(learner)s are kept apart.")
    )
    return _change(
        request,
        row,
        said % {"coach": coach.name, "learner": learner.name},
        plans.add_rule,
        plan=row,
        kind=kind,
        learner=learner,
        coach=coach,
    )


@require_POST
@for_manager
def rule_drop(request: HttpRequest, plan: str, rule: int) -> HttpResponse:
    row = plan_of(request, plan)
    return _drop(request, row, row.rules.filter(pk=rule).first())


def _drop(request: HttpRequest, plan: Plan, rule: Rule | None) -> HttpResponse:
    if rule is None:
        # Somebody else took it back already; that is what was wanted.
        return redirect(planning.back_to(request, plan))
    rule.plan = plan
    said = gettext("%(coach)s and %(learner)s are free again.") % {
        "coach": rule.coach.name,
        "learner": rule.learner.name,
    }
    return _change(request, plan, said, plans.drop_rule, rule=rule)


@require_POST
@for_manager
def seats_change(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    form = SeatsForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    coach = member_of(row, form.cleaned_data["coach"])
    seats = form.cleaned_data["seats"]
    said = gettext("%(name)s now has %(seats)s.") % {
        "name": coach.name,
        "seats": counted(seats, gettext("seat,seats")),
    }
    return _change(request, row, said, plans.set_capacity, plan=row, coach=coach, seats=seats)


@for_manager
def member_out(request: HttpRequest, plan: str) -> HttpResponse:
    """Leave somebody out of this plan: the page that asks why, and the doing."""
    row = plan_of(request, plan)
    form = LeaveOutForm(request.POST or None, auto_id="out_%s")
    if form.is_valid():
        person = member_of(row, form.cleaned_data["person"])
        return _change(
            request,
            row,
            gettext("%(name)s is left out.") % {"name": person.name},
            plans.leave_out,
            plan=row,
            person=person,
            reason=form.cleaned_data["reason"],
        )
    asked = (request.POST or request.GET).get("person", "")
    person = member_of(row, asked)
    if not form.is_bound:
        form = LeaveOutForm(initial={"person": asked}, auto_id="out_%s")
    return render(
        request,
        "manager/plan_leave_out.html",
        {
            "plan": row,
            "cohort": row.cohort,
            "person": person,
            "form": form,
            "as_coach": row.cohort.members.filter(person=person, side=Member.Side.COACH).exists(),
            "learners": row.draft_pairs.filter(coach=person).count(),
            "back": planning.back_to(request, row),
            "seen": planning.seen(row),
        },
    )


@require_POST
@for_manager
def member_in(request: HttpRequest, plan: str) -> HttpResponse:
    """Take somebody back into the plan, or somebody of the ranking into the cohort."""
    row = plan_of(request, plan)
    form = TakeInForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    given = form.cleaned_data
    member = cohorts.members_of(row.cohort).filter(person__public_id=given["person"]).first()
    person = (
        member.person
        if member
        else access.found_or_404(people.visible_to(request.person), given["person"])
    )
    side = given["side"] or (member.side if member else Member.Side.LEARNER)
    said = (
        gettext("%(name)s takes part as a coach.")
        if side == Member.Side.COACH
        else gettext("%(name)s takes part as a learner.")
    ) % {"name": person.name}
    return _change(
        request,
        row,
        said,
        plans.take_in,
        plan=row,
        person=person,
        side=side,
        reason=given["reason"],
    )


@for_manager
def swap(request: HttpRequest, plan: str) -> HttpResponse:
    """Two learners exchange coaches: the page that prices it, and the doing."""
    if request.method != "POST":
        return plan_swap(request, plan)
    row = plan_of(request, plan)
    asked = request.POST.getlist("pair")
    pairs = {one.public_id: one for one in cohorts.draft_pairs_of(row)
             .filter(public_id__in=asked[:2])}  # fmt: skip
    if len(pairs) != 2:
        messages.warning(
            request, gettext("The plan has changed since. Choose the two pairs once more.")
        )
        return redirect(planning.back_to(request, row))
    one, other = (pairs[public_id] for public_id in asked[:2])
    said = gettext("%(one)s and %(other)s have swapped coaches.") % {
        "one": one.learner.name,
        "other": other.learner.name,
    }
    return _change(request, row, said, plans.swap, plan=row, one=one, other=other)


@require_POST
@for_manager
def plan_wish(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    form = wishes_form(row, request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    said = gettext("Solved with your wishes.")
    return _change(request, row, said, plans.wish, plan=row, **form.wishes)


@require_POST
@for_manager
def plan_lot(request: HttpRequest, plan: str) -> HttpResponse:
    """Let a lot draw who waits, or the score decide again."""
    row = plan_of(request, plan)
    lot = planning.lot_number(row) if request.POST.get("lot") else None
    said = (
        gettext("Drawn by lot, number %(lot)s.") % {"lot": lot}
        if lot
        else gettext("The score decides again who waits.")
    )
    return _change(request, row, said, plans.wish, plan=row, lot=lot)


@require_POST
@for_manager
def plan_wants(request: HttpRequest, plan: str) -> HttpResponse:
    """How many coaches a learner gets."""
    row = plan_of(request, plan)
    form = WantsForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    learner = member_of(row, form.cleaned_data["learner"])
    number = form.cleaned_data["coaches"]
    wants = {key: value for key, value in row.wants.items() if key != learner.public_id}
    if number > 1:
        wants[learner.public_id] = number
    said = gettext("%(name)s gets %(coaches)s.") % {
        "name": learner.name,
        "coaches": counted(number, gettext("coach,coaches")),
    }
    return _change(request, row, said, plans.wish, plan=row, wants=wants)


@require_POST
@for_manager
def plan_copy(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    form = PlanNameForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    name = form.cleaned_data["name"]
    said = gettext("This is the copy, “%(name)s”. The plan it came from stays.") % {"name": name}
    with flashing(request, said) as attempt:
        row = plans.copy(plan=row, name=name, by=request.person, now=request.now)
    return redirect("plan", row.public_id if attempt.done else plan)


@require_POST
@for_manager
def plan_rename(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    form = PlanNameForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    with flashing(request):
        plans.rename(plan=row, name=form.cleaned_data["name"], by=request.person, now=request.now)
    return redirect(planning.back_to(request, row))


@require_POST
@for_manager
def plan_drop(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    other = row.cohort.plans.exclude(pk=row.pk).filter(state=Plan.State.DRAFT).first()
    name = row.name or gettext("Plan for %(cohort)s") % {"cohort": row.cohort}
    with flashing(request, gettext("“%(name)s” is deleted.") % {"name": name}) as attempt:
        plans.drop(plan=row, by=request.person, now=request.now)
    if attempt.done and other:
        return redirect("plan", other.public_id)
    return redirect("cohort", row.cohort.public_id) if attempt.done else redirect("plan", plan)
