"""
Links in letters that say, without signing in, how a session went.

The link itself is the key: signed, for one session and one of its two people, and good for
nothing else. It does not expire; what it may still change is up to `services.sessions`.
"""

from django.core import signing

from coaching.models import Person, Session

_SALT = "lanemate.session-answer"


def path(session: Session, reader: Person) -> str:
    """Where `reader` answers for `session`: '/answers/…/', below which 'held/' and so on stand."""
    token = signing.Signer(salt=_SALT).sign_object([session.uid.hex, reader.public_id])
    return f"/answers/{token}/"


def read(token: str) -> tuple[str, str] | None:
    """The session's uid and the person's public id; None for a link that is not ours."""
    try:
        uid, person = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(uid), str(person)
