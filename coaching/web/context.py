"""What every page's frame needs to know."""

from django.http import HttpRequest

from coaching.queries import access, clock


def reader(request: HttpRequest) -> dict:
    person = getattr(request, "person", None)
    if person is None:
        return {}
    return {
        "reader": person,
        "is_manager": access.is_manager(person),
        "sees_everything": access.sees_everything(person),
        "simulated": clock.is_simulated(),
        "now": request.now,
    }
