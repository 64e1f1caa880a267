from django.core.paginator import Page, Paginator
from django.http import HttpRequest


def page_of(request: HttpRequest, rows, *, size: int) -> Page:
    """The page that the address asks for; a number that is out of range gives the nearest."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
