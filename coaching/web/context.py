"""What every page's frame needs to know."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from coaching.queries import access, clock, health


def reader(request: HttpRequest) -> dict:
    frame = {
        # Lazy: a page that is not asked does not look.
        "simulated": SimpleLazyObject(clock.is_simulated),
        "alarms": SimpleLazyObject(lambda: health.alarms(now=request.now)),
        "now": getattr(request, "now", None),
    }
    person = getattr(request, "person", None)
    if person is not None:
        frame |= {
            "reader": person,
            "is_manager": access.is_manager(person),
            "sees_everything": access.sees_everything(person),
        }
    return frame
