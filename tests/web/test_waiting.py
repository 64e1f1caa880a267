"""The line of those who wait, and what a manager does about it."""

import re

import pytest
from django.urls import reverse

from coaching.models import Case, Pair, Person, Waiting
from coaching.services import departures, launches, waiting


@pytest.fixture
def place(plan, mara, now) -> Waiting:
    launches.launch(plan=plan, by=mara, now=now)
    pair = plan.cohort.pairs.order_by("pk").first()
    departures.end_pair(pair=pair, by=pair.coach, now=now)
    waiting.propose_due(now=now)
    return Waiting.objects.select_related("cohort", "learner").get()


def address(name: str, place: Waiting, *parts) -> str:
    return reverse(name, args=[place.cohort.public_id, *parts])


def test_the_board_and_the_list_name_who_waits(place, mara_client):
    board = mara_client.get(address("cohort", place)).text
    assert "A coach is proposed" in board
    assert "waiting for a coach" in board
    page = mara_client.get(address("waiting", place)).text
    coach = Person.objects.get(public_id=place.proposal["coach"])
    assert f"Pair {place.learner.first_name} with {coach.first_name}" in page
    assert str(place.proposal["score"]) in page


def test_a_manager_accepts_the_proposal(place, mara_client):
    coach = place.proposal["coach"]
    accept = address("waiting-accept", place, place.pk)
    answer = mara_client.post(accept, {"coach": coach}, follow=True)
    assert f"{place.learner.name} has a coach." in answer.text
    assert Pair.objects.active().get(learner=place.learner).coach.public_id == coach
    assert "Nobody waits" in answer.text
    again = mara_client.post(accept, {"coach": coach}, follow=True)
    assert waiting.Settled.message in again.text


def test_a_manager_says_why_somebody_waits_no_more(place, mara_client):
    drop = address("waiting-drop", place, place.pk)
    assert "Say in a sentence why" in mara_client.post(drop, follow=True).text
    note = {f"w{place.pk}-note": "Moves to another team."}
    answer = mara_client.post(drop, note, follow=True)
    assert "does not wait any more" in answer.text
    assert "Moves to another team." in answer.text
    place.refresh_from_db()
    assert place.outcome == "dropped"


def test_a_case_offers_other_coaches_by_name(plan, mara, mara_client, now):
    launches.launch(plan=plan, by=mara, now=now)
    pair = plan.cohort.pairs.order_by("pk").first()
    Pair.objects.filter(pk=pair.pk).update(state="stuck")
    case = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    page = mara_client.get(reverse("case", args=[case.public_id])).text
    offered = re.findall(r'<option value="(\w{12})">[^<]+ \(score \d+', page)
    assert offered
    assert pair.coach.public_id not in offered
    given = {"way": "coach", "coach": offered[0], "weeks": 4, "note": "New eyes."}
    decide = reverse("case-decide", args=[case.public_id])
    mara_client.post(decide, {"decision": "redirect", **given})
    assert Pair.objects.active().get(learner=pair.learner).coach.public_id == offered[0]


def test_the_list_is_for_its_managers(place, otto_client, client_of, lea):
    for client in (otto_client, client_of(lea)):
        assert client.get(address("waiting", place)).status_code == 404
        for name in ("waiting-accept", "waiting-drop"):
            assert client.post(address(name, place, place.pk)).status_code == 404
    assert Waiting.objects.get().settled_at is None


def test_a_coach_of_nowhere_is_not_chosen(place, mara_client, ivo):
    accept = address("waiting-accept", place, place.pk)
    assert mara_client.post(accept, {"coach": ivo.public_id}).status_code == 404
