"""The manager's home: is everybody going to pass, and what needs me?"""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Bounce, Case, Letter, Pair, Session, Waiting
from coaching.queries import quiet, undelivered
from coaching.services import departures
from tests import factories


def plan_session(pair: Pair, at) -> Session:
    return Session.objects.create(
        pair=pair, state="planned", starts_at=at, logged_by=pair.coach, logged_at=pair.started_at
    )


def fail_letter(pair: Pair, recipient, *, now, **values) -> Letter:
    number = Letter.objects.count()
    values = {
        "state": Letter.State.DEAD, "kind": Letter.Kind.REMINDER, "failure": "refused",
        "outcome": "550 gone", "next_attempt_at": now, **values,
    }  # fmt: skip
    return Letter.objects.create(
        dedupe_key=f"f:{number}", recipient=recipient, pair=pair,
        cohort=pair.cohort, created_at=now, context={}, **values,
    )  # fmt: skip


def refuse(person, *, now) -> Bounce:
    return Bounce.objects.create(
        email=person.email.lower(), times=2, last_at=now, suppressed_at=now
    )


# -- is everybody going to pass? -----------------------------------------------------------


def test_the_headline_answers_whether_everybody_is_going_to_pass(make_pairs, mara_client, now):
    pairs = make_pairs(3)
    assert "Everybody is on the way." in mara_client.get("/").text
    Pair.objects.filter(pk=pairs[0].pk).update(state=Pair.State.AT_RISK)
    assert "One of 3 may not pass without you." in mara_client.get("/").text
    Pair.objects.update(state=Pair.State.PASSED, passed_at=now)
    assert "Everybody has passed." in mara_client.get("/").text


def test_who_waits_for_a_coach_may_not_pass_either(pair, lea, mara_client, now):
    Waiting.objects.create(
        cohort=pair.cohort, learner=factories.make_person("Nils", team=lea.team), place=1,
        why="no_seat", since=now,
    )  # fmt: skip
    assert "One of 2 may not pass without you." in mara_client.get("/").text


# -- quiet pairs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "met", "named"),
    [(4, False, False), (6, False, True), (8, True, False), (10, True, True)],
)
def test_a_pair_is_quiet_a_few_days_before_its_clock_runs_out(pair, mara, now, days, met, named):
    start = now.date()
    if met:
        factories.hold_session(pair, start)
    found = quiet.quiet_pairs(mara, now=now + timedelta(days=days))
    assert [(one.pair, one.days, one.met) for one in found] == (
        [(pair, days, met)] if named else []
    )


def test_a_planned_session_an_open_case_and_days_away_are_not_silence(pair, mara, lea, now):
    later = now + timedelta(days=7)
    assert quiet.quiet_pairs(mara, now=later)
    planned = plan_session(pair, later + timedelta(days=1))
    assert not quiet.quiet_pairs(mara, now=later)
    planned.delete()
    case = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    assert not quiet.quiet_pairs(mara, now=later)
    case.delete()
    departures.away(person=lea, first_day=later.date(), last_day=later.date(), by=mara, now=later)
    assert not quiet.quiet_pairs(mara, now=later)
    assert quiet.quiet_pairs(mara, now=later + timedelta(days=1))


def test_only_who_manages_the_learner_hears_of_silence(pair, mara, otto, lea, hanna, now):
    later = now + timedelta(days=7)
    hearing = [p for p in (mara, otto, lea, pair.coach, hanna) if quiet.quiet_pairs(p, now=later)]
    assert hearing == [mara, hanna]


def test_home_links_a_quiet_pair_and_says_what_to_do(pair, mara_client, now):
    Pair.objects.filter(pk=pair.pk).update(clocks_from=now.date() - timedelta(days=6))
    text = mara_client.get("/").text
    assert reverse("pair", args=[pair.public_id]) in text
    assert "No first session after six days" in text
    assert "comes to triage in four days" in text


# -- letters that failed -------------------------------------------------------------------


def test_home_names_whose_letters_fail(pair, lea, mara_client, otto_client, now):
    fail_letter(pair, lea, now=now)
    refuse(pair.coach, now=now)
    text = mara_client.get("/").text
    assert "Lea Brandt gets no letters" in text
    assert "Ivo Marković gets no letters" in text
    assert "gets no letters" not in otto_client.get("/").text
    text = mara_client.get(reverse("undelivered")).text
    assert "The address was refused" in text
    assert "the address was refused twice" in text


def test_old_failures_and_other_peoples_digests_are_left_alone(pair, lea, mara, now):
    fail_letter(pair, lea, now=now, next_attempt_at=now - timedelta(days=31))
    fail_letter(pair, lea, now=now, kind=Letter.Kind.DIGEST)
    assert undelivered.unreached(mara, now=now) == []


def test_undelivered_letters_are_for_managers(pair, lea_client, ivo_client, otto_client, client):
    address = reverse("undelivered")
    assert lea_client.get(address).status_code == 404
    assert ivo_client.get(address).status_code == 404
    assert "Every letter has arrived" in otto_client.get(address).text
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("page", ["x", "-1", "9999999999999999999999"])
def test_a_page_that_is_no_page_gives_the_nearest(pair, lea, mara_client, now, page):
    fail_letter(pair, lea, now=now)
    answer = mara_client.get(reverse("undelivered"), {"page": page})
    assert answer.status_code == 200
    assert "Lea Brandt" in answer.text


# -- what it costs -------------------------------------------------------------------------


def test_each_kind_is_capped_and_the_cost_is_the_same(
    make_pairs, mara_client, mara, csat, now, django_assert_max_num_queries
):
    def trouble(number: int) -> None:
        for at, pair in enumerate(make_pairs(4 * number)):
            if at % 4 == 0:
                Pair.objects.filter(pk=pair.pk).update(state=Pair.State.STUCK)
                Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
            elif at % 4 == 1:
                past = now.date() - timedelta(days=7)
                Pair.objects.filter(pk=pair.pk).update(clocks_from=past)
            elif at % 4 == 2:
                fail_letter(pair, pair.learner, now=now)
            else:
                Pair.objects.filter(pk=pair.pk).update(
                    state=Pair.State.PASSED, passed_at=now, review_since=now
                )
            factories.make_cohort(pair.learner.team, csat, now=now, state="draft")

    def cost() -> int:
        with django_assert_max_num_queries(50) as queries:
            assert mara_client.get("/").status_code == 200
        return len(queries)

    trouble(2)
    few = cost()
    trouble(10)
    assert cost() == few
    text = mara_client.get("/").text
    for more in (
        "And seven more cases", "And seven more quiet pairs", "And seven more people",
        "And seven more passes to review", "And 43 more drafts",
    ):  # fmt: skip
        assert more in text


def test_the_undelivered_page_costs_the_same_for_any_number(
    make_pairs, mara_client, now, django_assert_max_num_queries
):
    costs = []
    for number in (2, 20):
        for pair in make_pairs(number):
            fail_letter(pair, pair.learner, now=now)
        with django_assert_max_num_queries(20) as queries:
            mara_client.get(reverse("undelivered"))
        costs.append(len(queries))
    assert costs[0] == costs[1]
