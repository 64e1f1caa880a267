"""What a coach sees of their coaching, and thanks between the two of a pair."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coaching.queries import access, helping, pairs, thanks
from coaching.queries import coaching as coaching_queries
from coaching.services import thanks as thanks_services
from coaching.web import words
from coaching.web.assignment import assignment_of, by_need
from coaching.web.charts import own_numbers
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.pair_forms import ThanksForm

MOST_THANKS = 50


@for_person
def coaching_page(request: HttpRequest) -> HttpResponse:
    """All one's learners, the next sessions, one's own numbers, and thanks."""
    reader, now = request.person, request.now
    mine = [assignment_of(pair, reader, now=now) for pair in pairs.mine(reader)]
    coaching = [one for one in mine if one.side == "coach"]
    active = by_need([one for one in coaching if one.pair.is_active])
    upcoming = [one for one in active if one.upcoming]
    own = coaching_queries.own_numbers([reader], now=now) if active else []
    context = {
        "overview": active,
        "seats": max(reader.capacity, len(active)),
        "coach_line": words.coach_line([one.presses for one in active]),
        "upcoming": sorted(upcoming, key=lambda one: (one.upcoming.starts_at, one.pair.pk)),
        "earlier": [one for one in coaching if not one.pair.is_active][::-1],
        "passed": sum(one.pair.state == "passed" for one in coaching),
        "helping": helping.helped_by(reader),
        "own": [own_numbers(row) for row in own],
        "thanks": thanks.received_by(reader)[:MOST_THANKS],
    }
    return render(request, "staff/coaching.html", context)


@require_POST
@for_person
def thanks_say(request: HttpRequest, pair: str) -> HttpResponse:
    row = access.found_or_404(pairs.visible_to(request.person), pair)
    form = ThanksForm(request.POST)
    if form.is_valid():
        done = _("%(name)s reads it now.") % {"name": row.coach.first_name}
        with flashing(request, done):
            thanks_services.say(pair=row, by=request.person, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return redirect(f"{reverse('pair', args=[row.public_id])}#thanks")
