"""The letters of a launch before it, and the hour after it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Letter, Pair
from coaching.notifications import rendering
from coaching.queries import clock
from coaching.services import launches


def address(name: str, *parts) -> str:
    return reverse(name, args=parts)


def test_every_letter_can_be_read_before_it_leaves(plan, mara, mara_client, now):
    page = mara_client.get(address("plan-letters", plan.public_id))
    assert f"{2 * plan.matched} letters would leave" in page.content.decode()
    draft = plan.draft_pairs.select_related("learner").first()
    for side in ("learner", "coach"):
        assert address("plan-letter", plan.public_id, draft.public_id, side) in page.text
    shown = mara_client.get(address("plan-letter", plan.public_id, draft.public_id, "learner"))
    frame = mara_client.get(address("plan-letter-html", plan.public_id, draft.public_id, "learner"))
    assert not Letter.objects.exists()
    launches.launch(plan=plan, by=mara, now=now)
    sent = rendering.render(Letter.objects.get(recipient=draft.learner))
    assert frame.text == sent.html
    assert shown.context["rendered"] == sent
    assert sent.subject in page.text
    # Once launched, the letters themselves can be read.
    assert mara_client.get(address("plan-letters", plan.public_id)).status_code == 302
    gone = mara_client.get(address("plan-letter", plan.public_id, draft.public_id, "learner"))
    assert gone.status_code == 404


def test_a_letter_that_is_not_there_is_not_there(plan, mara_client, otto_client):
    draft = plan.draft_pairs.first()
    for parts in ((draft.public_id, "manager"), ("bcdfghjkmnpq", "learner")):
        assert mara_client.get(address("plan-letter", plan.public_id, *parts)).status_code == 404
    for name in ("plan-letter", "plan-letter-html"):
        one = address(name, plan.public_id, draft.public_id, "learner")
        assert otto_client.get(one).status_code == 404
    assert otto_client.get(address("plan-letters", plan.public_id)).status_code == 404


def test_the_letters_cost_the_same_for_any_number(plan, mara_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(22):
        mara_client.get(address("plan-letters", plan.public_id))


@pytest.fixture
def launched(plan, mara, now):
    launches.launch(plan=plan, by=mara, now=now)
    return plan


def test_a_launch_is_taken_back_from_the_board(launched, mara_client, now, monkeypatch):
    cohort = launched.cohort.public_id
    board = mara_client.get(address("cohort", cohort))
    assert "sixty" not in board.text
    assert "60 minutes" in board.text
    assert 'data-left="3600"' in board.text
    answer = mara_client.post(address("launch-undo", cohort), follow=True)
    assert "The launch is taken back." in answer.text
    assert not Pair.objects.active().exists()
    assert mara_client.post(address("launch-undo", cohort), follow=True).text.count(
        launches.NotRunning.message
    )


def test_after_an_hour_there_is_no_such_button(
    launched, mara_client, otto_client, now, monkeypatch
):
    cohort = launched.cohort.public_id
    assert otto_client.post(address("launch-undo", cohort)).status_code == 404
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=61))
    assert "data-left" not in mara_client.get(address("cohort", cohort)).text
    answer = mara_client.post(address("launch-undo", cohort), follow=True)
    assert "for an hour" in answer.text
    assert Pair.objects.active().exists()
