"""Days away, leaving, and asking for and offering help, on their pages."""

import pytest
from django.contrib.admin.sites import site
from django.test import Client
from django.urls import reverse

from coaching.models import Helper, Leave, Pair, Person, Waiting
from coaching.services import helping
from tests import factories


def test_somebody_notes_their_own_days_away_and_takes_them_back(lea_client, lea, pair):
    page = reverse("person-away", args=[lea.public_id])
    assert "My days away" in lea_client.get(page).text
    given = {"first_day": "2027-03-08", "last_day": "2027-03-12"}
    answer = lea_client.post(page, given, follow=True)
    assert "Letters wait" in answer.text
    assert "8 March 2027 to 12 March 2027" in answer.text
    leave = Leave.objects.get()
    assert leave.noted_by == lea
    lea_client.post(reverse("person-back", args=[lea.public_id, leave.pk]))
    assert not Leave.objects.exists()
    refused = lea_client.post(page, {**given, "last_day": "2027-03-01"}, follow=True)
    assert "The last day lies before the first." in refused.text


def test_days_away_are_for_oneself_and_ones_managers(
    pair, lea, ivo_client, otto_client, mara_client
):
    page = reverse("person-away", args=[lea.public_id])
    assert mara_client.get(page).status_code == 200
    for client in (ivo_client, otto_client):
        assert client.get(page).status_code == 404
        assert client.post(page, {"first_day": "2027-03-08"}).status_code == 404
        assert client.post(reverse("person-left", args=[lea.public_id])).status_code == 404


def test_a_manager_says_that_somebody_has_left(pair, ivo, lea, mara, mara_client):
    answer = mara_client.post(reverse("person-left", args=[ivo.public_id]), follow=True)
    assert "Ivo Marković has left." in answer.text
    assert Waiting.objects.get().learner == lea
    # Nobody signs themselves off.
    assert mara_client.post(reverse("person-left", args=[mara.public_id])).status_code == 404


def test_who_is_made_inactive_in_the_admin_has_left(pair, ivo, lea, hanna):
    hanna.user.is_staff = hanna.user.is_superuser = True
    hanna.user.save()
    client = Client()
    client.force_login(hanna.user)
    page = reverse("admin:coaching_person_change", args=[ivo.pk])
    form = client.get(page).context["adminform"].form
    values = {
        name: value for name in form.fields if (value := form[name].value()) not in (None, False)
    }
    assert site.is_registered(Person)
    answer = client.post(page, {key: value for key, value in values.items() if key != "active"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    ivo.refresh_from_db()
    assert not ivo.active
    assert Waiting.objects.get().learner == lea


# -- helping -----------------------------------------------------------------------------


@pytest.fixture
def passed(pair, team, csat, now) -> Pair:
    return factories.make_pair(
        factories.make_person("Noor Haddad", team=team, login="noor"),
        factories.make_person("Emil Bauer", team=team),
        metric=csat, cohort=pair.cohort, now=now, state="passed", passed_at=now,
    )  # fmt: skip


def test_a_graduate_is_asked_and_asked_to(pair, passed, client_of, mara_client, now):
    noor = client_of(passed.learner)
    offer = reverse("helper-offer", args=[passed.public_id])
    assert "Would you help somebody along?" in noor.get(f"/pairs/{passed.public_id}/").text
    noor.post(offer, {"willing": "yes", "from": "me"})
    board = reverse("cohort", args=[pair.cohort.public_id])
    assert "Glad to help" in mara_client.get(board).text
    given = {"person": passed.learner.public_id, "pair": pair.public_id}
    answer = mara_client.post(
        reverse("helper-ask", args=[pair.cohort.public_id]), given, follow=True
    )
    assert "Noor Haddad is asked to help" in answer.text
    helper = Helper.objects.get()
    page = noor.get(f"/pairs/{pair.public_id}/").text
    assert "Step back" in page
    noor.post(reverse("helper-stop", args=[pair.public_id, helper.pk]))
    helper.refresh_from_db()
    assert helper.until == now


def test_only_who_may_asks_and_offers(pair, passed, lea_client, ivo_client, otto_client, now):
    helping.offer(pair=passed, by=passed.learner, now=now, willing=True)
    invite = reverse("helper-invite", args=[pair.public_id])
    given = {"person": passed.learner.public_id}
    for client in (lea_client, ivo_client, otto_client):
        assert client.post(invite, given).status_code == 404
    assert ivo_client.post(reverse("helper-offer", args=[pair.public_id])).status_code == 404
    assert not Helper.objects.exists()
