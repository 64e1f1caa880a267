"""The one-page answer to “why this pair?”: the same words for manager, coach and learner."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coaching.queries import access, pairs
from coaching.web import words
from coaching.web.doors import for_person


@for_person
def why_page(request: HttpRequest, pair: str) -> HttpResponse:
    reader = request.person
    visible = pairs.visible_to(reader).prefetch_related("target_changes__by")
    row = access.found_or_404(visible, pair)
    side = pairs.side_of(reader, row)
    context = {
        "pair": row,
        "side": side,
        "own": side in ("learner", "coach"),
        "partner": row.partner_of(reader) if side in ("learner", "coach") else row.learner,
        "why": words.why_pair(row, reader),
        "weeks": max(round((row.test_date - row.started_at.date()).days / 7), 1),
    }
    return render(request, "staff/why.html", context)
