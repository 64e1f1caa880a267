from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from coaching.models import Letter
from coaching.notifications import outbox
from tests import factories
from tests.conftest import NOW
from tests.notifications import mailbox


@pytest.fixture
def plain_letters(settings, tmp_path):
    """Letters whose wording does not matter; the folder of their templates."""
    for kind in Letter.Kind:
        folder = tmp_path / "emails" / kind
        folder.mkdir(parents=True)
        (folder / "subject.txt").write_text("A letter\n")
        (folder / "body.txt").write_text("For {{ reader.first_name }}: {{ link }}")
        (folder / "body.html").write_text("<html><body><p>{{ reader.name }}</p></body></html>")
    templates = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**templates, "DIRS": [tmp_path, *templates["DIRS"]]}]
    return tmp_path / "emails"


@pytest.fixture
def server(settings, monkeypatch) -> mailbox.Server:
    """A mail server that answers as it is told."""
    settings.EMAIL_BACKEND = "tests.notifications.mailbox.Programmable"
    monkeypatch.setattr(mailbox, "SERVER", mailbox.Server())
    return mailbox.SERVER


@pytest.fixture
def promised(db) -> Callable[..., list[Letter]]:
    """Digests for so many readers, due at NOW one after the other."""

    def promise(number: int, **values) -> list[Letter]:
        readers = [factories.make_person(f"Reader {index}") for index in range(number)]
        letters = [
            Letter(
                dedupe_key=f"test:{reader.public_id}",
                kind=Letter.Kind.DIGEST,
                recipient=reader,
                context={"link": "/"},
                next_attempt_at=NOW - timedelta(minutes=number - place),
                **values,
            )
            for place, reader in enumerate(readers)
        ]
        outbox.promise([outbox.Message(letter) for letter in letters], now=NOW)
        return list(Letter.objects.order_by("pk"))

    return promise


@pytest.fixture
def states() -> Callable[[], dict[str, int]]:
    """How many letters are in which state."""

    def count() -> dict[str, int]:
        found = [Letter.State(state).name.lower() for state in
                 Letter.objects.values_list("state", flat=True)]  # fmt: skip
        return {state: found.count(state) for state in sorted(set(found))}

    return count


def due_of(letter: Letter) -> datetime:
    letter.refresh_from_db()
    return letter.next_attempt_at
