"""
From one file to one plan, without a database: read, ranked, selected, paired and told.

`read` takes a file as `Wishes` say, `plan` makes the plan, and `sheets` and `plain` tell it.
"""

from coaching.domain.offline.planning import Outcome, plan
from coaching.domain.offline.reading import Material, read
from coaching.domain.offline.sheets import Figure, Sheet, plain, plain_problems, sheets, text_of
from coaching.domain.offline.wishes import Meaning, Refused, Wishes, meaning_of

__all__ = [
    "Figure",
    "Material",
    "Meaning",
    "Outcome",
    "Refused",
    "Sheet",
    "Wishes",
    "meaning_of",
    "plain",
    "plain_problems",
    "plan",
    "read",
    "sheets",
    "text_of",
]
