"""The server's person's lists: of any length, searchable, and nothing that rewrites history."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from coaching import admin as ours
from coaching import models
from coaching.services import audit
from tests import factories

REGISTERED = [model for model in admin.site._registry if model._meta.app_label == "coaching"]
EDITABLE = {models.Person, models.Team, models.Metric, models.Scorecard}


@pytest.fixture
def root(db) -> Client:
    """Somebody who runs the server, and is nobody in the contact centre."""
    user = get_user_model().objects.create_user(
        "root", password="swim-lane-7", is_staff=True, is_superuser=True
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def fill(team, mara, csat, make_pairs, now) -> Callable[[int], None]:
    """So many rows of every kind, each about other people."""

    def more(number: int) -> None:
        for at, pair in enumerate(make_pairs(number)):
            moment = now + timedelta(minutes=at)
            person = pair.learner
            made = factories.make_team(parent=team)
            made.manager = person
            made.save()
            unique = f"{pair.public_id}"
            metric = factories.make_metric(unique)
            cohort = factories.make_cohort(made, metric, now=moment)
            models.Cohort.objects.filter(pk=cohort.pk).update(created_by=person)
            models.Ranking.objects.filter(pk=cohort.ranking_id).update(created_by=person)
            models.Leave.objects.create(
                person=person, first_day=moment.date(), noted_by=pair.coach, noted_at=moment
            )
            models.Import.objects.create(
                filename=f"{unique}.csv", size=1, sha256="0", uploaded_by=person, created_at=moment
            )
            models.Plan.objects.create(cohort=cohort, created_at=moment)
            models.Case.objects.create(
                pair=pair, episode=1, clock="activity", opened_at=moment, decision="accept",
                decided_at=moment, decided_by=person, note="Between us.",
            )  # fmt: skip
            models.Waiting.objects.create(
                cohort=cohort, learner=person, metric=metric, why="left", place=at, since=moment
            )
            models.Letter.objects.create(
                dedupe_key=unique, kind="reminder", recipient=person, created_at=moment,
                next_attempt_at=moment, context={"note": "Between us."},
            )  # fmt: skip
            models.Bounce.objects.create(email=f"{unique}@example.com", last_at=moment)
            channel = models.Channel.objects.create(
                person=person, kind="webhook", url="https://example.com/secret-path",
                secret="whsec_0000", made_at=moment,
            )  # fmt: skip
            models.Push.objects.create(
                channel=channel, kind="reminder", created_at=moment, next_attempt_at=moment
            )
            audit.record(
                "pass confirmed", pair, by=person, now=moment, team=made, note="Between us."
            )
            models.Beat.objects.create(name=unique, at=moment)

    return more


def changelist(model: type) -> str:
    return reverse(f"admin:coaching_{model._meta.model_name}_changelist")


def test_every_list_costs_the_same_for_any_number_of_rows(
    fill, root, django_assert_max_num_queries
):
    def cost(model: type) -> int:
        with django_assert_max_num_queries(20) as queries:
            answer = root.get(changelist(model))
        assert answer.status_code == 200
        assert answer.context["cl"].result_count >= 2, model
        return len(queries)

    fill(2)
    # The first page of a process asks what kinds of rows there are.
    cost(REGISTERED[0])
    few = {model: cost(model) for model in REGISTERED}
    fill(30)
    many = {model: cost(model) for model in REGISTERED}
    assert {model.__name__: many[model] - few[model] for model in REGISTERED} == {
        model.__name__: 0 for model in REGISTERED
    }


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_every_list_can_be_searched(model, fill, root):
    fill(1)
    assert admin.site._registry[model].search_fields
    answer = root.get(changelist(model), {"q": "nobody-of-this-name"})
    assert answer.context["cl"].result_count == 0
    for nonsense in ("'; --", "%", "x" * 500):
        assert root.get(changelist(model), {"q": nonsense}).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_every_row_opens_and_history_is_only_read(model, fill, root):
    fill(1)
    row = model.objects.order_by("pk").last()
    address = reverse(f"admin:coaching_{model._meta.model_name}_change", args=[row.pk])
    assert root.get(address).status_code == 200
    if model in EDITABLE:
        return
    assert issubclass(type(admin.site._registry[model]), ours.ReadOnly)
    assert root.post(address, {}).status_code == 403
    assert root.get(address.replace("change", "delete")).status_code == 403
    add = reverse(f"admin:coaching_{model._meta.model_name}_add")
    assert root.get(add).status_code == 403


def test_nobody_reads_here_what_people_wrote_or_how_they_do(fill, root):
    fill(1)
    for model in REGISTERED:
        row = model.objects.order_by("pk").last()
        address = reverse(f"admin:coaching_{model._meta.model_name}_change", args=[row.pk])
        for text in (root.get(address).text, root.get(changelist(model)).text):
            for private in ("Between us.", "secret-path", "whsec_", "calendar_key"):
                assert private not in text, (model, private)
    numbers = {"Reading", "Standing", "Look", "Worksheet", "Thanks", "Visit", "HandRaise"}
    assert not numbers & {model.__name__ for model in REGISTERED}
    assert numbers <= {model.__name__ for model in apps.get_app_config("coaching").get_models()}


# -- what is changed here has its consequences -----------------------------------------------


def save(root: Client, person: models.Person, **changes) -> str:
    given = {
        "key": person.key, "name": person.name, "kind": person.kind, "email": person.email,
        "team": person.team_id, "role": person.role, "time_zone": person.time_zone,
        "working_days": person.working_days, "day_begins": "08:00", "day_ends": "17:00",
        "capacity": person.capacity, "access": person.access, "active": "on", "site": "",
        "shift": "", "language": "", **changes,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    address = reverse("admin:coaching_person_change", args=[person.pk])
    return root.post(address, given, follow=True).text


def test_other_seats_are_told_to_the_audit_trail(pair, root):
    save(root, pair.coach, capacity=4)
    pair.coach.refresh_from_db()
    assert pair.coach.capacity == 4
    assert models.Event.objects.get(verb="seats changed").details == {"old": 2, "new": 4}
    assert "from 0 to 50" in save(root, pair.coach, capacity=51)
    pair.coach.refresh_from_db()
    assert pair.coach.capacity == 4


def test_who_is_made_inactive_has_left(pair, root):
    save(root, pair.coach, active=None)
    pair.refresh_from_db()
    assert pair.ending == models.Pair.Ending.LEFT


def test_nobody_is_deleted(pair, root):
    address = reverse("admin:coaching_person_delete", args=[pair.coach.pk])
    assert root.post(address, {"post": "yes"}).status_code == 403
    assert models.Person.objects.filter(pk=pair.coach.pk).exists()


def test_staff_and_managers_do_not_get_in(mara_client, lea_client):
    for client in (mara_client, lea_client):
        assert client.get(reverse("admin:coaching_pair_changelist")).status_code == 302
