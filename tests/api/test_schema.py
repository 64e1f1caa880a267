"""The description fits the API, and its page works without anybody else's server."""

import re
from io import StringIO

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

from tests.api import routes


def test_the_description_is_valid_and_without_warnings():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


@pytest.fixture
def described(client, db) -> dict:
    return client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()


def test_every_route_is_described_with_its_problems(described):
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len(described["paths"]) == len(set(routes.names())) - 2  # the schema and its page
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["4XX"]["content"]
        open_to_all = operation["operationId"].startswith("auth_")
        assert open_to_all or operation["security"] == [{"token": []}, {"cookieAuth": []}]


def test_nothing_is_called_all(described):
    """No shape tells row numbers or passwords, however it came about."""
    for name, shape in described["components"]["schemas"].items():
        fields = set(shape.get("properties", {}))
        assert not fields & {"pk", "user", "lease_token", "dedupe_key", "content"}, name
        if "id" in fields:
            assert shape["properties"]["id"]["type"] == "string", name
        assert "password" not in fields or name == "CredentialsRequest"


def test_the_page_needs_nothing_from_elsewhere(client, db):
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    for path in re.findall(r'(?:src|href)="/static/([^"]+)"', text):
        assert finders.find(path), path
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")


def test_only_the_page_may_have_styles_inline(client, db):
    assert (
        "style-src 'self' 'unsafe-inline'" in client.get("/api/v1/docs/")["Content-Security-Policy"]
    )
    assert "script-src" not in client.get("/api/v1/docs/")["Content-Security-Policy"]
    for path in ("/api/v1/schema/", "/api/v1/me/"):
        assert "unsafe" not in client.get(path)["Content-Security-Policy"]
