"""A look at somebody's page is noted, so that they can read who looked."""

from collections.abc import Iterable
from datetime import UTC, datetime

from coaching.models import Person, Visit
from coaching.services import audit


def note(*, looker: Person, subjects: Iterable[Person], what: Visit.What, now: datetime) -> None:
    """
    Note that somebody opened a page about these people: once a day for each kind of page.

    One's own page is no look. One statement, whatever the number of people.
    """
    Visit.objects.bulk_create(
        [
            Visit(subject=subject, looker=looker, what=what, day=now.astimezone(UTC).date(), at=now)
            for subject in subjects
            if subject.pk != looker.pk
        ],
        ignore_conflicts=True,
    )


def own_data_taken(*, person: Person, rows: int, now: datetime) -> None:
    """Note that somebody took their own data with them."""
    audit.record("own data taken", person, by=person, now=now, team=person.team, rows=rows)
