"""The audit trail: who reads which line, and what its lines are about."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model, Q, QuerySet

from coaching.models import Event, Pair, Person
from coaching.queries import (
    access,
    cases,
    channels,
    cohorts,
    imports,
    letters,
    pairs,
    people,
    rankings,
    teams,
)

# What somebody settles for themselves is no matter of their manager's.
OWN_AFFAIRS = (
    "hours of letters changed", "letters paused", "pause of letters ended", "letters turned off",
    "letters turned on", "channel added", "channel removed", "channel switched on",
    "own data taken", "calendar link made", "calendar link ended",
)  # fmt: skip


def visible_to(person: Person) -> QuerySet[Event]:
    """
    The lines about the teams one manages; all of them for HR.

    Not what others settle for themselves (but for HR), and nothing that others did about a
    pair one is half of: there one is learner or coach, and reads what they read.
    """
    mine = Pair.objects.filter(Q(learner=person) | Q(coach=person)).values("public_id")
    seen = Event.objects.filter(access.managed(person, "team__path")).filter(
        ~Q(subject_type="pair", subject_id__in=mine) | Q(actor=person)
    )
    if not access.sees_everything(person):
        seen = seen.filter(~Q(verb__in=OWN_AFFAIRS) | Q(actor=person))
    return seen.select_related("actor", "team")


def about(lines: QuerySet[Event], reader: Person, name: str) -> QuerySet[Event]:
    """Lines by or about people of this name, as far as the reader knows them."""
    named = people.visible_to(reader).filter(people.named(name, "name")).values("public_id")
    swims = people.named(name, "learner__name", "coach__name")
    theirs = pairs.visible_to(reader).filter(swims).order_by().values("public_id")
    return lines.filter(
        people.named(name, "actor__name")
        | Q(subject_type="person", subject_id__in=named)
        | Q(subject_type="pair", subject_id__in=theirs)
    )


def before(lines: QuerySet[Event], at: datetime, pk: int) -> QuerySet[Event]:
    """What comes after this line, newest first: pages that stay put while lines are added."""
    return lines.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))


def subjects_of(lines: Iterable[Event], reader: Person) -> dict[tuple[str, str], Model]:
    """
    What the lines are about, by kind and public id, as far as the reader may see it; one query
    for each kind that occurs.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        wanted[line.subject_type].add(line.subject_id)
        for key in ("person", "helper"):
            if isinstance(named := line.details.get(key), str):
                wanted["person"].add(named)
        if isinstance(pair := line.details.get("pair"), str):
            wanted["pair"].add(pair)
    doors = {
        "person": people.visible_to,
        "pair": pairs.visible_to,
        "cohort": cohorts.visible_to,
        "plan": cohorts.plans_visible_to,
        "ranking": rankings.visible_to,
        "scorecard": rankings.scorecards_visible_to,
        "import": imports.visible_to,
        "letter": letters.visible_to,
        "clinic": cases.clinics_visible_to,
        "channel": channels.of,
        "team": teams.visible_to,
    }
    return {
        (kind, row.public_id): row
        for kind in sorted(wanted.keys() & doors.keys())
        for row in doors[kind](reader).filter(public_id__in=wanted[kind]).order_by()
    }
