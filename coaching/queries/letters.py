from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from coaching.models import Bounce, Letter, Notice, Person
from coaching.queries import access

# Stands at the digest of a week that had nothing to tell, which was never sent.
NOTHING_NEW = "Nothing new to tell."


def visible_to(person: Person) -> QuerySet[Letter]:
    """
    Letters to oneself, and letters about pairs and cohorts one manages.

    A digest is its reader's own, whoever manages them.
    """
    managed = access.managed(person, "pair__learner__team__path") & Q(pair__isnull=False)
    cohorts = access.managed(person, "cohort__team__path") & Q(cohort__isnull=False)
    about = (managed | cohorts) & ~Q(kind=Letter.Kind.DIGEST)
    return Letter.objects.filter(Q(recipient=person) | about).select_related("recipient", "pair")


def troubled(person: Person) -> QuerySet[Letter]:
    """
    Letters given up or perhaps sent, for whoever sees everything; for others none.

    To decide about a letter, not to read it: other people's digests are among them.
    """
    if not access.sees_everything(person):
        return Letter.objects.none()
    return (
        Letter.objects.filter(state__in=[Letter.State.DEAD, Letter.State.UNCERTAIN])
        .select_related("recipient", "cohort__team", "pair__learner__team")
        .order_by("-next_attempt_at", "-pk")
    )


def suppressed(person: Person) -> QuerySet[Bounce]:
    """Addresses that get no letters, for whoever sees everything."""
    if not access.sees_everything(person):
        return Bounce.objects.none()
    return Bounce.objects.filter(suppressed_at__isnull=False)


def notices_for(person: Person) -> QuerySet[Notice]:
    return Notice.objects.filter(person=person)


def news_for(person: Person, *, now: datetime) -> QuerySet[Notice]:
    """Notices about events; of weekly notes only this week's, of digests none: pages say it all."""
    stale = Q(dedupe_key__startswith="rem:", at__lt=now - timedelta(days=7))
    return notices_for(person).exclude(stale | Q(dedupe_key__startswith="dig:"))


def newest_digest(person: Person) -> Letter | None:
    digests = Letter.objects.filter(recipient=person, kind=Letter.Kind.DIGEST)
    digests = digests.exclude(outcome=NOTHING_NEW)
    return digests.order_by("-created_at", "-pk").first()
