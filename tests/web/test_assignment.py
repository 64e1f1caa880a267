"""My assignment: who, why, on what, how far and what next, for everybody there is."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import HandRaise, Look, Pair, Reading, Standing, Waiting, Yardstick
from coaching.services import departures
from tests import factories
from tests.conftest import NOW

WEEK = timedelta(weeks=1)


def first_screen(text: str) -> str:
    """The part of the page that a phone shows before anybody scrolls."""
    found = re.search(r'<section class="sheet water assignment.*?</section>', text, re.S)
    assert found
    return found[0]


def settle(pair: Pair, state: str, **values) -> None:
    Pair.objects.filter(pk=pair.pk).update(state=state, **values)


def look(pair: Pair, number: int, level: float) -> Look:
    return Look.objects.create(
        pair=pair, week=pair.counts_from + (number - 1) * WEEK, number=number, n=80, level=level,
        se=0.1, p_reached=0.1, taken_at=NOW,
    )  # fmt: skip


def test_one_screen_says_who_why_what_where_and_next(pair, lea_client):
    screen = first_screen(lea_client.get("/me/").text)
    for told in (
        "Ivo Marković",
        "Ivo reliably does well in Customer satisfaction",
        reverse("pair-why", args=[pair.public_id]),
        "by 26 April",
        "no full week yet",
        "target 3.60",
        "Agree on a first session with Ivo.",
        "Plan a session",
    ):
        assert told in screen, told


def test_mid_way_it_says_how_far(pair, lea_client):
    look(pair, 1, 3.31)
    assert "now 3.31" in first_screen(lea_client.get("/me/").text)


def test_a_stuck_pair_is_told_who_decides_and_that_nobody_is_to_blame(pair, lea_client, ivo_client):
    settle(pair, "stuck")
    assert "Your manager has been asked how to go on." in lea_client.get("/me/").text
    text = ivo_client.get("/me/").text
    assert "Lea&#x27;s manager has been asked how to go on. Nobody is to blame" in text


def test_a_pass_stays_on_top_for_four_weeks(pair, lea_client):
    settle(pair, "passed", passed_at=NOW - 3 * WEEK)
    screen = first_screen(lea_client.get("/me/").text)
    assert "Say thank you" in screen
    assert "Your coach was" in screen
    settle(pair, "passed", passed_at=NOW - 5 * WEEK)
    text = lea_client.get("/me/").text
    assert "Hello Lea" in text
    assert "Earlier pairs" in text


def test_an_ended_pair_makes_room_for_what_one_can_do(pair, lea_client):
    settle(pair, "ended", ended_at=NOW, ending="accepted")
    text = lea_client.get("/me/").text
    assert "You are in no pair right now." in text
    assert "Earlier pairs" in text
    assert "Raise my hand" in text
    assert reverse("skills") in text


def test_in_no_pair_at_all_there_is_something_to_do(lea_client, csat):
    text = lea_client.get("/me/").text
    assert "A free lane" in text
    assert "<summary>I would like a coach</summary>" in text
    assert '<details class="fold" open><summary>I would like a coach' in text
    for name in ("skills", "my-data"):
        assert reverse(name) in text


def test_between_two_coaches_nobody_is_kept_in_suspense(pair, ivo, lea_client):
    departures.end_pair(pair=pair, by=ivo, now=NOW)
    assert Waiting.objects.filter(learner=pair.learner).exists()
    text = lea_client.get("/me/").text
    assert "You are between two coaches." in text
    assert "A coach is being found for you" in text
    assert "A free lane" not in text


def test_two_pairs_as_a_learner_both_stand_there(pair, lea, team, lea_client):
    metric = factories.make_metric("pace", name="Pace")
    ada = factories.make_person("Ada Byron", team=team)
    factories.make_pair(lea, ada, metric=metric, cohort=pair.cohort, now=NOW)
    text = lea_client.get("/me/").text
    assert "You also learn" in text
    assert {"Ivo Marković", "Ada Byron"} <= set(re.findall(r"Ivo Marković|Ada Byron", text))


def test_who_learns_and_coaches_learns_first(pair, lea, team, lea_client):
    noor = factories.make_person("Noor Haddad", team=team)
    metric = factories.make_metric("pace", name="Pace")
    factories.make_pair(noor, lea, metric=metric, cohort=pair.cohort, now=NOW)
    text = lea_client.get("/me/").text
    assert "Your coach" in first_screen(text)
    assert text.index("Ivo Marković") < text.index("Noor Haddad")
    assert reverse("coaching") in text


def test_a_coach_of_several_reads_first_whom_they_owe_something(pair, ivo, team, csat, ivo_client):
    quiet = factories.make_person("Zoë Quiet", team=team)
    met = factories.make_pair(quiet, ivo, metric=csat, cohort=pair.cohort, now=NOW - WEEK)
    factories.hold_session(met, (NOW - timedelta(days=2)).date())
    settle(met, "stuck")
    text = ivo_client.get("/me/").text
    assert "You coach two learners" in text
    assert "Something waits for you with one of them; it stands first." in text
    # Lea's pair has had no session: that waits for Ivo, although the other is stuck.
    assert text.index("Lea Brandt") < text.index("Zoë Quiet")


def test_a_hand_is_not_raised_for_a_skill_that_is_not_there(lea, lea_client):
    lea_client.post(reverse("hand-raise"), {"metric": "99999", "note": "x"})
    lea_client.post(reverse("hand-raise"), {"metric": "' or 1=1", "note": "x" * 5000})
    assert not HandRaise.objects.exists()


# -- the line without coaching ---------------------------------------------------------------


@pytest.fixture
def peers(pair, csat, team) -> Pair:
    """Seven uncoached colleagues in Lea's peer group, who moved up by 0.2 since the launch."""
    ranking = pair.cohort.ranking
    people = [pair.learner, pair.coach]
    people += [factories.make_person(f"Peer {n}", team=team) for n in range(7)]
    Yardstick.objects.create(
        ranking=ranking, metric=csat, weight=1, group="", people=len(people), mean=3.5, tau2=0.09,
        tau2_plug_in=0.09, sigma2=0.9, scale=0.4, top_quartile=3.9, low_cut=3.2,
    )  # fmt: skip
    for person in people:
        Standing.objects.create(
            ranking=ranking, person=person, metric=csat, group="", n=400, raw=3.5, estimate=3.5,
            se=0.05, reliability=0.9, z=0, p_low=0.1, p_high=0.1, p_need=0.4, p_skill=0.4,
            rank_low=0.2, rank_high=0.8, band="middle",
        )  # fmt: skip
    for person in people[2:]:
        for week in range(14):
            factories.add_reading(person, csat, ranking.since + week * WEEK, mean=3.4)
        for week in range(3):
            factories.add_reading(person, csat, pair.counts_from + week * WEEK, mean=3.6)
    for number in (1, 2, 3):
        look(pair, number, 3.0 + 0.1 * number)
    return pair


def test_the_picture_shows_what_would_be_expected_anyway(peers, lea_client):
    text = lea_client.get("/me/").text
    # The baseline is 3.0, and uncoached colleagues went up by 0.2.
    assert "without coaching 3.20 would be expected" in text
    assert "picture-expected" in text
    assert text.count('<td class="number">3.20</td>') >= 3


def test_fewer_than_five_colleagues_draw_no_line(peers, lea_client):
    Standing.objects.filter(person__name__in=["Peer 0", "Peer 1", "Peer 2"]).delete()
    assert "picture-expected" not in lea_client.get("/me/").text


def test_colleagues_with_a_coach_are_no_comparison(peers, lea_client, csat, ivo):
    for number in range(3):
        peer = Standing.objects.get(person__name=f"Peer {number}").person
        factories.make_pair(peer, ivo, metric=csat, cohort=peers.cohort, now=NOW)
    assert "picture-expected" not in lea_client.get("/me/").text


@pytest.mark.parametrize("weeks", [1, 12])
def test_the_page_costs_the_same_for_any_number_of_weeks(
    peers, lea_client, csat, weeks, django_assert_max_num_queries
):
    for week in range(3, 3 + weeks):
        factories.add_reading(peers.learner, csat, peers.counts_from + week * WEEK, mean=3.3)
        look(peers, week + 1, 3.3)
    assert Reading.objects.filter(person=peers.learner).count() == weeks
    with django_assert_max_num_queries(28):
        lea_client.get("/me/")
