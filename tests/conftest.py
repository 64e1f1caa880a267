"""
The cast: Mara manages, Ivo coaches, Lea learns, Otto belongs to another team.

NOW is a Monday morning; tests never read a clock.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from coaching.models import Metric, Pair, Person, Team
from coaching.queries import clock
from tests import factories

NOW = datetime(2027, 3, 1, 7, 30, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(autouse=True)
def _quiet_world(settings, monkeypatch) -> None:
    """No sockets, no clock: letters stay in memory, and doors see NOW."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CELERY_TASK_ALWAYS_EAGER = True
    # Whoever wants the broker asks for it (tests/test_tasks.py).
    settings.REDIS_URL = ""
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real exports beside the project, where somebody put them; tests that need them skip."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("The folder with real exports is not here.")
    return folder


@pytest.fixture
def team(db) -> Team:
    return factories.make_team("Harbour")


@pytest.fixture
def other_team(db) -> Team:
    return factories.make_team("Airfield")


@pytest.fixture
def csat(db) -> Metric:
    return factories.make_metric("csat", name="Customer satisfaction", lower=1, upper=5)


@pytest.fixture
def mara(team) -> Person:
    mara = factories.make_person("Mara Lindqvist", team=team, login="mara", role="Team lead")
    team.manager = mara
    team.save()
    return mara


@pytest.fixture
def ivo(team) -> Person:
    return factories.make_person("Ivo Marković", team=team, login="ivo")


@pytest.fixture
def lea(team) -> Person:
    return factories.make_person("Lea Brandt", team=team, login="lea")


@pytest.fixture
def otto(other_team) -> Person:
    otto = factories.make_person("Otto Weiss", team=other_team, login="otto", role="Team lead")
    other_team.manager = otto
    other_team.save()
    return otto


@pytest.fixture
def hanna(db) -> Person:
    return factories.make_person("Hanna Reuter", login="hanna", role="HR", access=Person.Access.HR)


@pytest.fixture
def pair(team, mara, lea, ivo, csat) -> Pair:
    """Ivo coaches Lea since this morning."""
    cohort = factories.make_cohort(team, csat, now=NOW)
    cohort.created_by = mara
    cohort.save()
    return factories.make_pair(lea, ivo, metric=csat, cohort=cohort, now=NOW)


@pytest.fixture
def make_pairs(team, mara, csat):
    """Any number of live pairs in one cohort of Mara's."""

    def make(number: int) -> list[Pair]:
        cohort = factories.make_cohort(team, csat, now=NOW)
        return [
            factories.make_pair(
                factories.make_person(team=team),
                factories.make_person(team=team),
                metric=csat,
                cohort=cohort,
                now=NOW,
            )
            for _ in range(number)
        ]

    return make


@pytest.fixture
def client_of():
    """A browser in which a person is signed in."""

    def signed_in(person: Person) -> Client:
        client = Client()
        client.force_login(person.user)
        return client

    return signed_in


@pytest.fixture
def mara_client(client_of, mara) -> Client:
    return client_of(mara)


@pytest.fixture
def ivo_client(client_of, ivo) -> Client:
    return client_of(ivo)


@pytest.fixture
def lea_client(client_of, lea) -> Client:
    return client_of(lea)


@pytest.fixture
def otto_client(client_of, otto) -> Client:
    return client_of(otto)
