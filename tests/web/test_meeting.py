"""Sessions, pages, help and an end, as the two of a pair find them; and answers by signed link."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from coaching.models import Letter, Pair, Session, Worksheet
from coaching.notifications import answers
from coaching.queries import clock
from coaching.services import sessions
from tests import factories
from tests.conftest import NOW

DAY = timedelta(days=1)
STARTS = NOW + 2 * DAY


@pytest.fixture
def planned(pair, lea) -> Session:
    return sessions.plan(pair=pair, starts_at=STARTS, place="Room 3", by=lea, now=NOW)


@pytest.fixture
def later(monkeypatch):
    """An hour after the planned session began."""
    monkeypatch.setattr(clock, "now", lambda: STARTS + timedelta(hours=1))


# -- the page of the two -----------------------------------------------------------------


def test_there_is_one_thing_to_do(pair, lea_client):
    text = lea_client.get("/me/").text
    assert "Agree on a first session with Ivo." in text
    assert re.search(r'class="btn btn-white" href="/pairs/\w+/#plan"', text)


def test_a_session_is_planned_on_ones_own_clock(pair, lea, lea_client):
    lea.time_zone = "America/New_York"
    lea.save()
    answer = lea_client.post(
        reverse("session-plan", args=[pair.public_id]),
        {"day": "2027-03-03", "at": "09:15", "minutes": 30, "place": "", "from": "me"},
        follow=True,
    )
    assert "Planned. Both of you get it for your calendars." in answer.text
    session = Session.objects.get()
    assert session.starts_at.isoformat() == "2027-03-03T14:15:00+00:00"
    assert "Wednesday, 3 March, 09:15" in answer.text


def test_a_time_that_is_over_is_refused_in_words(pair, lea_client):
    answer = lea_client.post(
        reverse("session-plan", args=[pair.public_id]),
        {"day": "2027-02-28", "at": "09:15", "minutes": 30},
        follow=True,
    )
    assert sessions.NotAhead.message in answer.text


def test_afterwards_it_is_said_with_one_button(planned, ivo_client, later):
    text = ivo_client.get("/me/").text
    assert "Did it take place?" in text
    where = reverse("session-answer", args=[planned.uid])
    answer = ivo_client.post(where, {"answer": "held", "from": "me"}, follow=True)
    assert "Noted. Thank you." in answer.text
    planned.refresh_from_db()
    assert planned.state == "held"


def test_only_the_two_move_a_session(planned, mara_client, otto_client):
    for client in (mara_client, otto_client):
        for name in ("session-move", "session-answer"):
            assert client.post(reverse(name, args=[planned.uid]), {}).status_code == 404


def test_a_manager_reads_the_sessions_and_plans_none(planned, pair, mara_client):
    text = mara_client.get(reverse("pair", args=[pair.public_id])).text
    assert "Wednesday, 3 March" in text
    assert "Put it into both calendars" not in text


def test_a_coach_reads_what_each_learner_needs(pair, ivo, ivo_client, team, csat):
    for name in ("Noor Haddad", "Ada Byron"):
        learner = factories.make_person(name, team=team)
        factories.make_pair(learner, ivo, metric=csat, cohort=pair.cohort, now=NOW)
    text = ivo_client.get("/me/").text
    assert "You coach three learners" in text
    for name in ("Noor", "Ada"):
        assert f"Agree on a first session with {name}." in text


@pytest.mark.parametrize("number", [1, 6])
def test_any_number_of_learners_costs_the_same(
    pair, ivo, ivo_client, team, csat, number, django_assert_max_num_queries
):
    for _ in range(number):
        learner = factories.make_person(team=team)
        factories.make_pair(learner, ivo, metric=csat, cohort=pair.cohort, now=NOW)
    with django_assert_max_num_queries(24):
        ivo_client.get("/me/")


# -- the page of the week ------------------------------------------------------------------


def test_the_learner_writes_and_the_coach_answers(pair, lea_client, ivo_client, mara_client):
    where = reverse("worksheet", args=[pair.public_id])
    assert "Lea writes first" in ivo_client.get(where).text
    lea_client.post(where, {"went": "Two good calls <b>", "will_try": "Pauses"})
    text = ivo_client.get(where).text
    assert "Two good calls &lt;b&gt;" in text
    ivo_client.post(where, {"coach_does": "Listen in"})
    sheet = Worksheet.objects.get()
    assert (sheet.will_try, sheet.coach_does) == ("Pauses", "Listen in")
    assert "Listen in" in mara_client.get(where).text


def test_who_is_not_of_the_pair_reads_no_page(pair, otto_client):
    assert otto_client.get(reverse("worksheet", args=[pair.public_id])).status_code == 404


@pytest.mark.parametrize(
    ("week", "status"),
    [("2027-03-01", 200), ("2027-03-05", 200), ("2027-02-22", 404), ("2027-03-08", 404),
     ("nonsense", 404)],
)  # fmt: skip
def test_there_is_a_page_for_every_week_of_the_pair(pair, lea_client, week, status):
    where = reverse("worksheet", args=[pair.public_id])
    assert lea_client.get(where, {"week": week}).status_code == status


# -- help, and an end ------------------------------------------------------------------------


def test_help_is_asked_of_the_manager(pair, mara, lea_client, ivo_client):
    where = reverse("help-ask", args=[pair.public_id])
    answer = lea_client.post(where, {"note": "We never find time."}, follow=True)
    assert "Mara Lindqvist has been asked." in answer.text
    assert Letter.objects.get().recipient == mara
    assert "We never find time." not in ivo_client.get("/me/").text


def test_either_ends_the_pair_without_a_reason(pair, planned, ivo_client, mara_client):
    where = reverse("pair-end", args=[pair.public_id])
    assert mara_client.get(where).status_code == 404
    assert "nobody asks for one" in ivo_client.get(where).text
    ivo_client.post(where)
    pair.refresh_from_db()
    planned.refresh_from_db()
    assert (pair.state, pair.ending) == ("ended", "declined")
    assert planned.state == "withdrawn"


# -- a signed link ---------------------------------------------------------------------------


def link(planned: Session, person, answer: str) -> str:
    return f"{answers.path(planned, person)}{answer}/"


def test_opening_a_link_changes_nothing_and_names_nobody(planned, lea, later):
    text = Client().get(link(planned, lea, "held")).text
    planned.refresh_from_db()
    assert planned.state == "planned"
    assert "Yes, it took place" in text
    for word in ("Lea", "Ivo", "satisfaction", "Room 3"):
        assert word not in text


@pytest.mark.parametrize(("answer", "state"), [("held", "held"), ("missed", "missed")])
def test_one_click_answers_and_two_clicks_answer_once(planned, lea, later, answer, state):
    for _ in range(2):
        assert "Noted" in Client().post(link(planned, lea, answer)).text
    planned.refresh_from_db()
    assert (planned.state, planned.logged_by) == (state, lea)


def test_a_link_moves_the_session(planned, ivo, later):
    where = link(planned, ivo, "moved")
    given = {"day": "2027-03-05", "at": "10:00", "minutes": 45, "place": "Room 3"}
    assert "Noted" in Client().post(where, given).text
    planned.refresh_from_db()
    assert planned.starts_at.isoformat() == "2027-03-05T09:00:00+00:00"


def test_before_it_began_nothing_is_said(planned, lea):
    assert "Not yet" in Client().get(link(planned, lea, "held")).text
    assert "Not possible now" in Client().post(link(planned, lea, "held")).text
    planned.refresh_from_db()
    assert planned.state == "planned"


def test_a_link_is_good_for_one_session_and_one_person(planned, pair, lea, mara, team, later):
    forged = link(planned, lea, "held").replace("/answers/", "/answers/x")
    assert Client().get(forged).status_code == 404
    # A stranger's link, well signed.
    assert Client().get(link(planned, mara, "held")).status_code == 404
    assert Client().get(link(planned, lea, "deleted")).status_code == 404
    lea.active = False
    lea.save()
    assert Client().get(link(planned, lea, "held")).status_code == 404


def test_a_manager_who_reads_the_letter_does_not_answer_in_anybodys_name(
    planned, lea, mara_client, lea_client, later
):
    assert mara_client.post(link(planned, lea, "held")).status_code == 404
    assert lea_client.post(link(planned, lea, "held")).status_code == 200


def test_a_link_does_nothing_once_the_pair_has_ended(planned, lea, later):
    Pair.objects.update(state="ended", ended_at=NOW, ending="left")
    assert sessions.NotSwimming.message in Client().post(link(planned, lea, "held")).text
    planned.refresh_from_db()
    assert planned.state == "planned"
