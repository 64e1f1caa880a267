"""The inbox of stuck pairs, a case with its three ways on, and the clocks of a cohort."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Case, Clinic, Event, Letter, Pair, TargetChange, Waiting
from coaching.services import progress
from tests import factories
from tests.conftest import NOW

DAY = timedelta(days=1)


@pytest.fixture
def case(pair) -> Case:
    Pair.objects.filter(pk=pair.pk).update(state="stuck")
    return Case.objects.create(
        pair=pair, episode=1, clock="activity", opened_at=NOW, escalates_at=NOW + 3 * DAY
    )


def test_the_inbox_shows_what_is_open_and_until_when(case, mara_client, make_pairs):
    text = mara_client.get(reverse("triage")).text
    assert "Lea Brandt with Ivo Marković" in text
    assert "goes one level up on 4 March" in text
    assert "Lea Brandt" not in mara_client.get(reverse("triage"), {"clock": "outcome"}).text
    assert "Lea Brandt" not in mara_client.get(reverse("triage"), {"state": "decided"}).text


def test_the_inbox_is_for_those_who_decide(case, lea_client, ivo_client, otto_client, mara, pair):
    for client in (lea_client, ivo_client):
        assert client.get(reverse("triage")).status_code == 404
    assert "Lea Brandt" not in otto_client.get(reverse("triage")).text
    assert otto_client.get(reverse("case", args=[case.public_id])).status_code == 404
    # Nobody decides about a pair they are half of, not even its manager.
    Pair.objects.filter(pk=pair.pk).update(coach=mara)


def test_a_manager_who_coaches_does_not_see_the_case(case, mara, mara_client, pair):
    Pair.objects.filter(pk=pair.pk).update(coach=mara)
    assert mara_client.get(reverse("case", args=[case.public_id])).status_code == 404
    assert "Lea Brandt" not in mara_client.get(reverse("triage")).text
    assert "Nothing needs you today." in mara_client.get("/").text


@pytest.mark.parametrize("number", [2, 12])
def test_a_long_inbox_costs_as_much_as_a_short_one(
    make_pairs, mara_client, number, django_assert_max_num_queries
):
    for pair in make_pairs(number):
        Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW)
    with django_assert_max_num_queries(16):
        assert mara_client.get(reverse("triage")).text.count("Look and decide") == number


def test_a_case_says_what_is_known_and_what_each_way_costs(case, pair, mara_client):
    factories.hold_session(pair, NOW.date())
    text = mara_client.get(reverse("case", args=[case.public_id])).text
    for words in (
        "Everything we have", "Another way", "End it here, openly", "They do not meet",
        "of both together", "moves from 26 April 2027 to 24 May 2027", "seat stays taken",
        "What was tried before", "Who was asked",
    ):  # fmt: skip
        assert words in text, words


def test_a_decision_without_a_reason_comes_back_with_what_was_chosen(case, mara_client):
    where = reverse("case-decide", args=[case.public_id])
    given = {"decision": "everything", "weeks": 6, "note": " "}
    answer = mara_client.post(where, given)
    assert "Say in a sentence why" in answer.text
    assert 'value="6"' in answer.text
    case.refresh_from_db()
    assert case.decided_at is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"way": "target", "target": "x"}, "Write the target as a number"),
        ({"way": "target", "target": "2.4"}, "beyond the start"),
        ({}, "Choose another coach or another target"),
    ],
)
def test_a_target_that_cannot_be_is_refused_beside_its_field(case, mara_client, given, told):
    answer = mara_client.post(
        reverse("case-decide", args=[case.public_id]),
        {"decision": "redirect", "weeks": 4, "note": "A step.", **given},
    )
    assert told in answer.text
    assert not TargetChange.objects.exists()


def test_another_target_is_seen_by_both_sides(case, pair, mara_client, lea_client, ivo_client):
    mara_client.post(
        reverse("case-decide", args=[case.public_id]),
        {"decision": "redirect", "way": "target", "target": "3,4", "weeks": 4,
         "coach": "next", "note": "One step first."},
    )  # fmt: skip
    for client in (lea_client, ivo_client, mara_client):
        text = client.get(reverse("pair", args=[pair.public_id])).text
        assert "the target moved from 3.60 to 3.40, by Mara Lindqvist" in text
        assert "One step first." in text


def test_another_coach_is_decided_on_the_page(case, pair, mara_client):
    answer = mara_client.post(
        reverse("case-decide", args=[case.public_id]),
        {"decision": "redirect", "way": "coach", "coach": "next", "weeks": 4, "note": "New eyes."},
        follow=True,
    )
    assert "Decided. Both of them are told" in answer.text
    assert Waiting.objects.get().after == pair


def test_a_decided_case_keeps_its_reason_and_is_not_decided_again(case, mara_client):
    where = reverse("case-decide", args=[case.public_id])
    for note in ("It is enough.", "Once more."):
        mara_client.post(where, {"decision": "accept", "note": note})
    case.refresh_from_db()
    assert (case.decision, case.note) == ("accept", "It is enough.")
    text = mara_client.get(reverse("case", args=[case.public_id])).text
    assert "It is enough." in text
    assert "Choose this" not in text
    assert Letter.objects.filter(kind="decided").count() == 2


def test_the_clocks_are_set_where_the_cohort_is(pair, mara_client, otto_client):
    where = reverse("cohort-clocks", args=[pair.cohort.public_id])
    clocks = {"first_session_days": 14, "next_session_days": 20, "readings_days": 30,
              "looks_without_movement": 8}  # fmt: skip
    assert otto_client.post(where, clocks).status_code == 404
    assert "The clocks are set." in mara_client.post(where, clocks, follow=True).text
    refused = mara_client.post(where, {**clocks, "readings_days": 400}, follow=True)
    assert progress.ClocksRefused("Choose from 3 to 90 days.").message in refused.text
    pair.cohort.refresh_from_db()
    assert (pair.cohort.first_session_days, pair.cohort.readings_days) == (14, 30)


def test_a_corrected_pass_is_settled_by_its_manager(pair, mara_client, lea_client):
    Pair.objects.filter(pk=pair.pk).update(
        state="passed", passed_at=NOW, evidence=[["2027-02-22", 20, 86]], review_since=NOW,
        review_note="Week of 22 February 2027: 4.30 in 20, now 3.10 in 20.",
    )  # fmt: skip
    assert "now 3.10 in 20" in mara_client.get(reverse("triage")).text
    page = reverse("pair", args=[pair.public_id])
    assert "now 3.10 in 20" in mara_client.get(page).text
    assert "now 3.10" not in lea_client.get(page).text
    where = reverse("pass-review", args=[pair.public_id])
    assert lea_client.post(where, {"answer": "confirm", "note": "-"}).status_code == 404
    told = mara_client.post(where, {"answer": "reopen", "note": "Counted twice."}, follow=True)
    assert "Reopened." in told.text
    assert Pair.objects.get(follows=pair).is_active


def test_a_clinic_is_planned_with_a_case_and_called_off_again(
    case, pair, ivo, mara_client, otto_client
):
    mara_client.post(
        reverse("case-decide", args=[case.public_id]),
        {"decision": "everything", "weeks": 4, "note": "All of you.", "clinic": "new",
         "led_by": ivo.public_id, "day": "2027-03-10", "at": "14:00", "minutes": 60,
         "place": "Room 1"},
    )  # fmt: skip
    clinic = Clinic.objects.get()
    assert clinic.starts_at.isoformat() == "2027-03-10T13:00:00+00:00"
    assert "led by Ivo Marković · one learner" in mara_client.get(reverse("triage")).text
    where = reverse("clinic-withdraw", args=[clinic.public_id])
    assert otto_client.post(where).status_code == 404
    assert "Called off" in mara_client.post(where, follow=True).text
    assert "led by Ivo" not in mara_client.get(reverse("triage")).text


def test_what_is_kept_is_english_whatever_language_decides(case, mara, mara_client):
    mara.reads = "de"
    mara.save()
    where = reverse("case-decide", args=[case.public_id])
    refused = mara_client.post(where, {"decision": "accept", "note": ""})
    assert "Sag in einem Satz, warum" in refused.text
    page = mara_client.post(where, {"decision": "accept", "note": "No time"}, follow=True).text
    assert "Entschieden. Beide erfahren es" in page
    assert "Hier beenden, offen" in page
    verbs = set(Event.objects.values_list("verb", flat=True))
    assert {"case decided: end it here, openly", "pair ended: ended openly, by decision"} <= verbs
    Case.objects.update(note="No session for 12 days.", decision="recovered")
    page = mara_client.get(reverse("case", args=[case.public_id])).text
    assert "Seit 12 Tagen kein Treffen." in page
