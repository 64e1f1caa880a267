"""Choosing who takes part: what each policy promises, what-if, fairness, and a manager's word."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Cohort, Event, Member, Person, Ranking, Standing
from coaching.services import people
from tests import factories


@pytest.fixture
def address(ranked) -> str:
    return reverse("selection", args=[ranked.public_id])


def stored() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Cohort, Member, Standing, Ranking, Event))


def test_each_policy_says_how_many_labels_are_right_before_it_is_used(address, mara_client):
    text = mara_client.get(address).text
    for policy in ("Evidence", "Leaning", "Quota"):
        assert f">{policy}</h3>" in text
    promises = re.findall(
        r"(\d+) learners, about ([\d.]+) of them truly in the worst quarter", text
    )
    assert len(promises) == 3
    for number, right in promises:
        assert 0 < float(right) <= int(number)
    assert len(re.findall(r"about (?:[\d.]+|none) labelled by mistake", text)) == 6


def test_another_width_is_shown_at_once_and_nothing_is_stored(address, mara_client, ranked):
    before = stored()
    text = mara_client.get(address, {"policy": "evidence", "q": "45"}).text
    assert "of them truly in the worst 45 %" in text
    entering = re.search(r"(\w+) people come in", text)
    assert entering
    assert "No people leave" in text
    narrow = mara_client.get(address, {"policy": "evidence", "q": "10"}).text
    assert "No people come in" in narrow
    assert re.search(r"people leave", narrow)
    assert stored() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("q", "99"), ("q", "nan"), ("q", "1e99"), ("q", "x" * 999), ("policy", "gut"), ("quota", "0")],
)
def test_what_does_not_fit_is_said_at_its_field(address, mara_client, field, value):
    answer = mara_client.get(address, {field: value})
    assert answer.status_code == 200
    assert f'id="id_{field}_error"' in answer.text
    assert "of them truly in the worst quarter" in answer.text


def test_it_costs_the_same_for_any_number_of_people(
    address, mara_client, ranked, team, csat, django_assert_max_num_queries
):
    costs = []
    for hands in (1, 12):
        for person in Person.objects.filter(team=team, user=None).order_by("pk")[:hands]:
            people.raise_hand(person=person, metric=csat, note="", now=ranked.created_at)
        with django_assert_max_num_queries(18) as queries:
            mara_client.get(address, {"q": 40 if hands > 1 else 10})
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("name", ["selection", "cohort-new"])
def test_nobody_else_sees_who_would_be_selected(name, ranked, otto_client, lea_client, client):
    address = reverse(name, args=[ranked.public_id])
    assert otto_client.get(address).status_code == 404
    assert lea_client.get(address).status_code == 404
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("name", ["selection", "cohort-new"])
def test_teams_and_segments_are_not_coached(name, ranked, mara_client):
    Ranking.objects.filter(pk=ranked.pk).update(subject="teams")
    answer = mara_client.get(reverse(name, args=[ranked.public_id]))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("ranking", args=[ranked.public_id])


def test_raised_hands_are_listed_and_take_nobodys_place(address, mara_client, ranked, csat, now):
    without = re.findall(r"\d+ learners, about", mara_client.get(address).text)
    middle = Person.objects.get(name="Agent 12")
    people.raise_hand(person=middle, metric=csat, note="Refunds", now=now)
    text = mara_client.get(address).text
    assert "One more learner." in text
    assert "“Refunds”" in text
    assert re.findall(r"\d+ learners, about", text) == without


def test_who_is_labelled_out_of_proportion_is_said(address, mara_client, ranked):
    for number in range(24):
        person = Person.objects.filter(name=f"Agent {number:02}")
        person.update(
            shift="Night" if number < 6 else "Day",
            site="Oslo" if number % 8 == 0 else "Bergen",
            part_time=number % 2 == 0,
        )
    text = mara_client.get(address).text
    assert "Shift “Night”: 5 of 6 would be learners" in text or "Shift “Night”: 6 of 6" in text
    assert "fewer than five people" in text
    assert "Not known: tenure." in text
    assert "Part-time “" not in text


def test_a_cohort_is_planned_with_the_policy_and_width_chosen(address, mara_client, ranked, now):
    text = mara_client.get(address, {"policy": "leaning", "q": "30"}).text
    link = reverse("cohort-new", args=[ranked.public_id]) + "?policy=leaning&amp;q=30"
    assert link in text
    form = link.replace("&amp;", "&")
    assert "Policy: leaning" in mara_client.get(form).text
    given = {
        "name": "Wide",
        "test_date": (now + timedelta(weeks=8)).date(),
        "target_form": "gap_top",
    }
    answer = mara_client.post(form, given, follow=True)
    cohort = Cohort.objects.get()
    assert (cohort.policy, cohort.q, cohort.quota) == ("leaning", 0.3, None)
    assert "selected by the policy leaning" in answer.text
    assert "sure of the worst 30 %" in answer.text


def test_a_policy_that_makes_no_sense_plans_nothing(ranked, mara_client, now):
    address = reverse("cohort-new", args=[ranked.public_id]) + "?policy=gut&q=25"
    given = {"name": "X", "test_date": (now + timedelta(weeks=8)).date(), "target_form": "gap_top"}
    assert "Select a valid choice" in mara_client.post(address, given).text
    assert not Cohort.objects.exists()


# -- a manager's additions and removals ------------------------------------------------------


def test_a_manager_adds_somebody_with_a_reason(cohort, mara_client):
    address = reverse("cohort", args=[cohort.public_id])
    agent = Person.objects.get(name="Agent 12")
    text = mara_client.get(address, {"find": "agent 1"}).text
    assert agent.public_id in text
    selected = Person.objects.filter(member__cohort=cohort).values_list("public_id", flat=True)
    offered = re.findall(r'name="person" value="(\w+)"', text.split('id="people"')[0])
    assert not set(offered) & set(selected)
    before = cohort.members.count()
    given = {"person": agent.public_id, "side": "learner", "reason": "New to the product"}
    answer = mara_client.post(reverse("cohort-add", args=[cohort.public_id]), given, follow=True)
    assert "Agent 12: added to the cohort." in answer.text
    assert "“New to the product”" in answer.text
    assert cohort.members.filter(source="ranking").count() == before


def test_a_manager_leaves_somebody_out_and_takes_them_back(cohort, mara_client):
    person = cohort.members.filter(side="learner").first().person
    given = {"person": person.public_id, "reason": "On leave"}
    out = reverse("cohort-leave-out", args=[cohort.public_id])
    text = mara_client.post(out, given, follow=True).text
    assert "Left out by you" in text
    assert "“On leave”" in text
    back = reverse("cohort-take-back", args=[cohort.public_id])
    text = mara_client.post(back, given | {"reason": "Back"}, follow=True).text
    assert "Left out by you" not in text


@pytest.mark.parametrize("name", ["cohort-add", "cohort-leave-out", "cohort-take-back"])
def test_a_change_needs_a_reason_and_ones_own_team(name, cohort, mara_client, otto_client, otto):
    person = cohort.members.first().person
    address = reverse(name, args=[cohort.public_id])
    given = {"person": person.public_id, "side": "learner", "reason": " "}
    assert "Say why" in mara_client.post(address, given, follow=True).text
    given["reason"] = "Because"
    assert otto_client.post(address, given).status_code == 404
    assert mara_client.post(address, given | {"person": otto.public_id}).status_code == 404
    assert mara_client.get(address).status_code == 405
    assert not cohort.members.exclude(source="ranking").exists()


def test_the_draft_costs_the_same_for_any_number_of_members(
    cohort, mara_client, team, django_assert_max_num_queries
):
    costs = []
    for more in (1, 10):
        for _ in range(more):
            cohort.members.create(
                person=factories.make_person(team=team), side="coach", source="manager"
            )
        with django_assert_max_num_queries(18) as queries:
            mara_client.get(reverse("cohort", args=[cohort.public_id]), {"find": "agent"})
        costs.append(len(queries))
    assert costs[0] == costs[1]


# -- hands -----------------------------------------------------------------------------------


def test_the_list_of_hands_is_for_managers_and_of_their_own_teams(
    mara_client, otto_client, lea_client, lea, csat, now
):
    people.raise_hand(person=lea, metric=csat, note="Closing calls", now=now)
    assert "“Closing calls”" in mara_client.get("/hands/").text
    assert "No hand is raised" in otto_client.get("/hands/").text
    assert lea_client.get("/hands/").status_code == 404


def test_a_hand_that_a_draft_took_in_says_so(mara_client, cohort, csat, now):
    agent = Person.objects.get(name="Agent 12")
    people.raise_hand(person=agent, metric=csat, note="", now=now)
    assert "waits for a cohort" in mara_client.get("/hands/").text
    cohort.members.create(person=agent, side="learner", source="hand", metric=csat)
    assert "in Spring" in mara_client.get("/hands/").text
