"""
What Lanemate itself has written and keeps in English, said again in the reader's language.

A plan's steps and reasons, what became of a letter, why a case was opened: they are stored as
text, as the API and the audit trail tell it. Each clause of it was made from one of these
sentences; which one, and with which names, can be read back. What a person or a mail server said
stays as it is.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from django.utils.translation import get_language, gettext, gettext_noop, ngettext

from coaching.domain.matching import explain
from coaching.domain.said import NUMBERS, listed
from coaching.notifications.words import count, tell
from coaching.services.plans import PREFERENCES, sentences
from coaching.web import notes
from coaching.web.offers import NAMED

KEPT_IN = "en"
PLACE = re.compile(r"%\((\w+)\)s")
CLAUSES = re.compile(r"(?<=[.;]) ")
NOUNS = ("learner,learners", "seat,seats", "coach,coaches")
LISTS = ("coaches", "skills")

# What `domain.progress` says with a number in it; "one" and "many" by the "one".
COUNTED = {
    "No session for %(number)s day.": "No session for %(number)s days.",
    "No first session after %(number)s day.": "No first session after %(number)s days.",
    "No readings for %(number)s day: nobody can tell.": (
        "No readings for %(number)s days: nobody can tell."
    ),
    "They meet, but the number has not moved in %(number)s week.": (
        "They meet, but the number has not moved in %(number)s weeks."
    ),
    "%(number)s day without a session.": "%(number)s days without a session.",
}
REASONS = (
    gettext_noop("%(name)s is away for more than %(days)s days."),
    gettext_noop("Ended by one of the two."),
    gettext_noop("Has a coach in another cohort by now."),
)
# What becomes of a letter, a try or a call to a server. Nobody writes here by hand.
OUTCOMES = (
    # why a letter did not leave
    gettext_noop("The pair has ended."),
    gettext_noop("%(name)s does not want these by e-mail; told inside Lanemate only."),
    gettext_noop("%(name)s has no e-mail address; told inside Lanemate only."),
    gettext_noop("%(name)s does not look after this cohort any more."),
    gettext_noop("%(name)s does not look after this pair any more."),
    gettext_noop("%(name)s does not help here any more."),
    gettext_noop("%(name)s does not belong to this pair any more."),
    gettext_noop("%(name)s has left."),
    gettext_noop("Too late to be of use by the time it may reach its reader."),
    gettext_noop("Too late to be of use."),
    gettext_noop("The address was refused twice; nothing is sent to it until somebody frees it."),
    gettext_noop("There is nothing to decide any more."),
    gettext_noop("The pair has passed."),
    gettext_noop("A newer weekly note says it."),
    gettext_noop("The case is decided."),
    gettext_noop("They do not help here any more."),
    gettext_noop("The session was changed."),
    gettext_noop("The launch was taken back."),
    gettext_noop("Turned off by its reader."),
    gettext_noop("Nothing new to tell."),
    # what became of a letter
    gettext_noop("Waits until it may reach its reader."),
    gettext_noop("The mail server cannot be used: %(detail)s"),
    gettext_noop("Address refused: %(detail)s"),
    gettext_noop("The letter was refused: %(detail)s"),
    gettext_noop("No answer after the whole letter: %(detail)s"),
    gettext_noop("Tried again later: %(detail)s"),
    gettext_noop("Given up: %(detail)s"),
    gettext_noop("Its worker stopped; tried again."),
    gettext_noop("The lease was over before the letter was handed over."),
    gettext_noop("Every worker that took it stopped, %(number)s in a row. Perhaps it was sent."),
    gettext_noop("Every worker that took it stopped, %(number)s in a row."),
    gettext_noop("Perhaps sent: its worker stopped before the answer. Somebody decides."),
    gettext_noop("Perhaps sent: the mail server's record will tell."),
    gettext_noop("Perhaps sent already; sent again, recognisable by its Message-ID."),
    gettext_noop("The mail server's record has it."),
    gettext_noop("The mail server's record does not have it; sent again."),
    gettext_noop("Sent again by decision."),
    gettext_noop("Decided by %(name)s."),
    # what a chat or a server of one's own answered
    gettext_noop("There is no server called %(host)s."),
    gettext_noop("%(host)s is not on the public internet, and nothing is sent there."),
    gettext_noop("%(host)s could not be reached: %(detail)s"),
    gettext_noop("%(host)s took too long to answer."),
    gettext_noop("%(host)s sends us on to another address; give that one."),
    gettext_noop("%(host)s answered %(detail)s."),
    gettext_noop("The chat service did not take it."),
)

# A sentence and its plural, if it has one, and what finds it.
Patterns = list[tuple[str, str, re.Pattern]]
# The same, {name: text in it}, and the full stop, semicolon or nothing after it.
Found = tuple[str, str, dict[str, str], str]


def _patterns(texts: Iterable[str]) -> Patterns:
    """The ones with most words of their own first, for others may fit the same text loosely."""
    made = []
    for text in texts:
        many = COUNTED.get(text, "")
        for form in (text, many) if many else (text,):
            literal = PLACE.split(form.removesuffix("."))
            pattern = "".join(
                f"(?P<{part}>{'[0-9]+' if many else '.+?'})" if at % 2 else re.escape(part)
                for at, part in enumerate(literal)
            )
            made.append((len("".join(literal[::2])), text, many, re.compile(pattern, re.DOTALL)))
    return [one for _, *one in sorted(made, key=lambda one: -one[0])]


SENTENCES = (
    *sentences.STEPS, *sentences.WHY_NOT, *sentences.MOVES, *sentences.WITHOUT_A_COACH,
    *explain.CLAUSES, *COUNTED, *REASONS, *OUTCOMES,
)  # fmt: skip
PATTERNS = _patterns(SENTENCES)
CURES = _patterns(explain.CURES)


def retold(text: str) -> str:
    """
    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     retold("Ivo has more seats now; Max is strongest with Ivo next.")
    ...     retold("Given up: 451 Greylisted")
    ...     retold("One more for the road; really.")
    'Bei Ivo sind jetzt mehr Plätze; für Max ist Ivo der nächstbeste Coach.'
    'Aufgegeben: 451 Greylisted'
    'One more for the road; really.'
    """
    if not text or (get_language() or KEPT_IN).startswith(KEPT_IN):
        return text
    if weeks := notes.weeks(text):
        return weeks
    found = _recognised(text)
    # A sentence with nothing in it finds itself.
    return " ".join(map(_say, found)) if found else gettext(text)


@lru_cache(maxsize=4096)
def _recognised(text: str) -> list[Found] | None:
    """Which sentences a text was made of; None when there is one among them that is not ours."""
    clauses = CLAUSES.split(text)
    # A name or a reason may hold a full stop, so that a sentence can end at a later one.
    for end in range(1, len(clauses) + 1):
        first = _match(" ".join(clauses[:end]), PATTERNS)
        if first is None:
            continue
        if end == len(clauses):
            return [first]
        rest = _recognised(" ".join(clauses[end:]))
        if rest is not None:
            return [first, *rest]
    return None


def _match(clause: str, among: Patterns) -> Found | None:
    end = clause[-1] if clause.endswith((".", ";")) else ""
    bare = clause.removesuffix(end)
    for text, many, pattern in among:
        match = pattern.fullmatch(bare)
        if match:
            return text, many, match.groupdict(), end
    return None


def _say(found: Found) -> str:
    text, many, values, end = found
    form = ngettext(text, many, int(values["number"])) if many else gettext(text)
    return (
        form.removesuffix(".") % {name: _value(name, part) for name, part in values.items()} + end
    )


def _value(name: str, value: str) -> str:
    match name:
        case "cure" | "cures" | "other_cure":
            found = _match(value, CURES)
            return _say(found) if found else value
        case "points":
            return ", ".join(map(_points, value.split(", ")))
        case "policy":
            return str(NAMED[value][0]) if value in NAMED else value
        case "detail":
            # What is told about a mail server may be a sentence of ours itself.
            found = _recognised(value)
            return " ".join(map(_say, found)) if found else value
    return _counted(value) or (_listed(value) if name in LISTS else value)


def _counted(value: str) -> str:
    """So many of something; empty for anything else."""
    word, _, what = value.partition(" ")
    for noun in NOUNS:
        if what in noun.split(","):
            known = word.lower() in NUMBERS
            if known or word.isdecimal():
                number = NUMBERS.index(word.lower()) if known else int(word)
                return count(number, gettext(noun))
    return ""


def _listed(value: str) -> str:
    names, _, last = value.rpartition(" and ")
    return str(tell(listed([names, last]))) if names else value


def _points(value: str) -> str:
    """What two share, and its points: “same site 100”."""
    what, _, points = value.rpartition(" ")
    label = next((label for label in PREFERENCES.values() if label.lower() == what), what)
    return f"{gettext(label)} {points}"
