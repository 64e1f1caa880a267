"""What happened to a pair, newest first, in sentences; `queries.timelines` says who reads what."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby

from django.urls import reverse
from django.utils.dateformat import format as formatted
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from coaching.domain import cadence
from coaching.models import Case, Leave, Letter, Pair, Person
from coaching.notifications.words import day as whole_day
from coaching.queries import sessions
from coaching.queries.timelines import STATES, THANKED, Kept
from coaching.web import words
from coaching.web.retold import retold

KINDS = {
    "way": _("The way"),
    "sessions": _("Sessions"),
    "pages": pgettext_lazy("of the week", "Pages"),
    "looks": _("Looks"),
    "letters": _("Letters"),
    "decisions": _("Decisions"),
    "people": _("People"),
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
    return formatted(day, gettext("l, j F"))


def _week(monday: date) -> str:
    return formatted(monday, gettext("j F"))


def _hour(moment: datetime, reader: Person) -> str:
    local = moment.astimezone(reader.zone)
    told = {"day": _day(local.date()), "time": f"{local:%H:%M}"}
    return gettext("%(day)s at %(time)s") % told


def _because(text: str, why: str) -> str:
    return f"{text}: {retold(why)}" if why else str(text)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _name(person: Person | None) -> str:
    return person.name if person else ""


def _way(kept: Kept, reader: Person) -> Iterator[Moment]:
    """From the launch to the end: states, targets, corrections."""
    pair = kept.pair
    begun = next((row for row in kept.events if row.verb == BEGUN), None)
    if pair.follows_id:
        text = gettext(
            "Goes on from an earlier pair: %(metric)s from %(start)s to %(target)s, by %(day)s"
        )
    elif begun:
        text = gettext(
            "Begun, after waiting for a coach: %(metric)s from %(start)s to %(target)s, by %(day)s"
        )
    else:
        text = gettext("Launched: %(metric)s from %(start)s to %(target)s, by %(day)s")
    yield Moment(
        pair.started_at,
        "way",
        text
        % {
            "metric": pair.metric,
            "start": pair.baseline_text,
            "target": _first_target(kept),
            "day": whole_day(pair.test_date),
        },
        by=_name(begun.actor) if begun else "",
    )
    for row in kept.events:
        why = row.details.get("why", "")
        if row.verb in STATES:
            state = Pair.State(row.verb.removeprefix("pair ").replace(" ", "_"))
            yield Moment(row.at, "way", _because(state.label, why), tone=state.value)
        elif row.verb in REVIEWS and kept.manages:
            note = row.details.get("note", "")
            yield Moment(row.at, "way", _because(REVIEWS[row.verb], why),
                         by=_name(row.actor), note=note)  # fmt: skip
    if pair.ended_at:
        yield Moment(
            pair.ended_at,
            "way",
            gettext("The pair ended: %(ending)s")
            % {"ending": words.inside(pair.get_ending_display())}
            if kept.manages
            else gettext("The pair ended"),
            by=_name(pair.ended_by) if kept.manages else "",
            tone=Pair.State.ENDED,
        )
    elif pair.passed_at and not any(row.verb == "pair passed" for row in kept.events):
        text = gettext("Passed: the target is reached")
        yield Moment(pair.passed_at, "way", text, tone=pair.state)
    for change in kept.changes:
        yield Moment(
            change.at,
            "way",
            gettext("The target moved from %(old)s to %(new)s")
            % {"old": pair.read(change.old), "new": pair.read(change.new)},
            by=_name(change.by),
            note=change.reason,
        )


BEGUN = "pair begun for somebody who waited"
REVIEWS = {
    "pass to review": _("Readings that the pass rests on were corrected"),
    "pass confirmed": _("The pass stands after all"),
    "pass reopened": _("The pass was opened again; the two go on in a new pair"),
    "pair reopened": _("Goes on after a pass that was corrected"),
}


def _first_target(kept: Kept) -> str:
    first = min(kept.changes, key=lambda change: (change.at, change.pk), default=None)
    return kept.pair.read(first.old) if first else kept.pair.target_text


def _sessions(kept: Kept, reader: Person) -> Iterator[Moment]:
    for row in kept.sessions:
        yield Moment(
            sessions.when(row),
            "sessions",
            gettext("Met on %(day)s") % {"day": _day(row.held_on)},
            by=_name(row.logged_by),
            note=row.note,
        )
    for row in kept.events:
        if row.verb not in PLANNING:
            continue
        starts = parse_datetime(row.details.get("starts_at", ""))
        when = _hour(starts, reader) if starts else ""
        yield Moment(
            row.at,
            "sessions",
            _because((PLANNING[row.verb] % {"when": when}).strip(), row.details.get("why", "")),
            by=_name(row.actor),
        )
    for clinic in kept.clinics:
        led = {"name": clinic.led_by.name, "when": _hour(clinic.starts_at, reader)}
        yield Moment(
            clinic.made_at,
            "sessions",
            gettext("Invited to a clinic, led by %(name)s, %(when)s") % led,
            by=_name(clinic.made_by),
            note=clinic.note,
        )
        if clinic.withdrawn_at:
            yield Moment(
                clinic.withdrawn_at,
                "sessions",
                gettext("The clinic was called off: led by %(name)s, %(when)s") % led,
            )


PLANNING = {
    "session planned": _("Planned a session for %(when)s"),
    "session moved": _("Moved a session to %(when)s"),
    "session withdrawn": _("Called off the session of %(when)s"),
    "session missed": _("Could not meet on %(when)s"),
}


def _pages(kept: Kept, reader: Person) -> Iterator[Moment]:
    pair = kept.pair
    for page in kept.pages:
        link = f"{reverse('worksheet', args=[pair.public_id])}?week={page.week:%Y-%m-%d}"
        week = {"day": _week(page.week)}
        if page.learner_at:
            wrote = gettext("Wrote the page for the week of %(day)s") % week
            yield Moment(page.learner_at, "pages", wrote, by=pair.learner.name, link=link)
        if page.coach_at:
            answered = gettext("Answered the page for the week of %(day)s") % week
            yield Moment(page.coach_at, "pages", answered, by=pair.coach.name, link=link)


def _looks(kept: Kept, reader: Person) -> Iterator[Moment]:
    for look in kept.looks:
        yield Moment(
            look.taken_at,
            "looks",
            gettext(
                "Look %(number)s: at %(level)s; the chance of being at the target is %(chance)s"
            )
            % {
                "number": look.number,
                "level": kept.pair.read(look.level),
                "chance": words.chance(look.p_reached),
            },
            note=gettext("From %(cases)s cases, up to the week of %(day)s.")
            % {"cases": words.amount(look.n), "day": _week(look.week)},
        )


def _letters(kept: Kept, reader: Person) -> Iterator[Moment]:
    for letter in kept.letters:
        # The decision itself is told below, to whom it was written.
        if letter.kind == Letter.Kind.DECIDED and not kept.manages:
            continue
        told = {"kind": letter.get_kind_display(), "who": letter.recipient.name}
        text = (
            gettext("%(kind)s to you") % told
            if letter.recipient_id == reader.pk
            else gettext("%(kind)s to %(who)s") % told
        )
        yield Moment(
            letter.sent_at or letter.created_at,
            "letters",
            f"{text}{BECAME.get(letter.state, '')}",
            link=reverse("letter", args=[letter.public_id]),
        )


BECAME = {
    Letter.State.PENDING: _(", not sent yet"),
    Letter.State.DEAD: _(", given up"),
    Letter.State.UNCERTAIN: _(", perhaps sent"),
    Letter.State.CANCELLED: _(", not needed any more"),
}


def _decisions(kept: Kept, reader: Person) -> Iterator[Moment]:
    for case in kept.cases:
        link = reverse("case", args=[case.public_id])
        clock = {"clock": words.inside(case.get_clock_display())}
        text = gettext("Put before somebody: %(clock)s") % clock
        yield Moment(case.opened_at, "decisions", text, link=link)
        if case.decided_at:
            yield Moment(
                case.decided_at,
                "decisions",
                _decided(case.get_decision_display()),
                by=_name(case.decided_by),
                note=retold(case.note),
                link=link,
            )
    for row in kept.events:
        if row.verb == "case escalated" and kept.manages:
            to = words.listing(row.details.get("to", []))
            text = gettext("Nobody had decided; it went up to %(names)s") % {"names": to}
            yield Moment(row.at, "decisions", text)
        elif row.verb == "help asked":
            text = gettext("Asked the manager for help")
            yield Moment(row.at, "decisions", text, by=_name(row.actor))
    if kept.manages:
        return
    decisions = dict(Case.Decision.choices) | {"reopened": gettext("the two of you go on")}
    for letter in kept.letters:
        if letter.kind == Letter.Kind.DECIDED:
            what = decisions.get(letter.context.get("decision"), "")
            yield Moment(
                letter.created_at,
                "decisions",
                _decided(what),
                by=letter.context.get("decided_by", ""),
                note=letter.context.get("note", ""),
                link=reverse("letter", args=[letter.public_id]),
            )


def _decided(what: str) -> str:
    return gettext("Decided: %(decision)s") % {"decision": words.inside(what)}


def _people(kept: Kept, reader: Person) -> Iterator[Moment]:
    for helper in kept.helpers:
        by = _name(helper.asked_by) if kept.manages else ""
        told = {"name": helper.person.name}
        text = (
            gettext("You help from here on")
            if helper.person_id == reader.pk
            else gettext("%(name)s helps from here on") % told
        )
        yield Moment(helper.since, "people", text, by=by)
        if helper.until:
            text = gettext("%(name)s does not help any more") % told
            yield Moment(helper.until, "people", text)
    for leave in kept.leaves:
        # Days that were noted long ahead belong where they lie, once they have begun.
        begins = _noon(leave.first_day)
        at = begins if leave.noted_at < kept.pair.started_at else leave.noted_at
        yield Moment(at, "people", _away(leave, reader),
                     by=_name(leave.noted_by) if kept.manages else "")  # fmt: skip
    for row in kept.events:
        if row.verb == THANKED:
            yield Moment(row.at, "people", gettext("Said thank you"), by=_name(row.actor))
        elif row.verb in WILLING and (kept.manages or row.actor_id == reader.pk):
            yield Moment(row.at, "people", WILLING[row.verb], by=_name(row.actor))


WILLING = {
    "would help others": _("Would be glad to help others"),
    "would not help others": _("Would rather not help others now"),
}


def _away(leave: Leave, reader: Person) -> str:
    own = leave.person_id == reader.pk
    if leave.last_day is None:
        text = (
            gettext("You are away from %(first)s until further notice; the clocks stand still")
            if own
            else gettext(
                "%(name)s is away from %(first)s until further notice; the clocks stand still"
            )
        )
    elif leave.last_day == leave.first_day:
        text = (
            gettext("You are away on %(first)s; the clocks stand still")
            if own
            else gettext("%(name)s is away on %(first)s; the clocks stand still")
        )
    else:
        text = (
            gettext("You are away from %(first)s to %(last)s; the clocks stand still")
            if own
            else gettext("%(name)s is away from %(first)s to %(last)s; the clocks stand still")
        )
    return text % {
        "name": leave.person.name,
        "first": _day(leave.first_day),
        "last": _day(leave.last_day) if leave.last_day else "",
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
