"""A look at somebody's page is noted, so that they can read who looked."""

from collections.abc import Iterable
from datetime import UTC, datetime

from coaching.models import Person, Visit


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
