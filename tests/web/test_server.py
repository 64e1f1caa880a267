"""The pages of whoever runs the server."""

import re
import tomllib
from datetime import timedelta

import pytest
from django.test import Client

from coaching.models import Beat, Pair
from coaching.notifications import messages, outbox
from tests import factories


@pytest.fixture
def admin(db, django_user_model) -> Client:
    """Somebody who runs the server and is nobody in it."""
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root", password="swim-lane-7"))
    return client


@pytest.mark.parametrize("page", ["/status/", "/styleguide/"])
def test_only_staff_of_the_server_see_them(client, mara_client, admin, page):
    assert client.get(page).status_code == 302
    assert mara_client.get(page).status_code == 404
    assert admin.get(page).status_code == 200


def test_the_style_guide_shows_every_component_once(admin, pair, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        text = admin.get("/styleguide/").text
    for title in ("Progress picture", "Strip of estimates", "Dialog and toast", "To a launch"):
        assert title in text
    for drawn in ('class="picture"', 'class="strip"', "<dialog", "flash-float", "steps-plan"):
        assert text.count(drawn) == 1, drawn
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert " style=" not in text
    # Nobody real is in it, and nothing is stored for it.
    assert pair.learner.public_id not in text
    assert Pair.objects.count() == 1


def test_the_status_says_what_is_wrong_and_what_to_do(admin, now):
    assert "No tick has run yet" in admin.get("/status/").content.decode()
    Beat.objects.create(name="tick", at=now - timedelta(minutes=2))
    assert "All is well" in admin.get("/status/").content.decode()


@pytest.mark.parametrize("letters", [1, 10])
def test_the_status_costs_the_same_for_any_number_of_letters(
    admin, pair, now, letters, django_assert_max_num_queries
):
    for number in range(letters):
        person = factories.make_person(f"Reader {number}")
        outbox.promise([messages.closed(pair.cohort, person, pairs=1, passed=1, is_manager=False)],
                       now=now)  # fmt: skip
    with django_assert_max_num_queries(20):
        admin.get("/status/")


def test_the_version_is_told_once(settings):
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    assert project["project"]["version"] == settings.VERSION
