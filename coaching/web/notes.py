"""Notes that Lanemate itself has left with a pass, kept as `services.reviews` has said them."""

import re
from datetime import datetime

from django.utils.formats import get_format
from django.utils.translation import gettext, ngettext

from coaching.notifications.words import day

ENDS = {
    " With these numbers it would still be a pass.": (
        "%(what)s. With these numbers it would still be a pass."
    ),
    " With these numbers it would not be a pass.": (
        "%(what)s. With these numbers it would not be a pass."
    ),
}
WEEK = re.compile(r"[Ww]eek of (\d+ \w+ \d{4}): (.+), now (.+)")
MORE = re.compile(r"and (\d+) more weeks?")
MEAN = re.compile(r"(.+) in (\S+)")


def weeks(note: str) -> str:
    """
    The same in the reader's language; empty when it says something else, or was cut short.

    >>> weeks("They answered late.")
    ''

    >>> from django.utils.translation import override
    >>> note = "Week of 22 February 2027: 4.30 in 60, now nothing; and 2 more weeks. With these \
numbers it would not be a pass."
    >>> with override("de"):
    ...     weeks(note)
    'Woche vom 22. Februar 2027: 4,30 bei 60, jetzt nichts; und 2 weitere Wochen. Mit diesen \
Zahlen wäre es nicht geschafft.'
    """
    for end, sentence in ENDS.items():
        if note.endswith(f".{end}") and (what := _weeks(note.removesuffix(f".{end}"))):
            return gettext(sentence) % {"what": what}
    return ""


def _weeks(told: str) -> str:
    what = ""
    for part in told.split("; "):
        what = _part(part, what)
        if not what:
            break
    return what


def _part(part: str, before: str) -> str:
    if found := MORE.fullmatch(part):
        number = int(found[1])
        return ngettext(
            "%(before)s; and %(number)s more week", "%(before)s; and %(number)s more weeks", number
        ) % {"before": before, "number": number}
    if not (found := WEEK.fullmatch(part)):
        return ""
    told = {
        "before": before,
        "week": day(datetime.strptime(found[1], "%d %B %Y").date()),
        "was": _mean(found[2]),
        "now": _mean(found[3]),
    }
    if before:
        return gettext("%(before)s; week of %(week)s: %(was)s, now %(now)s") % told
    return gettext("Week of %(week)s: %(was)s, now %(now)s") % told


def _mean(told: str) -> str:
    found = MEAN.fullmatch(told)
    if not found:
        return gettext(told)
    mean = found[1].replace(".", get_format("DECIMAL_SEPARATOR"))
    return gettext("%(mean)s in %(number)s") % {"mean": mean, "number": found[2]}
