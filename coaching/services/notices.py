from datetime import datetime

from coaching.models import Notice, Person


def mark_read(*, person: Person, until: datetime, now: datetime) -> int:
    """Mark a person's notices up to a moment as read; returns how many were unread."""
    unread = Notice.objects.filter(person=person, read_at=None, at__lte=until)
    return unread.update(read_at=now)
