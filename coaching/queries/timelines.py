"""Everything that is kept of a pair, as far as a reader may know of it."""

from dataclasses import dataclass, field

from django.db.models import Q

from coaching.models import (
    Case,
    Clinic,
    Event,
    Helper,
    Leave,
    Letter,
    Look,
    Pair,
    Person,
    Session,
    TargetChange,
    Worksheet,
)
from coaching.queries import cases, letters, pairs

# What the two and a helper read of the audit trail; of the rest, only what they did themselves.
STATES = ("pair on track", "pair at risk", "pair stuck", "pair passed")
THANKED = "coach thanked"
OF_SESSIONS = ("session planned", "session moved", "session withdrawn", "session missed")


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows in no particular order; what the reader may not know of is not among them."""

    side: str
    pair: Pair
    events: list[Event]
    sessions: list[Session]
    pages: list[Worksheet]
    looks: list[Look]
    letters: list[Letter]
    helpers: list[Helper]
    clinics: list[Clinic]
    changes: list[TargetChange]
    leaves: list[Leave] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    @property
    def manages(self) -> bool:
        return self.side == "manager"


def kept_of(pair: Pair, reader: Person) -> Kept:
    """
    A fixed number of queries, however much happened.

    A learner, a coach and a helper: the pair's sessions, pages, looks, states, helpers, clinics
    and targets; letters to themselves, and with them the decisions they were told; own days
    away, and what they did themselves. Managers: all letters, cases with their notes, reviews
    of passes, and days away of both.
    """
    side = pairs.side_of(reader, pair)
    events = Event.objects.filter(subject_type="pair", subject_id=pair.public_id)
    mail = letters.visible_to(reader).filter(pair=pair)
    away = Leave.objects.filter(person__in=[pair.learner_id, pair.coach_id])
    seen_cases: list[Case] = []
    if side == "manager":
        seen_cases = list(cases.visible_to(reader).filter(pair=pair))
    else:
        told = [*STATES, *OF_SESSIONS]
        if side != "helper":
            # What was said stands on the page of the two; that it was, managers learn as well.
            told.append(THANKED)
        events = events.filter(Q(verb__in=told) | Q(actor=reader))
        mail = mail.filter(recipient=reader)
        away = away.filter(person=reader)
    over = pair.passed_at or pair.ended_at
    away = away.filter(
        Q(last_day=None) | Q(last_day__gte=pair.started_at.date()),
        *([Q(first_day__lte=over.date())] if over else []),
    )
    return Kept(
        side=side,
        pair=pair,
        events=list(events.select_related("actor")),
        sessions=list(pair.sessions.filter(state=Session.State.HELD).select_related("logged_by")),
        pages=list(pair.worksheets.all()),
        looks=list(pair.looks.all()),
        letters=list(mail),
        helpers=list(pair.helpers.select_related("person", "asked_by")),
        clinics=list(pair.clinics.select_related("led_by", "made_by")),
        changes=list(pair.target_changes.select_related("by")),
        leaves=list(away.select_related("person", "noted_by")),
        cases=seen_cases,
    )
