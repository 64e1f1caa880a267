from django.db.models import Prefetch, QuerySet

from coaching.models import Channel, Person, Push


def of(person: Person) -> QuerySet[Channel]:
    """A person's own channels, each with its newest pushes as `newest`; nobody sees another's."""
    newest = Push.objects.select_related("notice").order_by("-created_at", "-pk")[:5]
    return Channel.objects.filter(person=person).prefetch_related(
        Prefetch("pushes", queryset=newest, to_attr="newest")
    )
