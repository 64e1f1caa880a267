"""Each page opens for whom it is meant, and does not exist for others."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from coaching.models import Case, Import, Letter
from coaching.services import launches

MANAGERS = ["imports", "import-new", "rankings", "cohorts", "teams"]


@pytest.mark.parametrize("name", ["home", "me", "letters", *MANAGERS])
def test_a_stranger_is_asked_to_sign_in(client, db, name):
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert answer.url == f"/login/?next={reverse(name)}"


@pytest.mark.parametrize("name", MANAGERS)
def test_managers_pages_do_not_exist_for_staff(mara_client, lea_client, name):
    assert mara_client.get(reverse(name)).status_code == 200
    assert lea_client.get(reverse(name)).status_code == 404


def test_the_front_page_is_the_managers_and_staff_go_to_their_assignment(mara_client, lea_client):
    assert mara_client.get("/").status_code == 200
    assert lea_client.get("/").url == "/me/"


def test_a_pair_is_seen_by_its_two_and_their_manager(
    pair, mara_client, ivo_client, lea_client, otto_client
):
    address = reverse("pair", args=[pair.public_id])
    for client in (mara_client, ivo_client, lea_client):
        assert client.get(address).status_code == 200
    assert otto_client.get(address).status_code == 404


def test_staff_read_neither_weak_nor_a_rank_nor_a_score(pair, ivo_client, lea_client):
    for client in (ivo_client, lea_client):
        for address in ("/me/", reverse("pair", args=[pair.public_id])):
            words = re.sub(r"<[^>]+>", " ", client.get(address).text).casefold()
            assert not re.search(r"\bweak|\brank|score 700", words)


def test_everybody_of_a_pair_reads_what_happened_and_only_the_manager_decides(
    pair, mara_client, lea_client, now
):
    Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    address = reverse("pair", args=[pair.public_id])
    for client, decides in ((mara_client, True), (lea_client, False)):
        text = client.get(address).text
        assert "What happened" in text
        assert ("This pair needs your decision" in text) == decides


@pytest.mark.parametrize("page", ["cohort", "plan", "ranking", "cohort-new", "person"])
def test_another_manager_finds_nothing(page, plan, mara_client, otto_client):
    ids = {
        "cohort": plan.cohort.public_id,
        "plan": plan.public_id,
        "ranking": plan.cohort.ranking.public_id,
        "cohort-new": plan.cohort.ranking.public_id,
        "person": plan.draft_pairs.first().learner.public_id,
    }
    address = reverse(page, args=[ids[page]])
    assert mara_client.get(address).status_code == 200
    assert otto_client.get(address).status_code == 404


def test_a_letter_is_its_readers_and_their_managers(
    plan, now, mara, mara_client, otto_client, client_of
):
    launches.launch(plan=plan, by=mara, now=now)
    letter = Letter.objects.filter(kind=Letter.Kind.INVITATION).first()
    for name in ("letter", "letter-html"):
        address = reverse(name, args=[letter.public_id])
        assert mara_client.get(address).status_code == 200
        assert otto_client.get(address).status_code == 404


def test_an_upload_is_seen_by_who_made_it(mara, now, mara_client, otto_client):
    source = Import.objects.create(
        filename="calls.csv", size=10, sha256="0", uploaded_by=mara, created_at=now
    )
    address = reverse("import", args=[source.public_id])
    assert mara_client.get(address).status_code == 200
    assert otto_client.get(address).status_code == 404


def test_a_login_without_a_person_is_told_so(client, db):
    client.force_login(get_user_model().objects.create_user("nobody"))
    answer = client.get("/")
    assert answer.status_code == 403
    assert "Nobody is linked to this login" in answer.text


def test_weeks_pass_only_in_a_simulated_centre(mara_client, lea_client):
    for client in (mara_client, lea_client):
        assert client.post(reverse("simulate-week")).status_code == 404
    assert "Let a week pass" not in mara_client.get("/").text


@pytest.mark.parametrize(
    "name", ["session-log", "plan-launch", "plan-solve", "rule-add", "plan-undo"]
)
def test_what_changes_something_is_posted(plan, mara_client, name):
    assert mara_client.get(reverse(name, args=[plan.public_id])).status_code == 405
