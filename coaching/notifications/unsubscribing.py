"""
The address in a letter that turns its kind off: signed, for one person and kind, for ever.

Without a time in it: the same letter is the same bytes whenever it is
written. After a change of SECRET_KEY old letters keep working as long as the
old key stands in SECRET_KEY_FALLBACKS.
"""

from django.conf import settings
from django.core.signing import BadSignature, Signer

from coaching.models import Letter, Person
from coaching.queries import preferences


def _signer() -> Signer:
    return Signer(salt="coaching.unsubscribe", sep=".")


def address(person: Person, kind: str) -> str:
    """Where a person turns a kind of letter off; empty for kinds that always come."""
    if kind in preferences.MANDATORY:
        return ""
    return f"{settings.SITE_URL}/unsubscribe/{token(person, kind)}/"


def token(person: Person, kind: str) -> str:
    return _signer().sign(f"{person.public_id}.{kind}")


def read(text: str) -> tuple[Person, str] | None:
    """Whose token it is, and for which kind; None for anything we have not signed."""
    try:
        public_id, kind = _signer().unsign(text).split(".")
    except (BadSignature, ValueError):
        return None
    person = Person.objects.filter(public_id=public_id).first()
    if person is None or kind not in Letter.Kind.values or kind in preferences.MANDATORY:
        return None
    return person, kind
