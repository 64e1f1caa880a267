"""What somebody wants to be told by letter, and when. Inside Lanemate they are always told."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Letter, OptOut, Person
from coaching.models.person import validate_time_zone
from coaching.notifications import outbox
from coaching.queries import preferences
from coaching.services import audit

# Letters that waited no longer than this come after all when their kind is turned on again.
STILL_NEWS = timedelta(days=7)
# Letters that nobody has tried to send.
STILL_HERE = (Letter.State.PENDING, Letter.State.LEASED, Letter.State.CANCELLED)
TURNED_OFF = "Turned off by its reader."


class CannotTurnOff(CoachingError):
    message = said(
        "This kind of letter always comes: it changes what you do, or asks for your decision."
    )


class NoWorkingDay(CoachingError):
    message = said("Choose at least one day; to hear nothing for a while, pause your letters.")


class NoHours(CoachingError):
    message = said("Your day must end after it begins.")


class UnknownZone(CoachingError):
    message = said("That is not a time zone. Write it like Europe/Zurich.")


class UnknownLanguage(CoachingError):
    message = said("Lanemate does not speak that language.")


class PausedInThePast(CoachingError):
    message = said("A pause ends on a day that is still to come.")


@transaction.atomic
def change(
    *,
    person: Person,
    now: datetime,
    off: Collection[str] | None = None,
    working_days: str | None = None,
    day_begins: time | None = None,
    day_ends: time | None = None,
    time_zone: str | None = None,
    reads: str | None = None,
) -> None:
    """
    Change what is given; None leaves a thing as it is.

    `off` are all kinds that shall not come by e-mail; `working_days` ISO
    weekdays, Monday 1: "12345"; `reads` a language of the settings, or "" for the
    browser's. It holds for letters that wait already.

    :raises CannotTurnOff:
    :raises NoWorkingDay:
    :raises NoHours:
    :raises UnknownZone:
    :raises UnknownLanguage:
    """
    given = {
        "working_days": working_days,
        "day_begins": day_begins,
        "day_ends": day_ends,
        "time_zone": time_zone,
        "reads": reads,
    }
    changed = {
        field: value
        for field, value in given.items()
        if value is not None and value != getattr(person, field)
    }
    if working_days is not None and not _is_week(working_days):
        raise NoWorkingDay
    if time_zone is not None:
        _known(time_zone)
    if reads and reads not in dict(settings.LANGUAGES):
        raise UnknownLanguage
    begins = person.day_begins if day_begins is None else day_begins
    ends = person.day_ends if day_ends is None else day_ends
    if begins >= ends:
        raise NoHours
    if "reads" in changed:
        _stay_as_sent(person)
    if changed:
        for field, value in changed.items():
            setattr(person, field, value)
        person.save(update_fields=list(changed))
        audit.record(
            "hours of letters changed", person, by=person, now=now, team=person.team,
            fields=sorted(changed),
        )  # fmt: skip
    if off is not None:
        _turn(person, set(off), now=now)
    if changed or off is not None:
        _bring_forward(person, now=now)


@transaction.atomic
def pause(*, person: Person, until: date | None, now: datetime) -> None:
    """
    No letters before the morning of `until`; None ends the pause.

    :raises PausedInThePast:
    """
    if until is not None and until <= now.astimezone(person.zone).date():
        raise PausedInThePast
    person.letters_paused_until = until
    person.save(update_fields=["letters_paused_until"])
    audit.record(
        "letters paused" if until else "pause of letters ended", person, by=person, now=now,
        team=person.team,
    )  # fmt: skip
    _bring_forward(person, now=now)


@transaction.atomic
def turn_off(*, person: Person, kind: str, now: datetime) -> bool:
    """
    No more letters of a kind, waiting ones included; False when that was so already.

    :raises CannotTurnOff:
    """
    if kind in preferences.MANDATORY or kind not in Letter.Kind.values:
        raise CannotTurnOff
    _, new = OptOut.objects.get_or_create(person=person, kind=kind, defaults={"at": now})
    outbox.withdraw(Letter.objects.filter(recipient=person, kind=kind), why=TURNED_OFF)
    if new:
        audit.record("letters turned off", person, by=person, now=now, team=person.team, kind=kind)
    return new


@transaction.atomic
def turn_on(*, person: Person, kind: str, now: datetime) -> bool:
    """Letters of a kind again, those of this week included; False when they came anyway."""
    gone, _ = OptOut.objects.filter(person=person, kind=kind).delete()
    if not gone:
        return False
    withdrawn = Letter.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        recipient=person,
        kind=kind,
        state=Letter.State.CANCELLED,
        outcome=TURNED_OFF,
        created_at__gt=now - STILL_NEWS,
    )
    withdrawn.update(state=Letter.State.PENDING, outcome="")
    audit.record("letters turned on", person, by=person, now=now, team=person.team, kind=kind)
    return True


def _stay_as_sent(person: Person) -> None:
    """Letters that have left are shown in the language they left in, whatever is read now."""
    left = Letter.objects.filter(recipient=person, language="").exclude(state__in=STILL_HERE)
    left.update(language=person.reading_language)


def _turn(person: Person, off: set[str], *, now: datetime) -> None:
    """:raises CannotTurnOff:"""
    before = set(OptOut.objects.filter(person=person).values_list("kind", flat=True))
    for kind in sorted(off - before):
        turn_off(person=person, kind=kind, now=now)
    for kind in sorted(before - off):
        turn_on(person=person, kind=kind, now=now)


def _bring_forward(person: Person, *, now: datetime) -> None:
    """
    Letters that waited for a pause or for other hours leave as soon as they may now.

    Only those promised before today: a younger one may have a time of its own.
    """
    waiting = Letter.objects.filter(
        recipient=person,
        state=Letter.State.PENDING,
        created_at__lt=now - timedelta(days=1),
        next_attempt_at__gt=now,
        attempts=0,
    )
    # Read anew: what was fetched before may have changed just now.
    reader = preferences.with_rhythm(Person.objects.filter(pk=person.pk)).get()
    for letter in waiting:
        moment = preferences.next_moment(reader, letter.kind, now)
        if moment and moment < letter.next_attempt_at:
            waiting.filter(pk=letter.pk).update(next_attempt_at=moment)


def _is_week(days: str) -> bool:
    return bool(days) and list(days) == sorted(set(days)) and set(days) <= set("1234567")


def _known(time_zone: str) -> None:
    """:raises UnknownZone:"""
    try:
        validate_time_zone(time_zone)
    except ValidationError as wrong:
        raise UnknownZone from wrong
