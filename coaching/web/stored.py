"""
Outcomes of letters and words of audit lines, which are kept in English, in the reader's language.

What a mail server said stays in its words. Reasons, where people may have written as well, are
for `retold`.
"""

import re

from django.utils.translation import gettext, gettext_noop, pgettext_lazy

# %(name)s stands for what was filled in. Nobody writes here by hand.
OUTCOMES = (
    # why a letter did not leave
    "The pair has ended.",
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
# Single words of fixed sets; what they mean depends on the set.
WORDS = {
    "try": {
        "sent": pgettext_lazy("what came of a try", "sent"),
        "refused": pgettext_lazy("what came of a try", "refused"),
        "later": pgettext_lazy("what came of a try", "later"),
        "unreached": pgettext_lazy("what came of a try", "unreached"),
        "sender": pgettext_lazy("what came of a try", "sender"),
        "uncertain": pgettext_lazy("what came of a try", "uncertain"),
        "unwritable": pgettext_lazy("what came of a try", "unwritable"),
        "stopped": pgettext_lazy("what came of a try", "stopped"),
        "found": pgettext_lazy("what came of a try", "found"),
        "not found": pgettext_lazy("what came of a try", "not found"),
        "resent": pgettext_lazy("what came of a try", "resent"),
        "marked sent": pgettext_lazy("what came of a try", "marked sent"),
    },
    "letter": {
        "invitation": pgettext_lazy("kind of letter", "invitation"),
        "reminder": pgettext_lazy("kind of letter", "reminder"),
        "escalation": pgettext_lazy("kind of letter", "escalation"),
        "passed": pgettext_lazy("kind of letter", "passed"),
        "decided": pgettext_lazy("kind of letter", "decided"),
        "closed": pgettext_lazy("kind of letter", "closed"),
        "digest": pgettext_lazy("kind of letter", "digest"),
        "session": pgettext_lazy("kind of letter", "session"),
        "proposal": pgettext_lazy("kind of letter", "proposal"),
        "correction": pgettext_lazy("kind of letter", "correction"),
        "helper": pgettext_lazy("kind of letter", "helper"),
        "left": pgettext_lazy("kind of letter", "left"),
        "test": pgettext_lazy("kind of letter", "test"),
    },
    "channel": {
        "webhook": pgettext_lazy("channel", "webhook"),
        "chat": pgettext_lazy("channel", "chat"),
    },
    "policy": {
        "evidence": pgettext_lazy("policy", "evidence"),
        "leaning": pgettext_lazy("policy", "leaning"),
        "quota": pgettext_lazy("policy", "quota"),
    },
    "decision": {
        "everything we have": pgettext_lazy("what was decided", "everything we have"),
        "another way": pgettext_lazy("what was decided", "another way"),
        "end it here, openly": pgettext_lazy("what was decided", "end it here, openly"),
        "moving again by itself": pgettext_lazy("what was decided", "moving again by itself"),
        "ended openly, by decision": pgettext_lazy("what was decided", "ended openly, by decision"),
        "somebody left": pgettext_lazy("what was decided", "somebody left"),
        "somebody is away for long": pgettext_lazy("what was decided", "somebody is away for long"),
        "ended by one of the two": pgettext_lazy("what was decided", "ended by one of the two"),
        "went on with another coach or target": pgettext_lazy(
            "what was decided", "went on with another coach or target"
        ),
        "the launch was taken back": pgettext_lazy("what was decided", "the launch was taken back"),
    },
}

_PLACE = re.compile(r"%\((\w+)\)s")


def _pattern(sentence: str) -> re.Pattern:
    parts = _PLACE.split(sentence)
    return re.compile(
        "".join(
            f"(?P<{part}>{'[0-9]+' if part == 'number' else '.+?'})"
            if number % 2
            else re.escape(part)
            for number, part in enumerate(parts)
        ),
        re.DOTALL,
    )


_OUTCOMES = [(_pattern(sentence), sentence) for sentence in OUTCOMES]


def outcome(text: str) -> str:
    """
    What became of a letter, a try or a call; what a server said stays in its words.

    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     outcome("Given up: 451 Greylisted")
    'Aufgegeben: 451 Greylisted'
    """
    for pattern, sentence in _OUTCOMES:
        if found := pattern.fullmatch(text):
            # What was filled in may be a sentence of ours itself.
            filled = {name: outcome(part) for name, part in found.groupdict().items()}
            return gettext(sentence) % filled if filled else gettext(sentence)
    return text


def word(text: str, among: str) -> str:
    """
    A word of one of the sets; others stay as they are.

    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     word("digest", "letter"), word("left", "letter"), word("odd", "letter")
    ('Wochenbrief', 'Ende eines Tandems', 'odd')
    """
    return str(WORDS[among].get(text, text))
