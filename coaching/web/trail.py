"""The audit trail in sentences: who did what to whom. A test knows every verb that services use."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.dateformat import format as formatted
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from coaching.models import Event, Person
from coaching.notifications.words import day
from coaching.queries import trail
from coaching.web import stored, words
from coaching.web.retold import retold

KINDS = {
    "cohorts": _("Cohorts and plans"),
    "pairs": _("Pairs"),
    "meetings": _("Sessions and pages"),
    "cases": _("Cases and decisions"),
    "people": _("People"),
    "letters": _("Letters"),
    "figures": _("Files and rankings"),
}
# Who acts where nobody pressed a button.
NOBODY = "Lanemate"
PAGES = {"person": "person", "pair": "pair", "cohort": "cohort", "plan": "plan",
         "ranking": "ranking", "scorecard": "scorecard", "import": "import",
         "letter": "letter"}  # fmt: skip
# What is gone, or not the reader's to see.
NOUNS = {
    "person": pgettext_lazy("gone", "somebody"), "pair": pgettext_lazy("gone", "a pair"),
    "cohort": pgettext_lazy("gone", "a cohort"), "plan": pgettext_lazy("gone", "a plan"),
    "ranking": pgettext_lazy("gone", "a ranking"),
    "scorecard": pgettext_lazy("gone", "a scorecard"), "import": pgettext_lazy("gone", "file"),
    "letter": pgettext_lazy("gone", "a letter"), "clinic": pgettext_lazy("gone", "clinic"),
    "channel": pgettext_lazy("gone", "channel"), "team": pgettext_lazy("gone", "a team"),
}  # fmt: skip
PLACE = re.compile(r"%\((\w+)\)s")

Filled = dict[str, str]
# What a line says beyond its verb: a sentence and what fills it, if its details carry that.
More = Callable[[dict], tuple[str, Filled] | None]


@dataclass(frozen=True, slots=True)
class Deed:
    """
    `told` stands after the actor's name and names the subject as %(it)s; `more` says the same
    with the details.
    """

    kind: str
    told: str
    more: More = lambda details: None


def _count(sentence: str, key: str, noun: str) -> More:
    """%(number)s of the sentence is a number of `noun`, given as "pair,pairs"."""

    def more(details: dict) -> tuple[str, Filled] | None:
        if not isinstance(number := details.get(key), int):
            return None
        return sentence, {"number": words.counted(number, noun)}

    return more


def _launched(details: dict) -> tuple[str, Filled]:
    filled = {"pairs": words.counted(details.get("pairs", 0), _("pair,pairs"))}
    if waiting := details.get("waiting"):
        filled["waiting"] = words.counted(waiting, _("learner waits,learners wait"))
        return _("launched the cohort %(it)s: %(pairs)s, and %(waiting)s"), filled
    return _("launched the cohort %(it)s: %(pairs)s"), filled


READINGS = {"new": _("%(number)s new"), "changed": _("%(number)s changed"),
            "same": _("%(number)s same")}  # fmt: skip


def _readings(sentence: str) -> More:
    def more(details: dict) -> tuple[str, Filled] | None:
        told = [
            text % {"number": words.figure(details[key])}
            for key, text in READINGS.items()
            if isinstance(details.get(key), int)
        ]
        return (sentence, {"readings": ", ".join(told)}) if told else None

    return more


def _value(sentence: str, key: str, among: str = "") -> More:
    """A detail as it is kept; `among` names the set of words it belongs to."""

    def more(details: dict) -> tuple[str, Filled] | None:
        if not details.get(key):
            return None
        text = str(details[key])
        return sentence, {key: stored.word(text, among) if among else text}

    return more


def _date(text: object) -> str:
    """
    >>> _date("2027-03-01"), _date("2027-03-01T08:30:00+01:00"), _date(None)
    ('1 March 2027', '1 March 2027', '')
    """
    found = parse_date(str(text)[:10]) if text else None
    return day(found) if found else ""


def _day(sentence: str, key: str) -> More:
    def more(details: dict) -> tuple[str, Filled] | None:
        return (sentence, {"day": _date(details[key])}) if details.get(key) else None

    return more


def _closed(details: dict) -> tuple[str, Filled]:
    filled = {key: words.figure(details.get(key, 0)) for key in ("passed", "pairs")}
    return _("closed the cohort %(it)s: %(passed)s of %(pairs)s passed"), filled


def _away(within: str, open_: str) -> More:
    """`within` says the first and the last day, `open_` that nobody knows the last."""

    def more(details: dict) -> tuple[str, Filled] | None:
        first, last = (_date(details.get(key)) for key in ("first_day", "last_day"))
        if not first:
            return None
        return (within, {"first": first, "last": last}) if last else (open_, {"first": first})

    return more


def _listed(sentence: str, key: str) -> More:
    def more(details: dict) -> tuple[str, Filled] | None:
        names = details.get(key)
        if not names:
            return None
        return sentence, {"names": words.listing([str(name) for name in names])}

    return more


def _seats(details: dict) -> tuple[str, Filled] | None:
    filled = {key: str(details[key]) for key in ("old", "new") if key in details}
    told = _("changed the seats of %(it)s from %(old)s to %(new)s")
    return (told, filled) if len(filled) == 2 else None


DEEDS = {
    "cohort drafted": Deed("cohorts", _("drafted the cohort %(it)s"),
                           _value(_("drafted the cohort %(it)s, by the policy %(policy)s"),
                                  "policy", "policy")),
    "cohort selected again": Deed("cohorts", _("chose the people of %(it)s again")),
    "cohort changed": Deed("cohorts", _("changed the target or the test of %(it)s")),
    "cohort discarded": Deed("cohorts", _("discarded the draft %(it)s")),
    "cohort launched": Deed("cohorts", _("launched the cohort %(it)s"), _launched),
    "launch taken back": Deed("cohorts", _("took the launch of %(it)s back")),
    "cohort closed": Deed("cohorts", _("closed the cohort %(it)s"), _closed),
    "clocks set": Deed("cohorts", _("set the clocks of %(it)s")),
    "member added": Deed("cohorts", _("added %(person)s to %(it)s")),
    "member left out": Deed("cohorts", _("left %(person)s out of %(it)s")),
    "member taken back": Deed("cohorts", _("took %(person)s back into %(it)s")),
    "no longer waits for a coach": Deed(
        "cohorts", _("took %(person)s off the list of who waits in %(it)s")
    ),
    "plan changed": Deed("cohorts", _("changed the plan of %(it)s")),
    "plan copied": Deed("cohorts", _("copied the plan of %(it)s")),
    "plan renamed": Deed("cohorts", _("renamed the plan of %(it)s"),
                         _value(_("renamed the plan of %(it)s to %(name)s"), "name")),
    "plan dropped": Deed("cohorts", _("dropped the plan of %(it)s")),
    "pair on track": Deed("pairs", _("found %(it)s on track")),
    "pair at risk": Deed("pairs", _("found %(it)s at risk")),
    "pair stuck": Deed("pairs", _("found %(it)s stuck")),
    "pair passed": Deed("pairs", _("saw %(it)s pass")),
    "pass to review": Deed("pairs", _("asks for a review of the pass of %(it)s")),
    "pass confirmed": Deed("pairs", _("confirmed the pass of %(it)s")),
    "pass reopened": Deed("pairs", _("opened the pass of %(it)s again")),
    "pair reopened": Deed("pairs", _("let %(it)s go on after a pass")),
    "pair begun for somebody who waited": Deed("pairs", _("began %(it)s for somebody who waited")),
    "helper asked": Deed("pairs", _("asked %(helper)s to help %(it)s")),
    "helper stepped back": Deed("pairs", _("ended the help of %(helper)s for %(it)s")),
    "would help others": Deed("pairs", _("would help others, after %(it)s")),
    "would not help others": Deed("pairs", _("would rather not help others, after %(it)s")),
    "coach thanked": Deed("pairs", _("thanked the coach, in %(it)s")),
    "session planned": Deed("meetings", _("planned a session of %(it)s"),
                            _day(_("planned a session of %(it)s for %(day)s"), "starts_at")),
    "session moved": Deed("meetings", _("moved a session of %(it)s"),
                          _day(_("moved a session of %(it)s to %(day)s"), "starts_at")),
    "session withdrawn": Deed("meetings", _("called off a session of %(it)s"),
                              _day(_("called off a session of %(it)s on %(day)s"), "starts_at")),
    "session missed": Deed("meetings", _("noted that %(it)s could not meet"),
                           _day(_("noted that %(it)s could not meet on %(day)s"), "starts_at")),
    "session logged": Deed("meetings", _("noted a session of %(it)s"),
                           _day(_("noted a session of %(it)s on %(day)s"), "held_on")),
    "session page written": Deed("meetings", _("wrote a page of %(it)s"),
                                 _day(_("wrote a page of %(it)s, week of %(day)s"), "week")),
    "clinic planned": Deed("meetings", _("planned the %(it)s"),
                           _count(_("planned the %(it)s: %(number)s"), "learners",
                                  _("learner,learners"))),
    "clinic joined": Deed("meetings", _("invited %(pair)s to the %(it)s")),
    "clinic withdrawn": Deed("meetings", _("called off the %(it)s")),
    "case escalated": Deed("cases", _("passed the case of %(it)s on"),
                           _listed(_("passed the case of %(it)s on to %(names)s"), "to")),
    "help asked": Deed("cases", _("asked for help with %(it)s")),
    "hand raised": Deed("people", _("raised a hand"),
                        _value(_("raised a hand in %(metric)s"), "metric")),
    "hand lowered": Deed("people", _("lowered the hand of %(it)s"),
                         _value(_("lowered the hand of %(it)s in %(metric)s"), "metric")),
    "leave noted": Deed("people", _("noted days away of %(it)s"),
                        _away(_("noted days away of %(it)s, %(first)s to %(last)s"),
                              _("noted days away of %(it)s, from %(first)s until further notice"))),
    "leave taken back": Deed("people", _("took days away of %(it)s back"),
                             _away(_("took days away of %(it)s back, %(first)s to %(last)s"),
                                   _("took days away of %(it)s back, from %(first)s until "
                                     "further notice"))),
    "person left": Deed("people", _("noted that %(it)s has left"),
                        _count(_("noted that %(it)s has left: %(number)s"), "pairs",
                               _("pair,pairs"))),
    "seats changed": Deed("people", _("changed the seats of %(it)s"), _seats),
    "coach's own numbers fell": Deed("people", _("saw the own numbers of %(it)s fall")),
    "coach's own numbers are back": Deed("people", _("saw the own numbers of %(it)s come back")),
    "own data taken": Deed("people", _("took a copy of their own data")),
    "calendar link made": Deed("letters", _("made a link to their calendar")),
    "calendar link ended": Deed("letters", _("took the link to their calendar back")),
    "hours of letters changed": Deed("letters", _("changed when letters come")),
    "letters paused": Deed("letters", _("paused their letters")),
    "pause of letters ended": Deed("letters", _("ended the pause of their letters")),
    "letters turned off": Deed("letters", _("turned off a kind of letter"),
                               _value(_("turned off a kind of letter: %(kind)s"), "kind",
                                      "letter")),
    "letters turned on": Deed("letters", _("turned on a kind of letter"),
                              _value(_("turned on a kind of letter: %(kind)s"), "kind",
                                      "letter")),
    "channel added": Deed("letters", _("added a channel"),
                          _value(_("added a channel: %(kind)s"), "kind", "channel")),
    "channel removed": Deed("letters", _("removed a channel"),
                            _value(_("removed a channel: %(kind)s"), "kind", "channel")),
    "channel switched on": Deed("letters", _("switched a channel on again")),
    "letter.resent": Deed("letters", _("sent a letter again: %(it)s")),
    "letter.marked_sent": Deed("letters", _("took a letter for sent: %(it)s")),
    "address.freed": Deed("letters", _("lets letters go to %(it)s again")),
    "file uploaded": Deed("figures", _("uploaded %(it)s"),
                          _value(_("uploaded %(it)s: %(filename)s"), "filename")),
    "readings imported": Deed("figures", _("imported the readings of %(it)s"),
                              _readings(_("imported the readings of %(it)s: %(readings)s"))),
    "readings sent": Deed("figures", _("sent readings"),
                          _readings(_("sent readings: %(readings)s"))),
    "ranked": Deed("figures", _("ranked %(it)s"),
                   _count(_("ranked %(it)s: %(number)s"), "people", _("person,people"))),
    "ranking exported": Deed("figures", _("took the ranking %(it)s along"),
                             _count(_("took the ranking %(it)s along: %(number)s"), "people",
                                    _("person,people"))),
    "audit trail exported": Deed("figures", _("took the audit trail along"),
                                 _count(_("took the audit trail along: %(number)s"), "lines",
                                        _("line,lines"))),
    "scorecard proposed": Deed("figures", _("had the scorecard %(it)s proposed")),
    "scorecard changed": Deed("figures", _("changed the scorecard %(it)s"),
                              _value(_("changed the scorecard %(it)s to version %(version)s"),
                                     "version")),
}  # fmt: skip
# Verbs that end in what was decided.
FAMILIES = {
    "case decided: ": Deed("cases", _("decided about %(it)s: %(rest)s")),
    "pair ended: ": Deed("pairs", _("ended %(it)s: %(rest)s")),
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
    deed = deed_of(event.verb) or Deed("", f"{event.verb} %(it)s")
    details = dict(event.details)
    if starts := parse_datetime(str(details.get("starts_at", ""))):
        details["starts_at"] = starts.astimezone(reader.zone).isoformat()
    sentence, filled = deed.more(details) or (deed.told, {})
    note = next(
        (
            str(details[key])
            for key in ("what", "why", "note", "reason")
            if details.get(key) and str(details[key]) not in filled.values()
        ),
        "",
    )
    return Line(
        at=event.at,
        actor=event.actor.name if event.actor else NOBODY,
        parts=list(_parts(str(sentence), filled, event, known)),
        note=retold(note),
        kind=str(KINDS.get(deed.kind, "")),
        team=event.team.name if event.team else "",
    )


def _parts(
    text: str, filled: Filled, event: Event, known: dict[tuple[str, str], Model]
) -> Iterator[Part]:
    """The sentence cut at what it names: %(it)s, %(person)s, %(helper)s, %(pair)s, %(rest)s …"""
    for number, stretch in enumerate(PLACE.split(text)):
        if number % 2 == 0:
            if stretch:
                yield Part(stretch)
        elif stretch == "rest":
            yield Part(stored.word(event.verb.partition(": ")[2], "decision"))
        elif stretch in filled:
            yield Part(filled[stretch])
        elif stretch == "it":
            yield _named(event.subject_type, event.subject_id, known, event)
        else:
            kind = "person" if stretch == "helper" else stretch
            yield _named(kind, event.details.get(stretch, ""), known, event)


def _named(kind: str, public_id: str, known: dict, event: Event) -> Part:
    row = known.get((kind, public_id))
    if row is None:
        # Gone, or not the reader's to see; a draft that was discarded left its name.
        name = event.details.get("name") if kind == event.subject_type else ""
        return Part(str(name or NOUNS.get(kind, f"a {kind}")))
    text = {
        "pair": lambda: (
            gettext("%(coach)s and %(learner)s")
            % {"coach": row.coach.name, "learner": row.learner.name}
        ),
        "plan": lambda: row.cohort.name,
        "letter": lambda: (
            gettext("%(kind)s to %(who)s")
            % {"kind": row.get_kind_display(), "who": row.recipient.name}
        ),
        "clinic": lambda: (
            gettext("Clinic on %(metric)s, %(day)s")
            % {"metric": row.metric, "day": formatted(row.starts_at, gettext("Y-m-d"))}
        ),
        "ranking": lambda: row.scorecard.name,
    }.get(kind, lambda: str(row))()
    page = PAGES.get(kind)
    return Part(text, reverse(page, args=[public_id]) if page else "")
