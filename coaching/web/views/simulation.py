from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coaching.queries import clock
from coaching.services import simulation
from coaching.web.doors import flashing, for_manager


@require_POST
@for_manager
def simulate_week(request: HttpRequest) -> HttpResponse:
    """Let a week pass in a simulated contact centre; a real one has no such page."""
    if not clock.is_simulated():
        raise Http404
    with flashing(request, _("A week has passed: new readings, sessions and letters.")):
        simulation.pass_weeks(weeks=1)
    return redirect("home")
