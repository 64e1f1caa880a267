"""Sentences that were stored in English because Lanemate made them, in the reader's language."""

import re

from django.utils.translation import gettext, ngettext

# What `domain.progress` says with a number in it. Sentences without one find themselves.
COUNTED = (
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
)
PATTERNS = [
    (re.compile(re.escape(form).replace(re.escape("%(number)s"), r"(\d+)")), one, many)
    for one, many in COUNTED
    for form in (one, many)
]


def retold(text: str) -> str:
    """
    What somebody wrote in their own words stays as it is.

    >>> retold("No session for 14 days."), retold("Both are ill."), retold("")
    ('No session for 14 days.', 'Both are ill.', '')
    """
    for pattern, one, many in PATTERNS:
        if found := pattern.fullmatch(text):
            number = int(found[1])
            return ngettext(one, many, number) % {"number": number}
    return gettext(text) if text else ""
