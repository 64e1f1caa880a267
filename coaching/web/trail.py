"""The audit trail in sentences: who did what to whom. A test knows every verb that services use."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime

from coaching.models import Event, Person
from coaching.queries import trail
from coaching.web import words

KINDS = {
    "cohorts": "Cohorts and plans",
    "pairs": "Pairs",
    "meetings": "Sessions and pages",
    "cases": "Cases and decisions",
    "people": "People",
    "letters": "Letters",
    "figures": "Files and rankings",
}
# Who acts where nobody pressed a button.
NOBODY = "Lanemate"
PAGES = {"person": "person", "pair": "pair", "cohort": "cohort", "plan": "plan",
         "ranking": "ranking", "scorecard": "scorecard", "import": "import",
         "letter": "letter"}  # fmt: skip
NOUNS = {"import": "file", "channel": "channel", "person": "somebody", "pair": "a pair"}


@dataclass(frozen=True, slots=True)
class Deed:
    """`told` stands after the actor's name and names the subject as {it}."""

    kind: str
    told: str
    more: Callable[[dict], str] = lambda details: ""


def _count(key: str, noun: str, plural: str = "") -> Callable[[dict], str]:
    def more(details: dict) -> str:
        number = details.get(key)
        return f": {words.count(number, noun, plural)}" if isinstance(number, int) else ""

    return more


def _launched(details: dict) -> str:
    waiting = details.get("waiting")
    told = f": {words.count(details.get('pairs', 0), 'pair')}"
    return (
        f"{told}, and {words.count(waiting, 'learner waits', 'learners wait')}" if waiting else told
    )


def _readings(details: dict) -> str:
    told = [f"{details[key]:,} {key}" for key in ("new", "changed", "same")
            if isinstance(details.get(key), int)]  # fmt: skip
    return f": {', '.join(told)}" if told else ""


def _value(key: str, before: str = " ") -> Callable[[dict], str]:
    return lambda details: f"{before}{details[key]}" if details.get(key) else ""


def _date(text: object) -> str:
    """
    >>> _date("2027-03-01"), _date("2027-03-01T08:30:00+01:00"), _date(None)
    ('1 March 2027', '1 March 2027', '')
    """
    day = parse_date(str(text)[:10]) if text else None
    return f"{day.day} {day:%B %Y}" if day else ""


def _day(key: str, before: str) -> Callable[[dict], str]:
    return lambda details: f"{before}{_date(details[key])}" if details.get(key) else ""


def _closed(details: dict) -> str:
    return f": {details.get('passed', 0):,} of {details.get('pairs', 0):,} passed"


def _away(details: dict) -> str:
    first, last = (_date(details.get(key)) for key in ("first_day", "last_day"))
    return f", {first} to {last}" if last else f", from {first} until further notice"


def _listed(key: str, before: str) -> Callable[[dict], str]:
    def more(details: dict) -> str:
        names = details.get(key)
        return before + words.listing([str(name) for name in names]) if names else ""

    return more


DEEDS = {
    "cohort drafted": Deed("cohorts", "drafted the cohort {it}",
                           _value("policy", ", by the policy ")),
    "cohort selected again": Deed("cohorts", "chose the people of {it} again"),
    "cohort changed": Deed("cohorts", "changed the target or the test of {it}"),
    "cohort discarded": Deed("cohorts", "discarded the draft {it}"),
    "cohort launched": Deed("cohorts", "launched the cohort {it}", _launched),
    "launch taken back": Deed("cohorts", "took the launch of {it} back"),
    "cohort closed": Deed("cohorts", "closed the cohort {it}", _closed),
    "clocks set": Deed("cohorts", "set the clocks of {it}"),
    "member added": Deed("cohorts", "added {person} to {it}"),
    "member left out": Deed("cohorts", "left {person} out of {it}"),
    "member taken back": Deed("cohorts", "took {person} back into {it}"),
    "no longer waits for a coach": Deed("cohorts",
                                        "took {person} off the list of who waits in {it}"),
    "plan changed": Deed("cohorts", "changed the plan of {it}"),
    "plan copied": Deed("cohorts", "copied the plan of {it}"),
    "plan renamed": Deed("cohorts", "renamed the plan of {it}", _value("name", " to ")),
    "plan dropped": Deed("cohorts", "dropped the plan of {it}"),
    "pair on track": Deed("pairs", "found {it} on track"),
    "pair at risk": Deed("pairs", "found {it} at risk"),
    "pair stuck": Deed("pairs", "found {it} stuck"),
    "pair passed": Deed("pairs", "saw {it} pass"),
    "pass to review": Deed("pairs", "asks for a review of the pass of {it}"),
    "pass confirmed": Deed("pairs", "confirmed the pass of {it}"),
    "pass reopened": Deed("pairs", "opened the pass of {it} again"),
    "pair reopened": Deed("pairs", "let {it} go on after a pass"),
    "pair begun for somebody who waited": Deed("pairs", "began {it} for somebody who waited"),
    "helper asked": Deed("pairs", "asked {helper} to help {it}"),
    "helper stepped back": Deed("pairs", "ended the help of {helper} for {it}"),
    "would help others": Deed("pairs", "would help others, after {it}"),
    "would not help others": Deed("pairs", "would rather not help others, after {it}"),
    "coach thanked": Deed("pairs", "thanked the coach, in {it}"),
    "session planned": Deed("meetings", "planned a session of {it}", _day("starts_at", " for ")),
    "session moved": Deed("meetings", "moved a session of {it}", _day("starts_at", " to ")),
    "session withdrawn": Deed("meetings", "called off a session of {it}",
                              _day("starts_at", " on ")),
    "session missed": Deed("meetings", "noted that {it} could not meet", _day("starts_at", " on ")),
    "session logged": Deed("meetings", "noted a session of {it}", _day("held_on", " on ")),
    "session page written": Deed("meetings", "wrote a page of {it}", _day("week", ", week of ")),
    "clinic planned": Deed("meetings", "planned the {it}", _count("learners", "learner")),
    "clinic joined": Deed("meetings", "invited {pair} to the {it}"),
    "clinic withdrawn": Deed("meetings", "called off the {it}"),
    "case escalated": Deed("cases", "passed the case of {it} on", _listed("to", " to ")),
    "help asked": Deed("cases", "asked for help with {it}"),
    "hand raised": Deed("people", "raised a hand", _value("metric", " in ")),
    "hand lowered": Deed("people", "lowered the hand of {it}", _value("metric", " in ")),
    "leave noted": Deed("people", "noted days away of {it}", _away),
    "leave taken back": Deed("people", "took days away of {it} back", _away),
    "person left": Deed("people", "noted that {it} has left", _count("pairs", "pair")),
    "seats changed": Deed("people", "changed the seats of {it}",
                          lambda details: f" from {details.get('old')} to {details.get('new')}"),
    "coach's own numbers fell": Deed("people", "saw the own numbers of {it} fall"),
    "coach's own numbers are back": Deed("people", "saw the own numbers of {it} come back"),
    "own data taken": Deed("people", "took a copy of their own data"),
    "calendar link made": Deed("letters", "made a link to their calendar"),
    "calendar link ended": Deed("letters", "took the link to their calendar back"),
    "hours of letters changed": Deed("letters", "changed when letters come"),
    "letters paused": Deed("letters", "paused their letters"),
    "pause of letters ended": Deed("letters", "ended the pause of their letters"),
    "letters turned off": Deed("letters", "turned off a kind of letter", _value("kind", ": ")),
    "letters turned on": Deed("letters", "turned on a kind of letter", _value("kind", ": ")),
    "channel added": Deed("letters", "added a channel", _value("kind", ": ")),
    "channel removed": Deed("letters", "removed a channel", _value("kind", ": ")),
    "channel switched on": Deed("letters", "switched a channel on again"),
    "letter.resent": Deed("letters", "sent a letter again: {it}"),
    "letter.marked_sent": Deed("letters", "took a letter for sent: {it}"),
    "address.freed": Deed("letters", "lets letters go to {it} again"),
    "file uploaded": Deed("figures", "uploaded {it}", _value("filename", ": ")),
    "readings imported": Deed("figures", "imported the readings of {it}", _readings),
    "readings sent": Deed("figures", "sent readings", _readings),
    "ranked": Deed("figures", "ranked {it}", _count("people", "person", "people")),
    "ranking exported": Deed("figures", "took the ranking {it} along",
                             _count("people", "person", "people")),
    "audit trail exported": Deed("figures", "took the audit trail along",
                                 _count("lines", "line")),
    "scorecard proposed": Deed("figures", "had the scorecard {it} proposed"),
    "scorecard changed": Deed("figures", "changed the scorecard {it}",
                              _value("version", " to version ")),
}  # fmt: skip
# Verbs that end in what was decided.
FAMILIES = {
    "case decided: ": Deed("cases", "decided about {it}: {rest}"),
    "pair ended: ": Deed("pairs", "ended {it}: {rest}"),
}


def deed_of(verb: str) -> Deed | None:
    """What a verb means; None for one without words, which is told as it is."""
    if verb in DEEDS:
        return DEEDS[verb]
    return next((deed for start, deed in FAMILIES.items() if verb.startswith(start)), None)


def of_kind(lines: QuerySet[Event], kind: str) -> QuerySet[Event]:
    verbs = [verb for verb, deed in DEEDS.items() if deed.kind == kind]
    found = Q(verb__in=verbs)
    for start, deed in FAMILIES.items():
        if deed.kind == kind:
            found |= Q(verb__startswith=start)
    return lines.filter(found)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a sentence, and the page of what it names."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail: `parts` follow the actor's name; `note` is in somebody's words."""

    at: datetime
    actor: str
    parts: list[Part]
    note: str
    kind: str
    team: str

    @property
    def sentence(self) -> str:
        return "".join(part.text for part in self.parts)


def told(events: Iterable[Event], reader: Person) -> list[Line]:
    """A fixed number of queries for any number of lines."""
    events = list(events)
    known = trail.subjects_of(events, reader)
    return [_line(event, known, reader) for event in events]


def _line(event: Event, known: dict[tuple[str, str], Model], reader: Person) -> Line:
    deed = deed_of(event.verb) or Deed("", f"{event.verb} {{it}}")
    details = dict(event.details)
    if starts := parse_datetime(str(details.get("starts_at", ""))):
        details["starts_at"] = starts.astimezone(reader.zone).isoformat()
    more = deed.more(details)
    parts = [*_parts(deed.told, event, known), *([Part(more)] if more else [])]
    note = next(
        (
            str(details[key])
            for key in ("what", "why", "note", "reason")
            if details.get(key) and str(details[key]) not in more
        ),
        "",
    )
    return Line(
        at=event.at,
        actor=event.actor.name if event.actor else NOBODY,
        parts=parts,
        note=note,
        kind=KINDS.get(deed.kind, ""),
        team=event.team.name if event.team else "",
    )


def _parts(text: str, event: Event, known: dict[tuple[str, str], Model]) -> Iterator[Part]:
    """The sentence cut at what it names: {it}, {person}, {helper}, {pair}, {rest}."""
    while text:
        start, brace, after = text.partition("{")
        if start:
            yield Part(start)
        if not brace:
            return
        name, _, text = after.partition("}")
        if name == "rest":
            yield Part(event.verb.partition(": ")[2])
            continue
        kind = event.subject_type
        public_id = event.subject_id
        if name != "it":
            kind, public_id = ("person" if name == "helper" else name), event.details.get(name, "")
        yield _named(kind, public_id, known, event)


def _named(kind: str, public_id: str, known: dict, event: Event) -> Part:
    row = known.get((kind, public_id))
    if row is None:
        # Gone, or not the reader's to see; a draft that was discarded left its name.
        name = event.details.get("name") if kind == event.subject_type else ""
        return Part(str(name or NOUNS.get(kind, f"a {kind}")))
    text = {
        "pair": lambda: f"{row.coach.name} and {row.learner.name}",
        "plan": lambda: row.cohort.name,
        "letter": lambda: f"{row.get_kind_display()} to {row.recipient.name}",
        "ranking": lambda: row.scorecard.name,
    }.get(kind, lambda: str(row))()
    page = PAGES.get(kind)
    return Part(text, reverse(page, args=[public_id]) if page else "")
