"""Days away, leaving for good, and those who stand by a pair."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coaching.models import Pair, Person
from coaching.queries import access, helping, pairs, people
from coaching.services import departures
from coaching.services import helping as helping_services
from coaching.web.departure_forms import AwayForm, HelperForm, WillingForm
from coaching.web.doors import flash_form_errors, flashing, for_manager, for_person


def _person(request: HttpRequest, person: str) -> Person:
    return access.found_or_404(people.visible_to(request.person).select_related("team"), person)


@for_person
def person_away(request: HttpRequest, person: str) -> HttpResponse:
    """Somebody's days away, for themselves and for who manages them."""
    row = _person(request, person)
    today = request.now.astimezone(row.zone).date()
    form = AwayForm(request.POST or None, today=today)
    if form.is_valid():
        with flashing(request, _("Noted. Letters wait, and the clocks stand still.")) as attempt:
            departures.away(person=row, by=request.person, now=request.now, **form.cleaned_data)
        if attempt.done:
            return redirect("person-away", person)
    seen = pairs.visible_to(request.person).active()
    return render(
        request,
        "away.html",
        {
            "person": row,
            "own": row.pk == request.person.pk,
            "form": form,
            "leaves": row.leaves.order_by("-first_day", "-pk"),
            "today": today,
            "coaching": seen.filter(coach=row).count(),
            "learning": seen.filter(learner=row).count(),
            "long": departures.LONG.days,
        },
    )


@require_POST
@for_person
def person_back(request: HttpRequest, person: str, leave: int) -> HttpResponse:
    row = _person(request, person)
    known = row.leaves.select_related("person__team").filter(pk=leave).first()
    if known is None:
        raise Http404
    with flashing(request, _("Taken back.")):
        departures.back(leave=known, by=request.person, now=request.now)
    return redirect("person-away", person)


@require_POST
@for_manager
def person_left(request: HttpRequest, person: str) -> HttpResponse:
    row = _person(request, person)
    # Nobody signs themselves off by a slip of the finger.
    if row.pk == request.person.pk:
        raise Http404
    done = _("%(name)s has left. Whoever swam with them is looked after.") % {"name": row.name}
    with flashing(request, done):
        departures.leaves(person=row, by=request.person, now=request.now)
    return redirect("person", person)


# -- helping -----------------------------------------------------------------------------


def _pair(request: HttpRequest, pair: str) -> Pair:
    return access.found_or_404(pairs.visible_to(request.person), pair)


def _managed(request: HttpRequest, pair: str) -> Pair:
    row = _pair(request, pair)
    if not pairs.manages(request.person, row):
        raise Http404
    return row


@require_POST
@for_person
def helper_offer(request: HttpRequest, pair: str) -> HttpResponse:
    row = _pair(request, pair)
    if row.learner_id != request.person.pk:
        raise Http404
    form = WillingForm(request.POST)
    if form.is_valid():
        willing = form.cleaned_data["willing"]
        said = (
            _("Thank you. When somebody could use you, you are asked first.")
            if willing
            else _("That is fine. You can change your mind here at any time.")
        )
        with flashing(request, said):
            helping_services.offer(pair=row, by=request.person, now=request.now, willing=willing)
    else:
        flash_form_errors(request, form)
    return redirect("me") if request.POST.get("from") == "me" else redirect("pair", pair)


@require_POST
@for_manager
def helper_invite(request: HttpRequest, pair: str) -> HttpResponse:
    """From the page of the pair."""
    row = _managed(request, pair)
    _invite(request, row)
    return redirect("pair", pair)


@require_POST
@for_manager
def helper_ask(request: HttpRequest, cohort: str) -> HttpResponse:
    """From the board: the body names the pair, too."""
    row = _managed(request, request.POST.get("pair", ""))
    if row.cohort.public_id != cohort:
        raise Http404
    _invite(request, row)
    return redirect("cohort", cohort)


def _invite(request: HttpRequest, pair: Pair) -> None:
    form = HelperForm(request.POST)
    if not form.is_valid():
        flash_form_errors(request, form)
        return
    wanted = form.cleaned_data["person"]
    seen = helping.graduates_seen_by(request.person, pair)
    person = next((one for one in seen if one.public_id == wanted), None)
    if person is None:
        raise Http404
    done = _("%(name)s is asked to help; both of the pair are told.") % {"name": person.name}
    with flashing(request, done):
        helping_services.invite(pair=pair, person=person, by=request.person, now=request.now)


@require_POST
@for_person
def helper_stop(request: HttpRequest, pair: str, helper: int) -> HttpResponse:
    row = _pair(request, pair)
    known = row.helpers.select_related("person", "pair__learner__team").filter(pk=helper).first()
    mine = known is not None and known.person_id == request.person.pk
    if known is None or not (mine or pairs.manages(request.person, row)):
        raise Http404
    done = _("Thank you for the help.") if mine else _("They do not help here now.")
    with flashing(request, done):
        helping_services.stop(helper=known, by=request.person, now=request.now)
    return redirect("me") if mine else redirect("pair", pair)
