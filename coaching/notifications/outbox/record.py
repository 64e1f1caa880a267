"""
What the mail server has accepted, by its own account.

`LETTERS_RECORD` names a file, a pattern of files (`/var/log/mail.log*`) or a
Maildir in which the Message-IDs of accepted letters stand. A log of Postfix is
understood: it names a Message-ID before the letter is accepted, so there the
queue's own line must follow.
"""

import glob
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from coaching.errors import CoachingError

_ID = re.compile(r"<([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@")
_POSTFIX = re.compile(r"postfix\S*/(cleanup|qmgr)\[\d+\]: ([0-9A-Za-z]+): ")
# The head of a message is smaller than this.
HEAD = 65_536


class RecordUnreadable(CoachingError):
    message = (
        "The record of the mail server cannot be read; letters that were perhaps sent wait. "
        "Check LETTERS_RECORD."
    )


def accepted(wanted: set[UUID]) -> set[UUID]:
    """
    Those of these Message-IDs that the record lists.

    :raises RecordUnreadable:
    """
    paths = sorted(map(Path, glob.glob(settings.LETTERS_RECORD)))
    if not paths:
        raise RecordUnreadable
    try:
        return {found for path in paths for found in _listed(path)} & wanted
    except OSError as error:
        raise RecordUnreadable from error


def _listed(path: Path) -> Iterator[UUID]:
    if path.is_dir():
        for folder in ("new", "cur"):
            for message in (path / folder).glob("*"):
                with message.open(errors="replace") as lines:
                    yield from map(UUID, _ID.findall(lines.read(HEAD)))
        return
    coming: dict[str, list[UUID]] = {}
    with path.open(errors="replace") as lines:
        for line in lines:
            ids = list(map(UUID, _ID.findall(line)))
            if step := _POSTFIX.search(line):
                daemon, queue_id = step.groups()
                if daemon == "cleanup":
                    coming.setdefault(queue_id, []).extend(ids)
                else:
                    yield from coming.pop(queue_id, [])
            else:
                yield from ids
