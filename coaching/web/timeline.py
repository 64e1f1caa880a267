"""What happened to a pair, newest first, in sentences; `queries.timelines` says who reads what."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby

from django.urls import reverse
from django.utils.dateparse import parse_datetime

from coaching.domain import cadence
from coaching.models import Case, Letter, Pair, Person
from coaching.queries import sessions
from coaching.queries.timelines import STATES, THANKED, Kept
from coaching.web import words

KINDS = {
    "way": "The way",
    "sessions": "Sessions",
    "pages": "Pages",
    "looks": "Looks",
    "letters": "Letters",
    "decisions": "Decisions",
    "people": "People",
}
ICONS = {
    "way": "flag",
    "sessions": "calendar",
    "pages": "info",
    "looks": "ranking",
    "letters": "letter",
    "decisions": "balance",
    "people": "person",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `tone` is a state's, where it changes the pair's."""

    at: datetime
    kind: str
    text: str
    by: str = ""
    note: str = ""
    link: str = ""
    tone: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.kind]


@dataclass(frozen=True, slots=True)
class Week:
    """A week in the reader's zone, and what happened in it, newest first."""

    monday: date
    moments: list[Moment]


def moments_of(kept: Kept, reader: Person) -> list[Moment]:
    """Newest first."""
    made = [
        moment
        for tell in (_way, _sessions, _pages, _looks, _letters, _decisions, _people, _rest)
        for moment in tell(kept, reader)
    ]
    return sorted(made, key=lambda moment: moment.at, reverse=True)


def by_week(moments: list[Moment], reader: Person) -> list[Week]:
    def monday(moment: Moment) -> date:
        return cadence.week_of(moment.at.astimezone(reader.zone).date())

    return [Week(week, list(group)) for week, group in groupby(moments, key=monday)]


def _day(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B}"


def _hour(moment: datetime, reader: Person) -> str:
    local = moment.astimezone(reader.zone)
    return f"{_day(local.date())} at {local:%H:%M}"


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _name(person: Person | None) -> str:
    return person.name if person else ""


def _way(kept: Kept, reader: Person) -> Iterator[Moment]:
    """From the launch to the end: states, targets, corrections."""
    pair = kept.pair
    begun = next((row for row in kept.events if row.verb == BEGUN), None)
    how = "Launched"
    if pair.follows_id:
        how = "Goes on from an earlier pair"
    elif begun:
        how = "Begun, after waiting for a coach"
    yield Moment(
        pair.started_at,
        "way",
        f"{how}: {pair.metric} from {pair.baseline_text} to {_first_target(kept)}, "
        f"by {pair.test_date.day} {pair.test_date:%B %Y}",
        by=_name(begun.actor) if begun else "",
    )
    for row in kept.events:
        why = row.details.get("why", "")
        if row.verb in STATES:
            state = Pair.State(row.verb.removeprefix("pair ").replace(" ", "_"))
            yield Moment(row.at, "way", f"{state.label}: {why}" if why else state.label,
                         tone=state.value)  # fmt: skip
        elif row.verb in REVIEWS and kept.manages:
            note = row.details.get("note", "")
            yield Moment(row.at, "way", f"{REVIEWS[row.verb]}{f': {why}' if why else ''}",
                         by=_name(row.actor), note=note)  # fmt: skip
    if pair.ended_at:
        yield Moment(
            pair.ended_at,
            "way",
            f"The pair ended: {pair.get_ending_display().lower()}"
            if kept.manages
            else "The pair ended",
            by=_name(pair.ended_by) if kept.manages else "",
            tone=Pair.State.ENDED,
        )
    elif pair.passed_at and not any(row.verb == "pair passed" for row in kept.events):
        yield Moment(pair.passed_at, "way", "Passed: the target is reached", tone=pair.state)
    for change in kept.changes:
        yield Moment(
            change.at,
            "way",
            f"The target moved from {pair.read(change.old)} to {pair.read(change.new)}",
            by=_name(change.by),
            note=change.reason,
        )


BEGUN = "pair begun for somebody who waited"
REVIEWS = {
    "pass to review": "Readings that the pass rests on were corrected",
    "pass confirmed": "The pass stands after all",
    "pass reopened": "The pass was opened again; the two go on in a new pair",
    "pair reopened": "Goes on after a pass that was corrected",
}


def _first_target(kept: Kept) -> str:
    first = min(kept.changes, key=lambda change: (change.at, change.pk), default=None)
    return kept.pair.read(first.old) if first else kept.pair.target_text


def _sessions(kept: Kept, reader: Person) -> Iterator[Moment]:
    for row in kept.sessions:
        yield Moment(
            sessions.when(row),
            "sessions",
            f"Met on {_day(row.held_on)}",
            by=_name(row.logged_by),
            note=row.note,
        )
    for row in kept.events:
        if row.verb not in PLANNING:
            continue
        starts = parse_datetime(row.details.get("starts_at", ""))
        when = f" {_hour(starts, reader)}" if starts else ""
        why = row.details.get("why", "")
        yield Moment(
            row.at,
            "sessions",
            f"{PLANNING[row.verb]}{when}{f': {why}' if why else ''}",
            by=_name(row.actor),
        )
    for clinic in kept.clinics:
        led = f"led by {clinic.led_by.name}, {_hour(clinic.starts_at, reader)}"
        yield Moment(clinic.made_at, "sessions", f"Invited to a clinic, {led}",
                     by=_name(clinic.made_by), note=clinic.note)  # fmt: skip
        if clinic.withdrawn_at:
            yield Moment(clinic.withdrawn_at, "sessions", f"The clinic was called off: {led}")


PLANNING = {
    "session planned": "Planned a session for",
    "session moved": "Moved a session to",
    "session withdrawn": "Called off the session of",
    "session missed": "Could not meet on",
}


def _pages(kept: Kept, reader: Person) -> Iterator[Moment]:
    pair = kept.pair
    for page in kept.pages:
        link = f"{reverse('worksheet', args=[pair.public_id])}?week={page.week:%Y-%m-%d}"
        week = f"the page for the week of {page.week.day} {page.week:%B}"
        if page.learner_at:
            yield Moment(page.learner_at, "pages", f"Wrote {week}", by=pair.learner.name, link=link)
        if page.coach_at:
            yield Moment(page.coach_at, "pages", f"Answered {week}", by=pair.coach.name, link=link)


def _looks(kept: Kept, reader: Person) -> Iterator[Moment]:
    for look in kept.looks:
        yield Moment(
            look.taken_at,
            "looks",
            f"Look {look.number}: at {kept.pair.read(look.level)}; the chance of being at the "
            f"target is {words.chance(look.p_reached)}",
            note=f"From {words.amount(look.n)} cases, up to the week of {look.week.day} "
            f"{look.week:%B}.",
        )


def _letters(kept: Kept, reader: Person) -> Iterator[Moment]:
    for letter in kept.letters:
        # The decision itself is told below, to whom it was written.
        if letter.kind == Letter.Kind.DECIDED and not kept.manages:
            continue
        to = "you" if letter.recipient_id == reader.pk else letter.recipient.name
        yield Moment(
            letter.sent_at or letter.created_at,
            "letters",
            f"{letter.get_kind_display()} to {to}{BECAME.get(letter.state, '')}",
            link=reverse("letter", args=[letter.public_id]),
        )


BECAME = {
    Letter.State.PENDING: ", not sent yet",
    Letter.State.DEAD: ", given up",
    Letter.State.UNCERTAIN: ", perhaps sent",
    Letter.State.CANCELLED: ", not needed any more",
}


def _decisions(kept: Kept, reader: Person) -> Iterator[Moment]:
    for case in kept.cases:
        link = reverse("case", args=[case.public_id])
        clock = case.get_clock_display().lower()
        yield Moment(case.opened_at, "decisions", f"Put before somebody: {clock}", link=link)
        if case.decided_at:
            yield Moment(
                case.decided_at,
                "decisions",
                f"Decided: {case.get_decision_display().lower()}",
                by=_name(case.decided_by),
                note=case.note,
                link=link,
            )
    for row in kept.events:
        if row.verb == "case escalated" and kept.manages:
            to = words.listing(row.details.get("to", []))
            yield Moment(row.at, "decisions", f"Nobody had decided; it went up to {to}")
        elif row.verb == "help asked":
            yield Moment(row.at, "decisions", "Asked the manager for help", by=_name(row.actor))
    if kept.manages:
        return
    decisions = dict(Case.Decision.choices) | {"reopened": "the two of you go on"}
    for letter in kept.letters:
        if letter.kind == Letter.Kind.DECIDED:
            what = decisions.get(letter.context.get("decision"), "")
            yield Moment(
                letter.created_at,
                "decisions",
                f"Decided: {what.lower()}",
                by=letter.context.get("decided_by", ""),
                note=letter.context.get("note", ""),
                link=reverse("letter", args=[letter.public_id]),
            )


def _people(kept: Kept, reader: Person) -> Iterator[Moment]:
    for helper in kept.helpers:
        by = _name(helper.asked_by) if kept.manages else ""
        who = "You help" if helper.person_id == reader.pk else f"{helper.person.name} helps"
        yield Moment(helper.since, "people", f"{who} from here on", by=by)
        if helper.until:
            yield Moment(helper.until, "people", f"{helper.person.name} does not help any more")
    for leave in kept.leaves:
        who = "You are" if leave.person_id == reader.pk else f"{leave.person.name} is"
        if leave.last_day is None:
            span = f"from {_day(leave.first_day)} until further notice"
        elif leave.last_day == leave.first_day:
            span = f"on {_day(leave.first_day)}"
        else:
            span = f"from {_day(leave.first_day)} to {_day(leave.last_day)}"
        # Days that were noted long ahead belong where they lie, once they have begun.
        begins = _noon(leave.first_day)
        at = begins if leave.noted_at < kept.pair.started_at else leave.noted_at
        yield Moment(at, "people", f"{who} away {span}; the clocks stand still",
                     by=_name(leave.noted_by) if kept.manages else "")  # fmt: skip
    for row in kept.events:
        if row.verb == THANKED:
            yield Moment(row.at, "people", "Said thank you", by=_name(row.actor))
        elif row.verb in WILLING and (kept.manages or row.actor_id == reader.pk):
            yield Moment(row.at, "people", WILLING[row.verb], by=_name(row.actor))


WILLING = {
    "would help others": "Would be glad to help others",
    "would not help others": "Would rather not help others now",
}


def _rest(kept: Kept, reader: Person) -> Iterator[Moment]:
    """Whatever else the audit trail knows: nothing that happened to a pair is left out."""
    for row in kept.events:
        if row.verb not in TOLD and not row.verb.startswith(("case decided: ", "pair ended: ")):
            yield Moment(row.at, "way", words.capital(row.verb), by=_name(row.actor))


TOLD = {
    *STATES, *REVIEWS, *PLANNING, *WILLING, BEGUN, "case escalated", "help asked",
    "helper asked", "helper stepped back", "session logged", "session page written",
    THANKED,
}  # fmt: skip
