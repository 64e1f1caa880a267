"""My coaching: whom, what next, one's own numbers, and thanks between two people."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Dip, Event, Notice, Pair, Thanks
from coaching.queries import clock
from coaching.services import sessions, thanks
from tests import factories
from tests.coaches import rank_coach, weeks
from tests.conftest import NOW


def say(client, pair: Pair, text: str = "Your questions helped."):
    return client.post(reverse("thanks-say", args=[pair.public_id]), {"text": text}, follow=True)


# -- the page ------------------------------------------------------------------------------


def test_a_coach_reads_learners_sessions_and_thanks(pair, lea, lea_client, ivo_client):
    sessions.plan(pair=pair, starts_at=NOW + timedelta(days=2), by=lea, now=NOW, place="Room 3")
    say(lea_client, pair)
    text = ivo_client.get(reverse("coaching")).text
    for told in (
        "You coach one learner, with room for 2.",
        "Lea Brandt",
        "Wednesday, 3 March, 08:30",
        "Room 3",
        "“Your questions helped.”",
        "No ranking knows your own numbers",
    ):
        assert told in text, told


def test_a_dip_is_shown_to_the_coach_in_words(pair, ivo, csat, ivo_client, monkeypatch):
    rank_coach(pair)
    weeks(pair, *[3.3] * 3)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(weeks=4))
    text = ivo_client.get(reverse("coaching")).text
    assert "4.00 before you began, 3.30 in the last weeks." in text
    assert "too early to tell it from chance" in text
    Dip.objects.create(person=ivo, metric=csat, before=4, level=3.3, week=NOW.date(), found_at=NOW)
    assert "Notably below" in ivo_client.get(reverse("coaching")).text


def test_who_coaches_nobody_reads_what_will_come(lea_client):
    text = lea_client.get(reverse("coaching")).text
    assert "You coach nobody yet." in text
    assert "Nobody in your lane right now" in text


def test_what_was_reached_stays(pair, ivo_client):
    Pair.objects.filter(pk=pair.pk).update(state="passed", passed_at=NOW)
    text = ivo_client.get(reverse("coaching")).text
    assert "one learner reached the target with you" in text
    assert "Earlier pairs" in text


@pytest.mark.parametrize("number", [1, 7])
def test_any_number_of_learners_costs_the_same(
    pair, ivo, ivo_client, team, csat, number, django_assert_max_num_queries
):
    for place in range(number):
        learner = factories.make_person(team=team)
        other = factories.make_pair(learner, ivo, metric=csat, cohort=pair.cohort, now=NOW)
        Thanks.objects.create(pair=other, text=f"Thanks {place}", day=NOW.date(), at=NOW)
    with django_assert_max_num_queries(22):
        assert ivo_client.get(reverse("coaching")).text.count("“Thanks ") == number


def test_nobody_comes_in_without_a_login(client):
    assert client.get(reverse("coaching")).status_code == 302


# -- thanks --------------------------------------------------------------------------------


def test_the_coach_is_told_the_words_and_the_trail_is_not(pair, lea_client, ivo):
    answer = say(lea_client, pair, "  Your   questions helped. ")
    assert "Ivo reads it now." in answer.text
    assert Thanks.objects.get().text == "Your questions helped."
    notice = Notice.objects.get(person=ivo)
    assert notice.text == "Lea Brandt thanks you: “Your questions helped.”"
    assert notice.link == "/me/coaching/#thanks"
    event = Event.objects.get(verb="coach thanked")
    assert "questions" not in str(event.details)


@pytest.mark.parametrize("state", ["passed", "ended"])
def test_it_can_be_said_long_after(pair, lea_client, state):
    values = {"passed": {"passed_at": NOW}, "ended": {"ended_at": NOW, "ending": "accepted"}}
    Pair.objects.filter(pk=pair.pk).update(state=state, **values[state])
    assert 'id="thanks"' in lea_client.get(reverse("pair", args=[pair.public_id])).text
    say(lea_client, pair)
    assert Thanks.objects.count() == 1


def test_once_a_day(pair, lea, lea_client):
    say(lea_client, pair)
    assert thanks.SaidToday.message in say(lea_client, pair, "Again").text
    assert Thanks.objects.count() == 1
    thanks.say(pair=pair, text="Tomorrow too", by=lea, now=NOW + timedelta(days=1))
    assert Thanks.objects.count() == 2


@pytest.mark.parametrize("text", ["", "   ", "x" * 301, "\x00"])
def test_nothing_and_too_much_are_refused_on_the_page(pair, lea_client, text):
    assert say(lea_client, pair, text).status_code == 200
    assert not Thanks.objects.exists()


def test_only_the_learner_thanks(pair, ivo_client, mara_client, otto_client):
    assert thanks.NotTheLearner.message in say(ivo_client, pair).text
    assert thanks.NotTheLearner.message in say(mara_client, pair).text
    assert say(otto_client, pair).status_code == 404
    assert not Thanks.objects.exists()


def test_only_the_two_read_it(pair, lea_client, ivo_client, mara_client):
    say(lea_client, pair, "Your questions <b>helped</b>.")
    where = reverse("pair", args=[pair.public_id])
    for client in (lea_client, ivo_client):
        assert "Your questions &lt;b&gt;helped&lt;/b&gt;." in client.get(where).text
    assert "helped" not in mara_client.get(where).text


def test_a_coach_who_has_left_is_told_nothing(pair, ivo, lea_client):
    ivo.active = False
    ivo.save()
    say(lea_client, pair)
    assert Thanks.objects.exists()
    assert not Notice.objects.filter(person=ivo).exists()


# -- why this pair -------------------------------------------------------------------------


def test_everybody_of_a_pair_reads_the_same_reasons(
    pair, lea_client, ivo_client, mara_client, otto_client
):
    where = reverse("pair-why", args=[pair.public_id])
    assert "Who can best help you with Customer satisfaction?" in lea_client.get(where).text
    assert "which is where Lea can gain most" in ivo_client.get(where).text
    assert "Who can best help Lea Brandt" in mara_client.get(where).text
    assert otto_client.get(where).status_code == 404
    for client in (lea_client, ivo_client, mara_client):
        text = client.get(where).text
        assert "weak" not in text.casefold()
        assert "700" not in text
