"""My data: what is stored about somebody, to read and to take along, and who looked at it."""

import json

from django.core.paginator import Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from coaching.queries import own_data, people
from coaching.services import own_data as services
from coaching.web.doors import for_person

PER_PAGE = 25
MOST_EXPORTS = 10


@require_GET
@for_person
def data_page(request: HttpRequest) -> HttpResponse:
    reader = request.person
    counts = own_data.counts(reader)
    looks = own_data.visits_to(reader).select_related("looker")
    context = {
        "about": own_data.about(reader),
        "sections": [(section, number) for section, number in counts if number],
        "empty": [section for section, number in counts if not number],
        "total": sum(number for _, number in counts),
        "page": Paginator(looks, PER_PAGE).get_page(request.GET.get("page")),
        "exports": own_data.exports_with(reader)[:MOST_EXPORTS],
        "managers": people.chain_above(reader),
    }
    return render(request, "staff/data.html", context)


@require_GET
@for_person
def data_file(request: HttpRequest) -> HttpResponse:
    """Everything in one file that people and machines can read."""
    file = services.take(person=request.person, now=request.now)
    text = json.dumps(file, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="lanemate-my-data.json"'
    answer["Cache-Control"] = "no-store"
    return answer
