"""For machines: is everything at work? (Whether the process is alive, the middleware says.)"""

from django.http import HttpRequest, JsonResponse

from coaching.queries import health


def readyz(request: HttpRequest) -> JsonResponse:
    """Database, migrations and the tick; 503 with the reasons when something is missing."""
    troubles = health.troubles(now=request.now)
    return JsonResponse(
        {"status": "ok" if not troubles else "not ready", "troubles": troubles},
        status=503 if troubles else 200,
    )
