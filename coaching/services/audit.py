from datetime import datetime

from coaching.models import Event, Person, Team
from coaching.models.base import PublicModel


def record(
    verb: str,
    subject: PublicModel,
    *,
    by: Person | None,
    now: datetime,
    team: Team | None = None,
    **details,
) -> None:
    """Write one line of the audit trail, in the caller's transaction."""
    Event.objects.create(
        at=now,
        actor=by,
        verb=verb,
        subject_type=type(subject).__name__.lower(),
        subject_id=subject.public_id,
        team=team,
        details=details,
    )
