"""Who waits for a coach, whom the product proposes, and what a manager decides."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coaching.models import Cohort, Person, Waiting
from coaching.queries import access, cohorts
from coaching.queries import waiting as waiting_queries
from coaching.services import waiting
from coaching.web.departure_forms import AcceptForm, DropForm
from coaching.web.doors import flash_form_errors, flashing, for_manager

SETTLED = 20


@for_manager
def waiting_page(request: HttpRequest, cohort: str) -> HttpResponse:
    row = access.found_or_404(cohorts.with_counts(cohorts.visible_to(request.person)), cohort)
    if row.state == Cohort.State.DRAFT:
        return redirect("cohort", cohort)
    line = list(waiting_queries.open_in(row))
    offers = waiting.offers_in(row, now=request.now) if line else {}
    for place in line:
        found = offers.get(place.pk, [])
        proposed = (place.proposal or {}).get("coach")
        place.offer = next((one for one in found if one.coach.public_id == proposed), None)
        place.others = [one for one in found if one is not place.offer]
        place.drop_form = DropForm(prefix=f"w{place.pk}")
    settled = (
        row.waiting.exclude(settled_at=None)
        .select_related("learner", "metric")
        .order_by("-settled_at", "-pk")
    )
    return render(
        request,
        "manager/waiting.html",
        {"cohort": row, "line": line, "settled": settled[:SETTLED]},
    )


def _place(request: HttpRequest, cohort: str, number: int) -> Waiting:
    rows = waiting_queries.visible_to(request.person).filter(cohort__public_id=cohort)
    row = rows.filter(pk=number).first()
    if row is None:
        raise Http404
    return row


@require_POST
@for_manager
def waiting_accept(request: HttpRequest, cohort: str, number: int) -> HttpResponse:
    place = _place(request, cohort, number)
    form = AcceptForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("waiting", cohort)
    coach = None
    if form.cleaned_data["coach"]:
        members = Person.objects.filter(pk__in=place.cohort.members.values("person"))
        coach = access.found_or_404(members, form.cleaned_data["coach"])
    told = _("%(name)s has a coach. Both are being told.") % {"name": place.learner.name}
    with flashing(request, told):
        waiting.accept(waiting=place, coach=coach, by=request.person, now=request.now)
    return redirect("waiting", cohort)


@require_POST
@for_manager
def waiting_drop(request: HttpRequest, cohort: str, number: int) -> HttpResponse:
    place = _place(request, cohort, number)
    form = DropForm(request.POST, prefix=f"w{number}")
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("waiting", cohort)
    told = _("%(name)s does not wait any more.") % {"name": place.learner.name}
    with flashing(request, told):
        waiting.drop(waiting=place, by=request.person, now=request.now, **form.cleaned_data)
    return redirect("waiting", cohort)
