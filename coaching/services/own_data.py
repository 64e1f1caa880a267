"""Somebody takes everything with them that is stored about them."""

from datetime import datetime

from coaching.models import Person
from coaching.queries import own_data
from coaching.services import audit


def take(*, person: Person, now: datetime) -> dict:
    """
    Everything that is stored about a person, by kind, as plain values; the audit trail learns
    that it was taken.

    Read into memory as a whole: it is one person's.
    """
    rows = {section.key: list(section.rows(person)) for section in own_data.SECTIONS}
    audit.record(
        "own data taken",
        person,
        by=person,
        now=now,
        team=person.team,
        rows=sum(map(len, rows.values())),
    )
    return {
        "about": own_data.about(person),
        "made_at": now,
        "what_is_what": {section.key: section.words for section in own_data.SECTIONS},
        **rows,
    }
