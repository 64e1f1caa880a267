"""Meetings of a pair: planned, moved or withdrawn in both calendars; then held, or not."""

from datetime import date, datetime, timedelta

from django.db import transaction

from coaching.domain.said import Said, said
from coaching.errors import CoachingError
from coaching.models import Letter, Pair, Person, Session
from coaching.notifications import messages, outbox
from coaching.services import audit

FURTHEST = timedelta(weeks=26)
SHORTEST, LONGEST = 5, 480
# An answer may be noted from the beginning of the session on: some are over early.
# Sessions of one pair begin at least so far apart.
APART = timedelta(minutes=15)


class NotSwimming(CoachingError):
    message = said("This pair is not active any more; there is nothing to plan or to log.")


class NotYet(CoachingError):
    message = said(
        "A session can be logged once it has taken place, and not before the pair began."
    )


class NotAhead(CoachingError):
    message = said("Choose a time that is still to come, within half a year.")


class TooLong(CoachingError):
    message = said(
        "A session lasts from %(shortest)s minutes to %(longest)s hours.",
        shortest=SHORTEST,
        longest=LONGEST // 60,
    )


class AlreadyPlanned(CoachingError):
    message = said("The two of you have a session at that time already. Move that one instead.")


class NotPlanned(CoachingError):
    message = said(
        "This session is not planned any more; look at the pair's page for how it stands."
    )


class NoteTooLong(CoachingError):
    message = said("Keep the note under 500 characters; the worksheet has room for more.")


@transaction.atomic
def plan(
    *,
    pair: Pair,
    starts_at: datetime,
    by: Person,
    now: datetime,
    minutes: int = 45,
    place: str = "",
) -> Session:
    """
    Agree on a session; both get it for their calendars.

    :raises NotSwimming, NotAhead, TooLong, AlreadyPlanned:
    """
    _hold(pair, now=now)
    _check(pair, starts_at, minutes, now=now)
    session = Session.objects.create(
        pair=pair,
        state=Session.State.PLANNED,
        starts_at=starts_at,
        minutes=minutes,
        place=place.strip()[:200],
        logged_by=by,
        logged_at=now,
    )
    _tell(session, "planned", by=by, now=now)
    _record("session planned", session, by=by, now=now)
    return session


@transaction.atomic
def move(
    *,
    session: Session,
    starts_at: datetime,
    by: Person,
    now: datetime,
    minutes: int | None = None,
    place: str | None = None,
) -> Session:
    """
    Another time for a planned session, or for one that was missed; calendars follow.

    The same time again changes nothing and tells nobody.

    :raises NotSwimming, NotPlanned, NotAhead, TooLong, AlreadyPlanned:
    """
    _hold(session.pair, now=now)
    session.refresh_from_db()
    if session.state not in (Session.State.PLANNED, Session.State.MISSED):
        raise NotPlanned
    minutes = session.minutes if minutes is None else minutes
    place = session.place if place is None else place.strip()[:200]
    same = (starts_at, minutes, place) == (session.starts_at, session.minutes, session.place)
    if same and session.state == Session.State.PLANNED:
        return session
    _check(session.pair, starts_at, minutes, now=now, but=session)
    session.state = Session.State.PLANNED
    session.starts_at, session.minutes, session.place = starts_at, minutes, place
    session.sequence += 1
    session.save(update_fields=["state", "starts_at", "minutes", "place", "sequence"])
    _tell(session, "moved", by=by, now=now)
    _record("session moved", session, by=by, now=now)
    return session


@transaction.atomic
def withdraw(*, session: Session, by: Person | None, why: str, now: datetime) -> None:
    """
    Take a planned session out of both calendars; one that is withdrawn already stays so.

    :raises NotPlanned: when it was held or missed
    """
    Pair.objects.select_for_update().get(pk=session.pair_id)
    session.refresh_from_db()
    if session.state == Session.State.WITHDRAWN:
        return
    if session.state != Session.State.PLANNED:
        raise NotPlanned
    _withdraw(session, by=by, why=why, now=now)


def withdraw_all(pair: Pair, why: str, now: datetime) -> int:
    """
    Take everything planned out of both calendars, because the pair has ended; in the caller's
    transaction. Returns how many sessions that were.
    """
    planned = list(pair.sessions.filter(state=Session.State.PLANNED))
    for session in planned:
        session.pair = pair
        _withdraw(session, by=None, why=why, now=now)
    return len(planned)


def _withdraw(session: Session, *, by: Person | None, why: str, now: datetime) -> None:
    session.state = Session.State.WITHDRAWN
    session.sequence += 1
    session.note = why.strip()[:500]
    session.save(update_fields=["state", "sequence", "note"])
    # What is over is in nobody's way any more.
    if session.starts_at > now:
        _tell(
            session, "withdrawn", by=by, now=now, why=why if isinstance(why, Said) else session.note
        )
    _record("session withdrawn", session, by=by, now=now, why=session.note)


@transaction.atomic
def hold(*, session: Session, by: Person, now: datetime, note: str | None = None) -> Session:
    """
    Say that a planned session took place. Saying it twice, or by both, is saying it once.

    :raises NotSwimming, NotYet, NotPlanned: when it was withdrawn
    :raises NoteTooLong:
    """
    _hold(session.pair, now=now)
    session.refresh_from_db()
    if session.state == Session.State.WITHDRAWN:
        raise NotPlanned
    if session.starts_at and session.starts_at > now:
        raise NotYet
    if note is not None and len(note) > 500:
        raise NoteTooLong
    if session.state == Session.State.HELD:
        if note:
            session.note = note
            session.save(update_fields=["note"])
        return session
    day = session.starts_at.astimezone(session.pair.learner.zone).date()
    # Logged by hand in the meantime: then it is the same meeting.
    twin = Session.objects.filter(pair=session.pair_id, held_on=day).first()
    if twin is not None:
        session.note = session.note or twin.note
        twin.delete()
    session.state, session.held_on = Session.State.HELD, day
    session.note = note if note else session.note
    session.logged_by, session.logged_at = by, now
    session.save(update_fields=["state", "held_on", "note", "logged_by", "logged_at"])
    _record("session logged", session, by=by, now=now)
    return session


@transaction.atomic
def miss(*, session: Session, by: Person, now: datetime, note: str = "") -> Session:
    """
    Say that a planned session could not take place; nobody has to say why.

    :raises NotSwimming, NotYet: before it was to begin; then it is withdrawn instead
    :raises NotPlanned: when it was held or withdrawn
    """
    _hold(session.pair, now=now)
    session.refresh_from_db()
    if session.state == Session.State.MISSED:
        return session
    if session.state != Session.State.PLANNED:
        raise NotPlanned
    if session.starts_at > now:
        raise NotYet
    session.state = Session.State.MISSED
    session.note = note.strip()[:500] or session.note
    session.logged_by, session.logged_at = by, now
    session.save(update_fields=["state", "note", "logged_by", "logged_at"])
    _record("session missed", session, by=by, now=now)
    return session


@transaction.atomic
def log(*, pair: Pair, held_on: date, note: str, by: Person, now: datetime) -> Session:
    """
    Record a meeting that took place; a second record for the same day only changes its note.

    One that was planned for that day is the same meeting.

    :raises NotSwimming, NotYet:
    """
    if not pair.is_active:
        raise NotSwimming
    began_on = pair.started_at.astimezone(by.zone).date()
    if held_on > now.astimezone(by.zone).date() or held_on < began_on:
        raise NotYet
    _hold(pair, now=now)
    session = Session.objects.filter(pair=pair, held_on=held_on).first()
    if session is None:
        zone = pair.learner.zone
        session = next(
            (
                row
                for row in pair.sessions.filter(
                    state__in=[Session.State.PLANNED, Session.State.MISSED], starts_at__lte=now
                )
                if row.starts_at.astimezone(zone).date() == held_on
            ),
            Session(pair=pair),
        )
    session.state, session.held_on, session.note = Session.State.HELD, held_on, note
    session.logged_by, session.logged_at = by, now
    session.save()
    _record("session logged", session, by=by, now=now)
    return session


def _hold(pair: Pair, *, now: datetime) -> None:
    """
    Have the pair to ourselves until the end of the transaction, and looked at after it.

    :raises NotSwimming: when it is not active any more
    """
    if Pair.objects.active().filter(pk=pair.pk).update(next_check_at=now) != 1:
        raise NotSwimming


def _check(
    pair: Pair, starts_at: datetime, minutes: int, *, now: datetime, but: Session | None = None
) -> None:
    """:raises NotAhead, TooLong, AlreadyPlanned:"""
    if not now < starts_at <= now + FURTHEST:
        raise NotAhead
    if not SHORTEST <= minutes <= LONGEST:
        raise TooLong
    near = pair.sessions.filter(
        state=Session.State.PLANNED,
        starts_at__gt=starts_at - APART,
        starts_at__lt=starts_at + APART,
    )
    if near.exclude(pk=but.pk if but else None).exists():
        raise AlreadyPlanned


def _tell(session: Session, what: str, *, by: Person | None, now: datetime, why: str = "") -> None:
    """A letter to both with the calendar file; what was still waiting to be sent is outdated."""
    earlier = Letter.objects.filter(
        pair=session.pair_id,
        kind=Letter.Kind.SESSION,
        dedupe_key__startswith=f"ses:{session.uid}:",
    )
    outbox.withdraw(earlier, why="The session was changed.")
    pair = session.pair
    outbox.promise(
        [
            messages.session(session, reader, what=what, by=by, why=why, now=now)
            for reader in (pair.learner, pair.coach)
        ],
        now=now,
    )


def _record(
    verb: str, session: Session, *, by: Person | None, now: datetime, **details: str
) -> None:
    if session.held_on:
        details["held_on"] = str(session.held_on)
    elif session.starts_at:
        details["starts_at"] = session.starts_at.isoformat()
    pair = session.pair
    audit.record(verb, pair, by=by, now=now, team=pair.learner.team, **details)
