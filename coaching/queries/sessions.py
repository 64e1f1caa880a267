from datetime import UTC, datetime, time, timedelta

from django.db.models import Q, QuerySet

from coaching.models import Clinic, Pair, Person, Session
from coaching.queries import pairs

# So far back a calendar feed reaches.
KEPT = timedelta(weeks=13)


def visible_to(person: Person) -> QuerySet[Session]:
    """The sessions of the pairs one sees."""
    return Session.objects.filter(pair__in=pairs.visible_to(person).order_by().values("pk"))


def of_pair(pair: Pair) -> list[Session]:
    """All of a pair's sessions but those withdrawn, oldest first."""
    rows = pair.sessions.exclude(state=Session.State.WITHDRAWN).select_related("logged_by")
    return sorted(rows, key=lambda row: (when(row), row.pk))


def when(session: Session) -> datetime:
    """The hour it is planned for; of one that was only logged, the noon of its day."""
    return session.starts_at or datetime.combine(session.held_on, time(12), UTC)


def held(sessions: list[Session]) -> list[Session]:
    return [session for session in sessions if session.state == Session.State.HELD]


def upcoming(sessions: list[Session], *, now: datetime) -> Session | None:
    """The planned session that comes next."""
    return next((row for row in _planned(sessions) if row.starts_at > now), None)


def unanswered(sessions: list[Session], *, now: datetime) -> Session | None:
    """The newest planned session that is over and of which nobody has said how it went."""
    over = [row for row in _planned(sessions) if row.starts_at <= now]
    return over[-1] if over else None


def _planned(sessions: list[Session]) -> list[Session]:
    planned = [row for row in sessions if row.state == Session.State.PLANNED]
    return sorted(planned, key=lambda row: row.starts_at)


def in_calendar(person: Person, *, now: datetime) -> list[Session]:
    """Somebody's sessions with an hour, planned and held, of the last weeks and to come."""
    mine = Q(pair__learner=person) | Q(pair__coach=person)
    rows = Session.objects.filter(
        mine,
        starts_at__gte=now - KEPT,
        state__in=[Session.State.PLANNED, Session.State.HELD],
    )
    return list(rows.select_related("pair", "logged_by").order_by("starts_at", "pk"))


def clinics_in_calendar(person: Person, *, now: datetime) -> list[Clinic]:
    """The clinics somebody leads, and those for pairs of theirs."""
    invited = Clinic.objects.filter(Q(pairs__learner=person) | Q(pairs__coach=person))
    rows = Clinic.objects.filter(
        Q(led_by=person) | Q(pk__in=invited.values("pk")),
        starts_at__gte=now - KEPT,
        withdrawn_at=None,
    )
    return list(rows.select_related("led_by").order_by("starts_at", "pk"))
