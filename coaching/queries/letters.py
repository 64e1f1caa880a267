from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from coaching.models import Letter, Notice, Person
from coaching.queries import access


def visible_to(person: Person) -> QuerySet[Letter]:
    """
    Letters to oneself, and letters about pairs and cohorts one manages.

    A digest is its reader's own, whoever manages them.
    """
    managed = access.managed(person, "pair__learner__team__path") & Q(pair__isnull=False)
    cohorts = access.managed(person, "cohort__team__path") & Q(cohort__isnull=False)
    about = (managed | cohorts) & ~Q(kind=Letter.Kind.DIGEST)
    return Letter.objects.filter(Q(recipient=person) | about).select_related("recipient", "pair")


def notices_for(person: Person) -> QuerySet[Notice]:
    return Notice.objects.filter(person=person)


def news_for(person: Person, *, now: datetime) -> QuerySet[Notice]:
    """Notices about events; of weekly notes only this week's, of digests none: pages say it all."""
    stale = Q(dedupe_key__startswith="rem:", at__lt=now - timedelta(days=7))
    return notices_for(person).exclude(stale | Q(dedupe_key__startswith="dig:"))


def newest_digest(person: Person) -> Letter | None:
    digests = Letter.objects.filter(recipient=person, kind=Letter.Kind.DIGEST)
    return digests.order_by("-created_at", "-pk").first()
