"""For machines: is everything at work? (Whether the process is alive, the middleware says.)"""

from django.http import HttpRequest, JsonResponse

from coaching.queries import health


def readyz(request: HttpRequest) -> JsonResponse:
    """
    Database, migrations, clocks, the tick and the mail server; 503 with the reasons when
    something is missing. Single letters that went wrong are told, and keep nobody out.
    """
    troubles = health.troubles(now=request.now)
    worries = [] if troubles else health.worries(now=request.now)
    return JsonResponse(
        {
            "status": "ok" if not troubles else "not ready",
            "troubles": troubles,
            "worries": worries,
        },
        status=503 if troubles else 200,
    )
