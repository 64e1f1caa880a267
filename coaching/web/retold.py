"""Sentences that were stored in English because Lanemate made them, in the reader's language."""

import re

from django.utils.translation import gettext, gettext_noop, ngettext

# What has something in it to be found again, [singular, plural]; all others find themselves.
SENTENCES = (
    ("No session for %(number)s day.", "No session for %(number)s days."),
    ("No first session after %(number)s day.", "No first session after %(number)s days."),
    (
        "No readings for %(number)s day: nobody can tell.",
        "No readings for %(number)s days: nobody can tell.",
    ),
    (
        "They meet, but the number has not moved in %(number)s week.",
        "They meet, but the number has not moved in %(number)s weeks.",
    ),
    ("%(number)s day without a session.", "%(number)s days without a session."),
    (gettext_noop("%(name)s has left."), ""),
    (gettext_noop("%(name)s is away for more than %(days)s days."), ""),
    (gettext_noop("Ended by one of the two."), ""),
)


def _pattern(form: str) -> re.Pattern:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(form)))


PATTERNS = [(_pattern(form), one, many) for one, many in SENTENCES for form in (one, many) if form]


def retold(text: str) -> str:
    """
    What somebody wrote in their own words stays as it is.

    >>> retold("No session for 14 days."), retold("Both are ill."), retold("")
    ('No session for 14 days.', 'Both are ill.', '')
    """
    for pattern, one, many in PATTERNS:
        if found := pattern.fullmatch(text):
            number = found.groupdict().get("number", "")
            counted = many and number.isdecimal()
            form = ngettext(one, many, int(number)) if counted else gettext(one)
            return form % found.groupdict()
    return gettext(text) if text else ""
