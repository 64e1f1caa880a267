"""The pages of a plan: what it proposes, for whom there is nobody, seats, wishes, its steps."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from coaching.errors import CoachingError
from coaching.models import Cohort, DraftPair, Member, Metric, Person, Plan, Rule
from coaching.queries import access, cohorts, people, selection
from coaching.services import launches
from coaching.services.plans import comparison, loads, what_if
from coaching.web import planning, words
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.forms import LaunchForm, PlanNameForm, WishesForm
from coaching.web.offers import NAMED
from coaching.web.paging import page_of

PAIRS, COACHES, WAITING = 50, 40, 40
# So many people are found at a time; a longer name finds fewer.
MOST_FOUND = 12
MOST_SWAPS = 30
# Coaches of one learner shown with their price; the others by another click.
MOST_PRICED = 30


def plan_of(request: HttpRequest, plan: str) -> Plan:
    return access.found_or_404(cohorts.plans_visible_to(request.person), plan)


def member_of(plan: Plan, person: str) -> Person:
    """Somebody of the plan's cohort, by public id."""
    rows = Person.objects.filter(pk__in=plan.cohort.members.values("person"))
    return access.found_or_404(rows.select_related("team"), person)


def _page(request: HttpRequest, plan: Plan, tab: str, template: str, **context) -> HttpResponse:
    """A page of a plan with the head that all of them share."""
    siblings = planning.siblings_of(plan)
    head = planning.head_of(plan)
    return render(
        request,
        template,
        {
            "plan": plan,
            "cohort": plan.cohort,
            "draft": plan.state == Plan.State.DRAFT,
            "head": head,
            "siblings": siblings,
            "called": next(one.called for one in siblings if one.pk == plan.pk),
            "drafts": sum(one.state == Plan.State.DRAFT for one in siblings),
            "name_form": PlanNameForm(auto_id="copy_%s"),
            "rename_form": PlanNameForm(initial={"name": plan.name}, auto_id="rename_%s"),
            "tab": tab,
            "without": plan.unpaired.count(),
            "seen": planning.seen(plan),
            "parts_done": plan.parts.filter(answer__isnull=False).count() if plan.queued_at else 0,
            "parts": plan.parts.count() if plan.queued_at else 0,
            **context,
        },
    )


@for_manager
def plan_page(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    choice = planning.Choice.of(request.GET)
    last = row.steps.filter(number=row.step).first() if choice.show == "moved" else None
    page = page_of(request, planning.chosen(cohorts.draft_pairs_of(row), choice, last), size=PAIRS)
    for draft in page:
        draft.few = draft.feasible_coaches < planning.FEW_COACHES
    return _page(
        request,
        row,
        "pairs",
        "manager/plan.html",
        page=page,
        choice=choice,
        skills=list(
            Metric.objects.filter(pk__in=row.draft_pairs.order_by().values("metric")).order_by(
                "name"
            )
        ),
        orders=[(key, label) for key, (label, _) in planning.ORDERS.items()],
        shows=planning.SHOWS.items(),
        few=row.draft_pairs.filter(feasible_coaches__lt=planning.FEW_COACHES)
        .order_by()
        .values("learner")
        .distinct()
        .count(),
        unpaired=list(row.unpaired.all()),
        letters=sorted(
            set(row.draft_pairs.order_by().values_list("coach__name", flat=True))
            | set(row.draft_pairs.order_by().values_list("learner__name", flat=True))
        ),
        launch_form=LaunchForm(initial={"revision": row.revision}),
    )


@for_manager
def plan_unpaired(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    page = page_of(request, planning.waiting_of(row), size=WAITING)
    scarce = row.unpaired.filter(scarce=True).count()
    return _page(
        request,
        row,
        "unpaired",
        "manager/plan_unpaired.html",
        page=page,
        groups=planning.shortages(list(page), row),
        scarce=scarce,
        why_lot=words.why_lot(scarce) if scarce else "",
    )


@for_manager
def plan_coaches(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    text = request.GET.get("q", "").replace("\0", "").strip()[:80]
    page = page_of(request, planning.coaches_of(row, text), size=COACHES)
    people = [member.person for member in page]
    load = loads.of(people, plan=row)
    theirs: dict[int, list[DraftPair]] = {}
    for draft in cohorts.draft_pairs_of(row).filter(coach__in=people):
        theirs.setdefault(draft.coach_id, []).append(draft)
    for member in page:
        member.load = load[member.person_id]
        member.pairs = theirs.get(member.person_id, [])
        seats = max(member.load.seats, member.load.here + member.load.busy, 1)
        member.busy_share = 100 * member.load.busy / seats
        member.here_share = 100 * member.load.here / seats
    return _page(
        request,
        row,
        "coaches",
        "manager/plan_coaches.html",
        page=page,
        q=text,
        hours=loads.HOURS_A_WEEK,
    )


@for_manager
def plan_people(request: HttpRequest, plan: str) -> HttpResponse:
    """Rules, who is left out, and a search for somebody to take in."""
    row = plan_of(request, plan)
    text = request.GET.get("find", "").replace("\0", "").strip()[:80]
    found = []
    if text and row.state == Plan.State.DRAFT:
        found = list(selection.addable(row.cohort.ranking, row.cohort.members.all(), text))
    inside = cohorts.members_of(row.cohort)
    return _page(
        request,
        row,
        "people",
        "manager/plan_people.html",
        rules=list(row.rules.select_related("learner", "coach", "made_by")),
        left_out=[
            (member, row.left_out.get(member.person.public_id, member.note))
            for member in inside
            if member.left_out or member.person.public_id in row.left_out
        ],
        find=text,
        found=found[:MOST_FOUND],
        more=max(len(found) - MOST_FOUND, 0),
        sides=Member.Side.choices,
    )


@for_manager
def plan_wishes(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    form = wishes_form(row)
    curve = None
    if "curve" in request.GET:
        with flashing(request):
            curve = planning.curve(what_if.floors(row), row.floor)
    scarce = row.unpaired.filter(scarce=True).count()
    wanting = planning.names_of(list(row.wants))
    return _page(
        request,
        row,
        "wishes",
        "manager/plan_wishes.html",
        form=form,
        curve=curve,
        chosen_by=_chosen_by(row.cohort),
        scarce=scarce,
        why_lot=words.why_lot(scarce),
        wanting=[(wanting[one], number) for one, number in row.wants.items() if one in wanting],
    )


def _chosen_by(cohort: Cohort) -> str:
    policy = words.inside(NAMED[cohort.policy][0])
    if cohort.quota:
        return gettext("Policy: %(policy)s, %(number)s from each end.") % {
            "policy": policy,
            "number": cohort.quota,
        }
    return gettext("Policy: %(policy)s, worst and best %(width)s.") % {
        "policy": policy,
        "width": words.quarter(cohort.q),
    }


def wishes_form(plan: Plan, *data) -> WishesForm:
    return WishesForm(
        *data, plan=plan, kinds=planning.kinds(), metrics=planning.weighed(plan), auto_id="wish-%s"
    )


@for_manager
def plan_steps(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    steps = row.steps.select_related("by").defer("wishes").order_by("-number")
    page = page_of(request, steps, size=30)
    return _page(request, row, "steps", "manager/plan_steps.html", page=page)


@for_manager
def plan_learner(request: HttpRequest, plan: str, learner: str) -> HttpResponse:
    """What each other coach would cost the whole cohort, before anything is changed."""
    row = plan_of(request, plan)
    person = member_of(row, learner)
    offers, next_learners, refusal = [], [], ""
    try:
        prices = what_if.prices(row, person)
        offers = planning.offers(prices, row, person)
        next_learners = prices.next_learners
    except CoachingError as refused:
        refusal = refused.message
    possible = [offer for offer in offers if offer.possible]
    return render(
        request,
        "manager/plan_learner.html",
        {
            "plan": row,
            "cohort": row.cohort,
            "draft": row.state == Plan.State.DRAFT,
            "learner": person,
            "refusal": refusal,
            "next_learners": next_learners,
            "possible": possible if "all" in request.GET else possible[:MOST_PRICED],
            "number": len(possible),
            "impossible": [offer for offer in offers if not offer.possible],
            "rules": list(
                row.rules.filter(learner=person, kind=Rule.Kind.FORBID).select_related("coach")
            ),
            "unpaired": row.unpaired.filter(learner=person).first(),
            "wants": row.wants.get(person.public_id, 1),
            "back": planning.back_to(request, row),
            "seen": planning.seen(row),
        },
    )


@for_manager
def plan_swap(request: HttpRequest, plan: str) -> HttpResponse:
    """Two learners exchange coaches: chosen here one after the other, priced, then confirmed."""
    row = plan_of(request, plan)
    asked = request.GET.getlist("pair")[:2]
    found = {
        draft.public_id: draft for draft in cohorts.draft_pairs_of(row).filter(public_id__in=asked)
    }
    both = [found[one] for one in dict.fromkeys(asked) if one in found]
    text = request.GET.get("q", "").replace("\0", "").strip()[:80]
    page = price = None
    if len(both) == 1:
        others = cohorts.draft_pairs_of(row).exclude(learner=both[0].learner)
        others = others.exclude(coach=both[0].coach)
        if text:
            others = others.filter(people.named(text, "learner__name", "coach__name"))
        page = Paginator(others.order_by("learner__name", "pk"), MOST_SWAPS).page(1)
    elif len(both) == 2:
        with flashing(request):
            price = what_if.swap_price(row, *both)
    return render(
        request,
        "manager/plan_swap.html",
        {
            "plan": row,
            "cohort": row.cohort,
            "both": both,
            "page": page,
            "q": text,
            "price": price,
            "costs": price and (price.lost_seats > 0 or price.lost_score > 0),
            "loses": price and words.price(price.lost_seats, price.lost_score, []),
            "back": planning.back_to(request, row),
            "seen": planning.seen(row),
        },
    )


@for_manager
def plan_compare(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    others = [one for one in planning.siblings_of(row) if one.pk != row.pk]
    other = next((one for one in others if one.public_id == request.GET.get("with")), None)
    other = other or (others[-1] if others else None)
    told = comparison.side_by_side(row, other) if other else None
    return _page(
        request,
        row,
        "compare",
        "manager/plan_compare.html",
        other=other,
        others=others,
        told=told,
        page=page_of(request, told.differs, size=PAIRS) if told else None,
    )


@require_POST
@for_manager
def plan_launch(request: HttpRequest, plan: str) -> HttpResponse:
    row = plan_of(request, plan)
    form = LaunchForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("plan", plan)
    with flashing(
        request, gettext("Launched. Both sides of every pair are being told.")
    ) as attempt:
        launches.launch(
            plan=row, by=request.person, now=request.now, revision=form.cleaned_data["revision"]
        )
    return redirect("cohort", row.cohort.public_id) if attempt.done else redirect("plan", plan)
