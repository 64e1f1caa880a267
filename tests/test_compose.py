"""The deployment as it is written: every part is there, healthy by its own word."""

from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = ("migrate", "web", "worker", "beat")


def test_every_part_is_there():
    assert set(COMPOSE) == {*OURS, "postgres", "redis", "mail"}


@pytest.mark.parametrize("name", sorted(set(COMPOSE) - {"migrate"}))
def test_each_part_says_whether_it_is_healthy(name):
    assert COMPOSE[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", OURS)
def test_ours_run_without_rights_and_wait_for_what_they_need(name):
    service = COMPOSE[name]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    waits = service["depends_on"]
    assert waits["postgres"] == {"condition": "service_healthy"}
    if name != "migrate":
        assert waits["migrate"] == {"condition": "service_completed_successfully"}


def test_its_commands_exist():
    words = [COMPOSE["migrate"]["command"].split(), COMPOSE["beat"]["healthcheck"]["test"][1:]]
    for command in words:
        assert command[:2] == ["python", "manage.py"]
        assert command[2] in get_commands()


def test_the_image_holds_what_the_code_needs():
    recipe = COMPOSE["web"]["build"]["dockerfile_inline"]
    for part in ("manage.py", "config", "coaching", "templates", "requirements/run.txt"):
        assert part in recipe
        assert (ROOT / part).exists()
