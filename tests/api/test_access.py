"""Who may read which route: one table, complete, for every role."""

import pytest
from django.contrib.auth import get_user_model
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests import factories
from tests.api import routes

ROLES = (
    "anonymous", "login only", "inactive", "unpaired", "coach", "learner",
    "manager", "other manager", "hr",
)  # fmt: skip

ALL = "200 200 200  200 200 200  200 200 200"
READERS = "401 403 403  200 200 200  200 200 200"
MANAGERS = "401 403 403  403 403 403  200 200 200"
MINE_AS_MANAGER = "401 403 403  403 403 403  200 404 200"
WRITES = "401 403 403  405 405 405  405 405 405"
MANAGERS_WRITE = "401 403 403  403 403 403  405 405 405"

TABLE = {
    "token": "405 405 405  405 405 405  405 405 405",
    "logout": "401 405 405  405 405 405  405 405 405",
    "logout-all": "401 405 405  405 405 405  405 405 405",
    "schema": ALL,
    "docs": ALL,
    "me": READERS,
    "my-skills": READERS,
    "my-data": READERS,
    "my-calendar": READERS,
    "visit-list": READERS,
    "team-list": READERS,
    "team-detail": "401 403 403  200 200 200  200 404 200",
    "person-list": READERS,
    "person-detail": "401 403 403  404 404 200  200 404 200",
    "metric-list": READERS,
    "metric-detail": READERS,
    "reading-list": READERS,
    "hand-raise-list": READERS,
    "hand-raise-detail": WRITES,
    "import-list": MANAGERS,
    "import-detail": MINE_AS_MANAGER,
    "import-mapping": MANAGERS_WRITE,
    "import-confirm": MANAGERS_WRITE,
    "import-cancel": MANAGERS_WRITE,
    "scorecard-list": MANAGERS,
    "scorecard-detail": MINE_AS_MANAGER,
    "scorecard-rank": MANAGERS_WRITE,
    "ranking-list": MANAGERS,
    "ranking-detail": MINE_AS_MANAGER,
    "ranking-drivers": MINE_AS_MANAGER,
    "standing-list": MINE_AS_MANAGER,
    "cohort-list": MANAGERS,
    "cohort-detail": MINE_AS_MANAGER,
    "cohort-plan": MANAGERS_WRITE,
    "cohort-select": MANAGERS_WRITE,
    "plan-detail": MINE_AS_MANAGER,
    "plan-rules": MANAGERS_WRITE,
    "plan-rule": MANAGERS_WRITE,
    "plan-seats": MANAGERS_WRITE,
    "plan-members": MANAGERS_WRITE,
    "plan-solve": MANAGERS_WRITE,
    "plan-wishes": MANAGERS_WRITE,
    "plan-swap": MANAGERS_WRITE,
    "plan-swap-price": MANAGERS_WRITE,
    "plan-rule-price": MANAGERS_WRITE,
    "plan-undo": MANAGERS_WRITE,
    "plan-redo": MANAGERS_WRITE,
    "plan-copy": MANAGERS_WRITE,
    "plan-steps": MINE_AS_MANAGER,
    "plan-prices": MINE_AS_MANAGER,
    "plan-floors": MINE_AS_MANAGER,
    "plan-compare": MINE_AS_MANAGER,
    "plan-launch": MANAGERS_WRITE,
    "plan-launch-letters": MINE_AS_MANAGER,
    "cohort-undo": MANAGERS_WRITE,
    "cohort-waiting": MINE_AS_MANAGER,
    "cohort-accept": MANAGERS_WRITE,
    "cohort-drop": MANAGERS_WRITE,
    "person-days-leaves": "401 403 403  404 404 200  200 404 200",
    "person-days-leave": WRITES,
    "person-days-left": MANAGERS_WRITE,
    "pair-side-helpers": "401 403 403  404 200 200  200 404 200",
    "pair-side-helper": WRITES,
    "pair-side-would-help": WRITES,
    "pair-side-end": WRITES,
    "pair-list": READERS,
    "pair-detail": "401 403 403  404 200 200  200 404 200",
    "pair-looks": "401 403 403  404 200 200  200 404 200",
    "pair-sessions": "401 403 403  404 200 200  200 404 200",
    "pair-plan": WRITES,
    "pair-worksheets": "401 403 403  404 200 200  200 404 200",
    "pair-thanks": "401 403 403  404 200 200  404 404 404",
    "pair-help": WRITES,
    "session-detail": "401 403 403  404 200 200  200 404 200",
    "session-move": WRITES,
    "session-answer": WRITES,
    "case-list": MANAGERS,
    "case-detail": MINE_AS_MANAGER,
    "case-decision": MANAGERS_WRITE,
    "letter-list": READERS,
    "letter-detail": "401 403 403  404 404 200  200 404 200",
    "letter-resend": WRITES,
    "letter-mark-sent": WRITES,
    "notice-list": READERS,
    "notice-read": WRITES,
    "my-preferences": READERS,
    "channel-list": READERS,
    "channel-detail": WRITES,
    "channel-test": WRITES,
    "channel-replay": WRITES,
    "event-list": MANAGERS,
}


@pytest.fixture
def client_as(api, team, mara, ivo, lea, otto, hanna):
    def client(role: str) -> APIClient:
        if role == "anonymous":
            return api()
        if role == "login only":
            user = get_user_model().objects.create_user("nobody", password="swim-lane-7")
            client = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user)[1]}")
            return client
        if role == "inactive":
            return api(factories.make_person(team=team, login="gone", active=False))
        if role == "unpaired":
            return api(factories.make_person("Noor Haddad", team=team, login="noor"))
        return api(
            {"coach": ivo, "learner": lea, "manager": mara, "other manager": otto, "hr": hanna}[
                role
            ]
        )

    return client


def test_no_route_is_missing_from_the_table():
    assert set(routes.names()) == TABLE.keys()


@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_what_the_table_says(client_as, world, role):
    client = client_as(role)
    wanted = {name: int(row.split()[ROLES.index(role)]) for name, row in TABLE.items()}
    found = {name: client.get(routes.url_of(name, world)).status_code for name in TABLE}
    assert found == wanted


@pytest.mark.parametrize("role", ROLES)
def test_a_write_needs_no_less_than_a_look(client_as, world, role):
    """Who is not let in to read a route is not let in to write, and nothing is told."""
    client = client_as(role)
    column = ROLES.index(role)
    for name, method in routes.writes():
        status = int(TABLE[name].split()[column])
        if status in (401, 403, 404):
            answer = getattr(client, method)(routes.url_of(name, world), {})
            assert answer.status_code == status, name


def test_what_belongs_to_another_team_is_not_there(otto_api, world):
    for name, method in routes.writes():
        own = name in ("logout-all", "notice-read", "my-preferences", "my-calendar")
        if "-" in name and not name.endswith("-list") and not own:
            answer = getattr(otto_api, method)(routes.url_of(name, world), {})
            assert answer.status_code == 404, name


def test_a_session_opens_the_same_doors(client_of, mara, world):
    client = client_of(mara)
    for name, row in TABLE.items():
        if not name.startswith("logout"):
            wanted = int(row.split()[ROLES.index("manager")])
            assert client.get(routes.url_of(name, world)).status_code == wanted, name


def test_rows_of_others_are_in_no_list(otto_api, world):
    """Otto's lists hold nothing of Mara's."""
    for name in ("import", "scorecard", "ranking", "cohort", "pair", "case", "letter", "event"):
        assert otto_api.get(f"/api/v1/{name}s/").json()["results"] == [], name
    assert [row["name"] for row in otto_api.get("/api/v1/people/").json()["results"]] == [
        "Otto Weiss"
    ]


def test_nobody_recovers_the_order_of_others(lea_api, world):
    """Neither filters nor orders nor counts give a learner somebody else's numbers."""
    other = world.learner
    for path in (
        f"/api/v1/readings/?person={other.public_id}",
        f"/api/v1/people/?search={other.name}",
        "/api/v1/people/?ordering=standings__p_low",
    ):
        results = lea_api.get(path).json()["results"]
        assert all(row.get("name", "Lea Brandt") == "Lea Brandt" for row in results), path
