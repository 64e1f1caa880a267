"""Asked just before a letter leaves: is it still wanted, and is this a good moment?"""

from datetime import datetime
from typing import NamedTuple

from coaching.models import Cohort, Helper, Letter, Pair, Waiting
from coaching.models.base import in_english
from coaching.queries import access, preferences

Kind = Letter.Kind
# Letters that make sense while the pair swims only; and those for whoever manages it.
OF_ACTIVE_PAIRS = (Kind.REMINDER, Kind.INVITATION, Kind.ESCALATION, Kind.HELPER)
FOR_MANAGERS = (Kind.ESCALATION,)
FOR_THE_PAIR = (Kind.REMINDER, Kind.INVITATION)


class Verdict(NamedTuple):
    """Send it (no reason why not), cancel it (a reason), or wait (a moment)."""

    why_not: str = ""
    until: datetime | None = None


def judge(letter: Letter, *, now: datetime) -> Verdict:
    """Look at a letter that was read just now (`claims.readable`)."""
    if reason := _not_wanted(letter, now=now):
        return Verdict(reason)
    reader = letter.recipient
    moment = preferences.next_moment(reader, letter.kind, now)
    if moment is None:
        return Verdict(f"{reader.name} does not want these by e-mail; told inside Lanemate only.")
    if moment <= now:
        return Verdict()
    if letter.expires_at and letter.expires_at <= moment:
        return Verdict("Too late to be of use by the time it may reach its reader.")
    return Verdict(until=moment)


def _not_wanted(letter: Letter, *, now: datetime) -> str:
    reader = letter.recipient
    if letter.expires_at and letter.expires_at <= now:
        return "Too late to be of use."
    if not reader.active:
        return f"{reader.name} has left."
    if not reader.email:
        return f"{reader.name} has no e-mail address; told inside Lanemate only."
    if letter.address_refused:
        return "The address was refused twice; nothing is sent to it until somebody frees it."
    if letter.kind == Kind.PROPOSAL:
        return _not_wanted_of_who_waits(letter)
    return _not_wanted_of_the_pair(letter) if letter.pair else ""


def _not_wanted_of_who_waits(letter: Letter) -> str:
    reader = letter.recipient
    managed = access.managed(reader, "team__path")
    if not Cohort.objects.filter(managed, pk=letter.cohort_id).exists():
        return f"{reader.name} does not look after this cohort any more."
    waiting = Waiting.objects.filter(
        pk__in=letter.context.get("waiting", []), settled_at=None, proposal__isnull=False
    )
    return "" if waiting.exists() else "There is nothing to decide any more."


def _not_wanted_of_the_pair(letter: Letter) -> str:
    pair, reader = letter.pair, letter.recipient
    if letter.kind in OF_ACTIVE_PAIRS and not pair.is_active:
        return f"The pair has {in_english(Pair.State(pair.state).label).lower()}."
    if (
        letter.kind == Kind.HELPER
        and not Helper.objects.filter(pair=pair, person=reader, until__isnull=True).exists()
    ):
        return f"{reader.name} does not help here any more."
    # Asking for help does not wait for a pair to be stuck.
    asks = letter.dedupe_key.startswith("hlp:")
    if letter.kind == Kind.ESCALATION and pair.state != Pair.State.STUCK and not asks:
        return "There is nothing to decide any more."
    if letter.kind in FOR_MANAGERS:
        managed = access.managed(reader, "learner__team__path")
        if not Pair.objects.filter(managed, pk=pair.pk).exists():
            return f"{reader.name} does not look after this pair any more."
    if letter.kind in FOR_THE_PAIR and reader.pk not in (pair.learner_id, pair.coach_id):
        helps = Helper.objects.filter(pair=pair, person=reader, until__isnull=True)
        if not helps.exists():
            return f"{reader.name} does not belong to this pair any more."
    if letter.newer_note:
        return "A newer weekly note says it."
    return ""
