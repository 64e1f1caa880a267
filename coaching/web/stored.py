"""Single words that are kept in English, in the reader's language. Sentences are for `retold`."""

from django.utils.translation import pgettext_lazy

# By set, for what a word means depends on where it stands.
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


def word(text: str, among: str) -> str:
    """
    A word of one of the sets; others stay as they are.

    >>> from django.utils.translation import override
    >>> with override("de"):
    ...     word("digest", "letter"), word("left", "letter"), word("odd", "letter")
    ('Wochenbrief', 'Ende eines Tandems', 'odd')
    """
    return str(WORDS[among].get(text, text))
