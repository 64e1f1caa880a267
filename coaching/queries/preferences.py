"""Which letters somebody wants by e-mail, and when the next one may reach them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from coaching.domain import cadence
from coaching.domain.said import Said, said
from coaching.models import Letter, OptOut, Person
from coaching.queries import leaves

Kind = Letter.Kind
# These change what somebody does this week, or ask for their decision: they always come.
MANDATORY = frozenset({Kind.INVITATION, Kind.DECIDED, Kind.CORRECTION, Kind.LEFT, Kind.ESCALATION})
OPTIONAL = tuple(kind for kind in Kind if kind not in MANDATORY)


def with_rhythm(people: QuerySet[Person]) -> QuerySet[Person]:
    """People with what `next_moment` asks of them, in two queries for any number."""
    return people.prefetch_related("leaves", "opt_outs")


def turned_off(person: Person) -> set[str]:
    """Kinds of letters a person does not want by e-mail."""
    return {row.kind for row in person.opt_outs.all()} - MANDATORY


def rhythm_of(person: Person, *, leave: bool = True) -> cadence.Rhythm:
    return cadence.Rhythm(
        zone=person.zone,
        days=frozenset(int(day) - 1 for day in person.working_days),
        begins=person.day_begins,
        ends=person.day_ends,
        paused_until=person.letters_paused_until,
        away=leaves.spans(person) if leave else (),
    )


def next_moment(person: Person, kind: str, now: datetime) -> datetime | None:
    """
    When a letter of this kind may reach a person: `now`, or the first moment after it.

    Never before or after their hours, on a day they do not work, on leave or in a pause. The
    digest may come as soon as their day begins, everything else from their own minute on
    (`cadence.quiet_minute`). None means "not by e-mail": they have turned the kind off, they
    have no address, or no day is left on which it could come.
    """
    if not person.email or kind in turned_off(person):
        return None
    return moment_for(person, kind, now)


def moment_for(person: Person, kind: str, now: datetime) -> datetime | None:
    """The same by the clock alone, for whatever reaches people in another way."""
    return _moment(rhythm_of(person), person, kind, now)


def usual_moment(person: Person, kind: str, now: datetime) -> datetime | None:
    """By the clock alone and without a query: leaves are looked at when it comes to sending."""
    return _moment(rhythm_of(person, leave=False), person, kind, now)


def _moment(rhythm: cadence.Rhythm, person: Person, kind: str, now: datetime) -> datetime | None:
    opens = (
        rhythm.begins
        if kind == Kind.DIGEST
        else cadence.quiet_minute(person.public_id, rhythm.begins, rhythm.ends)
    )
    return cadence.next_moment(rhythm, opens, now)


def next_digest(person: Person, now: datetime) -> datetime:
    """The Monday morning (UTC) whose digest is the next to be promised to a person."""
    return cadence.next_weekly(cadence.DIGEST_DAY, cadence.DIGEST_AT, person.zone, now)


def opt_outs_of(person: Person) -> QuerySet[OptOut]:
    return OptOut.objects.filter(person=person).order_by("kind")


@dataclass(frozen=True, slots=True)
class Outlook:
    """When a person's next letters would come; `why_not` says in words why none would."""

    letter: datetime | None
    digest: datetime | None
    why_not: str = ""


def outlook(person: Person, now: datetime) -> Outlook:
    """What the page of preferences says about the next letters, whatever kinds are turned off."""
    rhythm = rhythm_of(person)
    if not person.email:
        return Outlook(None, None, said("Lanemate has no e-mail address of you."))
    letter = _moment(rhythm, person, Kind.REMINDER, now)
    if letter is None:
        return Outlook(None, None, _why_never(rhythm, person, now))
    digest = None
    if Kind.DIGEST not in turned_off(person):
        digest = _moment(rhythm, person, Kind.DIGEST, next_digest(person, now))
    return Outlook(letter, digest)


def _why_never(rhythm: cadence.Rhythm, person: Person, now: datetime) -> Said:
    if not rhythm.days:
        return said("You have chosen no day on which letters may come.")
    if rhythm.begins >= rhythm.ends:
        return said("Your day ends before it begins.")
    if rhythm.away_on(now.astimezone(person.zone).date()):
        return said("You are away until further notice.")
    return said("Your letters are paused for more than a year.")
