from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coaching.queries import access, drivers, rankings
from coaching.web import drivers as driver_table
from coaching.web import words
from coaching.web.doors import for_manager


@for_manager
def drivers_page(request: HttpRequest, ranking: str) -> HttpResponse:
    """What separates the top of a ranking from its bottom."""
    row = access.found_or_404(rankings.visible_to(request.person), ranking)
    comparison = drivers.of_ranking(row, outcome=request.GET.get("by", ""))
    singular, plural = words.nouns(row.subject)
    return render(
        request,
        "manager/drivers.html",
        {
            "ranking": row,
            "comparison": comparison,
            "table": driver_table.table(comparison, row),
            "singular": singular,
            "plural": plural,
        },
    )
