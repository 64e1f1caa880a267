"""
What plans keep in English, found again and said in the reader's language.

A plan's steps, its moves and its reasons are stored as text (`services.plans.sentences`, and what
`domain.matching` explains). Each clause of it was made from one of these sentences; which one, and
with which names, can be read back. A text that nobody here has made stays as it is.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from django.utils.translation import get_language, gettext

from coaching.domain.matching import explain
from coaching.domain.said import NUMBERS, listed
from coaching.notifications.words import count, tell
from coaching.services.plans import PREFERENCES, sentences
from coaching.web.offers import NAMED

KEPT_IN = "en"
PLACE = re.compile(r"%\((\w+)\)s")
CLAUSES = re.compile(r"(?<=[.;]) ")
COUNTED = ("learner,learners", "seat,seats", "coach,coaches")
LISTS = ("coaches", "skills")

# A sentence, and what finds it; (sentence, {name: text in it}, full stop, semicolon or nothing).
Patterns = list[tuple[str, re.Pattern]]
Found = tuple[str, dict[str, str], str]


def _patterns(texts: Iterable[str]) -> Patterns:
    """The ones with most words of their own first, for others may fit the same text loosely."""
    made = []
    for text in texts:
        literal = PLACE.split(text.removesuffix("."))
        pattern = "".join(
            f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(literal)
        )
        made.append((len("".join(literal[::2])), text, re.compile(pattern)))
    return [(text, pattern) for _, text, pattern in sorted(made, key=lambda one: -one[0])]


SENTENCES = _patterns(
    [
        *sentences.STEPS,
        *sentences.WHY_NOT,
        *sentences.MOVES,
        *sentences.WITHOUT_A_COACH,
        *explain.CLAUSES,
    ]
)
CURES = _patterns(explain.CURES)


def retold(text: str) -> str:
    """
    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     retold("Ivo has more seats now; Max is strongest with Ivo next.")
    ...     retold("One more for the road; really.")
    'Bei Ivo sind jetzt mehr Plätze; für Max ist Ivo der nächstbeste Coach.'
    'One more for the road; really.'
    """
    if not text or (get_language() or KEPT_IN).startswith(KEPT_IN):
        return text
    found = _recognised(text)
    return " ".join(map(_say, found)) if found else text


@lru_cache(maxsize=4096)
def _recognised(text: str) -> list[Found] | None:
    """Which sentences a text was made of; None when there is one among them that is not ours."""
    clauses = CLAUSES.split(text)
    # A name or a reason may hold a full stop, so that a sentence can end at a later one.
    for end in range(1, len(clauses) + 1):
        first = _match(" ".join(clauses[:end]), SENTENCES)
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
    for text, pattern in among:
        match = pattern.fullmatch(bare)
        if match:
            return text, match.groupdict(), end
    return None


def _say(found: Found) -> str:
    text, values, end = found
    form = gettext(text).removesuffix(".")
    return form % {name: _value(name, value) for name, value in values.items()} + end


def _value(name: str, value: str) -> str:
    match name:
        case "cure" | "cures" | "other_cure":
            found = _match(value, CURES)
            return _say(found) if found else value
        case "points":
            return ", ".join(map(_points, value.split(", ")))
        case "policy":
            return str(NAMED[value][0]) if value in NAMED else value
    return _counted(value) or (_listed(value) if name in LISTS else value)


def _counted(value: str) -> str:
    """So many of something; empty for anything else."""
    word, _, what = value.partition(" ")
    for noun in COUNTED:
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
