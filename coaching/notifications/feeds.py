"""
Links under which a calendar reads somebody's sessions, without signing in.

Signed by the server, and with a key that the person can renew: who has the database alone
cannot make one, and an old one opens nothing.
"""

from django.core import signing

from coaching.models import Person

_SALT = "lanemate.calendar"


def path(person: Person) -> str:
    """Where the calendar of `person` is read: '/calendar/….ics'; empty without a feed."""
    if not person.calendar_key:
        return ""
    token = signing.Signer(salt=_SALT).sign_object([person.public_id, person.calendar_key])
    return f"/calendar/{token}.ics"


def read(token: str) -> tuple[str, str] | None:
    """The person's public id and the key; None for a link that is not ours."""
    try:
        person, key = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(person), str(key)
