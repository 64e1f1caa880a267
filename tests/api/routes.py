"""Every route of the API, as the URL configuration has it."""

from collections.abc import Iterator
from types import SimpleNamespace

from django.urls import URLPattern, URLResolver, reverse

from coaching.api import urls


def names(patterns: list = urls.urlpatterns) -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from names(entry.url_patterns)
        elif isinstance(entry, URLPattern):
            yield entry.name


def writes(patterns: list = urls.urlpatterns) -> Iterator[tuple[str, str]]:
    """Name and method of each route that changes something."""
    yield from answering(("post", "put", "patch", "delete"), patterns)


def reads() -> Iterator[str]:
    """Name of each route that can be looked at."""
    return (name for name, _ in answering(("get",)))


def answering(
    methods: tuple[str, ...], patterns: list = urls.urlpatterns
) -> Iterator[tuple[str, str]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from answering(methods, entry.url_patterns)
            continue
        view = entry.callback
        known = getattr(view, "actions", None) or getattr(view, "view_class", None)
        for method in methods:
            if method in known if isinstance(known, dict) else hasattr(known, method):
                yield entry.name, method


def url_of(name: str, world: SimpleNamespace) -> str:
    """The address of a route for the thing of its kind in this world."""
    things = {
        "team": world.team,
        "person": world.person,
        "import": world.source,
        "scorecard": world.scorecard,
        "ranking": world.ranking,
        "standing": world.ranking,
        "cohort": world.cohort,
        "plan": world.plan,
        "pair": world.pair,
        "case": world.case,
        "session": world.session,
        "letter": world.letter,
        "channel": world.channel,
    }
    kind = next((kind for kind in things if name.startswith(kind)), "")
    if kind == "session":
        return reverse(f"api:{name}", kwargs={"id": world.session.uid})
    if name == "metric-detail":
        return reverse("api:metric-detail", kwargs={"key": world.metric.key})
    if name == "hand-raise-detail":
        return reverse("api:hand-raise-detail", kwargs={"metric": world.metric.key})
    if name == "plan-rule":
        people = {"learner": world.learner.public_id, "coach": world.coach.public_id}
        return reverse("api:plan-rule", kwargs={"id": world.plan.public_id, **people})
    if name in ("plan-prices", "plan-compare"):
        other = (
            {"learner": world.learner.public_id}
            if name == "plan-prices"
            else {"other": world.plan.public_id}
        )
        return reverse(f"api:{name}", kwargs={"id": world.plan.public_id, **other})
    if name in ("cohort-accept", "cohort-drop"):
        numbers = {"id": world.cohort.public_id, "number": world.place.pk}
        return reverse(f"api:{name}", kwargs=numbers)
    if name == "pair-side-helper":
        who = {"id": world.pair.public_id, "person": world.helper.public_id}
        return reverse(f"api:{name}", kwargs=who)
    if name == "person-days-leave":
        return reverse(f"api:{name}", kwargs={"id": world.person.public_id, "number": 1})
    if name == "notice-read" or (name.endswith("-list") and kind != "standing") or not kind:
        return reverse(f"api:{name}")
    return reverse(f"api:{name}", kwargs={"id": things[kind].public_id})
