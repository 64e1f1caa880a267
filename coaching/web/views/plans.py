from collections import Counter

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from coaching.models import Member, Person, Plan, Rule
from coaching.queries import access, cohorts, people
from coaching.services import cohorts as cohort_services
from coaching.services import plans
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.forms import LaunchForm, MemberForm, PairForm, SeatsForm
from coaching.web.paging import page_of

FEW_COACHES = 3


@for_manager
def plan_page(request: HttpRequest, plan: str) -> HttpResponse:
    row = _plan(request, plan)
    members = list(cohorts.members_of(row.cohort))
    taking = [member for member in members if not member.left_out]
    coaches = [member.person for member in taking if member.side == Member.Side.COACH]
    page = page_of(request, cohorts.draft_pairs_of(row), size=100)
    for draft in page:
        draft.few = draft.feasible_coaches < FEW_COACHES
    load = Counter(row.draft_pairs.order_by().values_list("coach", flat=True))
    taken = cohorts.seats_taken(coaches)
    for coach in coaches:
        coach.load = load[coach.pk]
        # After the launch the plan's own pairs hold the seats that it shows.
        coach.taken = taken.get(coach.pk, 0) if row.state == Plan.State.DRAFT else 0
        coach.seats = row.capacities.get(coach.public_id, coach.capacity)
        coach.free = max(coach.seats - coach.taken, 0)
        coach.load_share = 100 * coach.load / coach.free if coach.free else 0
    learners = [member for member in taking if member.side == Member.Side.LEARNER]
    return render(
        request,
        "manager/plan.html",
        {
            "plan": row,
            "cohort": row.cohort,
            "draft": row.state == Plan.State.DRAFT,
            "page": page,
            "learners": learners,
            "coaches": sorted(coaches, key=lambda coach: (-coach.load, coach.name)),
            "idle": sum(1 for coach in coaches if not coach.load),
            "seats": sum(coach.free for coach in coaches),
            "unpaired": list(cohorts.unpaired_of(row)),
            "rules": list(row.rules.select_related("learner", "coach", "made_by")),
            "left_out": [member for member in members if member.left_out],
            "few": sum(
                1
                for count in row.draft_pairs.values_list("feasible_coaches", flat=True)
                if count < FEW_COACHES
            ),
            "letters": sorted(
                set(row.draft_pairs.values_list("coach__name", flat=True))
                | set(row.draft_pairs.values_list("learner__name", flat=True))
            ),
            "launch_form": LaunchForm(initial={"revision": row.revision}),
        },
    )


def _plan(request: HttpRequest, plan: str) -> Plan:
    return access.found_or_404(cohorts.plans_visible_to(request.person), plan)


def _member(request: HttpRequest, plan: Plan, person: str) -> Person:
    """Somebody of the plan's cohort, by public id."""
    rows = Person.objects.filter(pk__in=plan.cohort.members.values("person"))
    return access.found_or_404(rows, person)


@require_POST
@for_manager
def plan_solve(request: HttpRequest, plan: str) -> HttpResponse:
    row = _plan(request, plan)
    with flashing(request, "Solved again on today's people and seats."):
        plans.solve(plan=row, by=request.person, now=request.now)
    return redirect("plan", plan)


@require_POST
@for_manager
def rule_add(request: HttpRequest, plan: str) -> HttpResponse:
    row = _plan(request, plan)
    form = PairForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("plan", plan)
    learner = _member(request, row, form.cleaned_data["learner"])
    coach = _member(request, row, form.cleaned_data["coach"])
    kind = form.cleaned_data["kind"]
    verb = "pinned together" if kind == Rule.Kind.PIN else "kept apart"
    before = (row.matched, row.total)
    with flashing(request) as attempt:
        solved = plans.add_rule(
            plan=row, kind=kind, learner=learner, coach=coach, by=request.person, now=request.now
        )
    if attempt.done:
        _tell_change(request, f"{coach.name} and {learner.name} are {verb}.", before, solved)
    return redirect("plan", plan)


@require_POST
@for_manager
def rule_drop(request: HttpRequest, plan: str, rule: int) -> HttpResponse:
    row = _plan(request, plan)
    gone = (
        row.rules.filter(pk=rule).select_related("plan__cohort__team", "learner", "coach").first()
    )
    if gone:
        before = (row.matched, row.total)
        with flashing(request) as attempt:
            solved = plans.drop_rule(rule=gone, by=request.person, now=request.now)
        if attempt.done:
            _tell_change(request, "The rule is gone.", before, solved)
    return redirect("plan", plan)


@require_POST
@for_manager
def seats_change(request: HttpRequest, plan: str) -> HttpResponse:
    row = _plan(request, plan)
    form = SeatsForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("plan", plan)
    coach = _member(request, row, form.cleaned_data["coach"])
    before = (row.matched, row.total)
    with flashing(request) as attempt:
        solved = plans.set_capacity(
            plan=row,
            coach=coach,
            seats=form.cleaned_data["seats"],
            by=request.person,
            now=request.now,
        )
    if attempt.done:
        _tell_change(
            request, f"{coach.name} now has seats for {form.cleaned_data['seats']}.", before, solved
        )
    return redirect("plan", plan)


@require_POST
@for_manager
def member_change(request: HttpRequest, plan: str, change: str) -> HttpResponse:
    """Leave somebody out of the plan, or take them back in on their side."""
    row = _plan(request, plan)
    form = MemberForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("plan", plan)
    note = form.cleaned_data["note"]
    member = (
        cohorts.members_of(row.cohort).filter(person__public_id=form.cleaned_data["person"]).first()
    )
    person = (
        member.person
        if member
        else access.found_or_404(people.visible_to(request.person), form.cleaned_data["person"])
    )
    before = (row.matched, row.total)
    with flashing(request) as attempt:
        if change == "out":
            solved = plans.leave_out(
                plan=row, person=person, note=note, by=request.person, now=request.now
            )
            said = f"{person.name} is left out."
        else:
            side = request.POST.get("side") or (member.side if member else "")
            solved = plans.take_in(
                plan=row, person=person, side=side, note=note, by=request.person, now=request.now
            )
            said = f"{person.name} takes part."
    if attempt.done:
        _tell_change(request, said, before, solved)
    return redirect("plan", plan)


def _tell_change(request: HttpRequest, said: str, before: tuple[int, int], plan: Plan) -> None:
    """What a change of the plan cost or brought, in its own points."""
    matched, total = plan.matched - before[0], plan.total - before[1]
    if matched:
        word = "more" if matched > 0 else "fewer"
        said += f" {abs(matched)} {word} matched."
    if total:
        said += f" The total score {'rises' if total > 0 else 'falls'} by {abs(total):,}."
    if not matched and not total:
        said += " The plan is as good as before."
    messages.success(request, said)


@require_POST
@for_manager
def plan_launch(request: HttpRequest, plan: str) -> HttpResponse:
    row = _plan(request, plan)
    form = LaunchForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("plan", plan)
    with flashing(request, "Launched. Both sides of every pair are being told.") as attempt:
        cohort_services.launch(
            plan=row, by=request.person, now=request.now, revision=form.cleaned_data["revision"]
        )
    return redirect("cohort", row.cohort.public_id) if attempt.done else redirect("plan", plan)
