"""The scorecard's page: everything of it can be changed, and every change can be read."""

import pytest
from django.urls import reverse

from coaching.models import Scorecard
from tests import factories


@pytest.fixture
def card(ranked) -> Scorecard:
    return ranked.scorecard


@pytest.fixture
def address(card) -> str:
    return reverse("scorecard", args=[card.public_id])


@pytest.fixture
def given(card) -> dict:
    """What the form sends when nothing was touched."""
    return {
        "version": card.version,
        "name": card.name,
        "weeks": 13,
        "q": "25",
        "minimum_n": "0",
        "peers_by": ["role"],
        "policy": "evidence",
        "weight-csat": "1",
    }


def test_a_change_is_saved_and_stands_in_the_log(address, given, card, mara_client):
    talk = factories.make_metric("talk", name="Talk time", kind="duration", direction="lower")
    card.weights.create(metric=talk, weight=2)
    text = mara_client.get(address).text
    assert "no readings in this team" in text
    changed = given | {
        "q": "20", "minimum_n": "12.5", "peers_by": ["role", "site"], "policy": "leaning",
        "weight-csat": "3", "weight-talk": "",
    }  # fmt: skip
    text = mara_client.post(address, changed, follow=True).text
    card.refresh_from_db()
    assert (card.q, card.minimum_n, card.policy, card.version) == (0.2, 12.5, "leaning", 2)
    assert card.peers_by == ["role", "site"]
    assert [(row.metric.key, row.weight) for row in card.weights.all()] == [("csat", 3.0)]
    assert "Saved as version 2" in text
    for told in (
        "25 %</span> → 20 %", "Evidence</span> → Leaning", "role</span> → role, site",
        "2</span> → not on it", "1</span> → 3", "Mara Lindqvist",
    ):  # fmt: skip
        assert told in text


def test_nothing_touched_is_nothing_changed(address, given, card, mara_client):
    assert "nothing was changed" in mara_client.post(address, given, follow=True).text
    card.refresh_from_db()
    assert card.version == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": " "}, "This field is required."),
        ({"q": "4"}, "Give a number from 5 to 50."),
        ({"q": "51"}, "Give a number from 5 to 50."),
        ({"weeks": "0"}, "greater than or equal to 1"),
        ({"minimum_n": "-1"}, "greater than or equal to 0"),
        ({"policy": "gut"}, "Select a valid choice"),
        ({"peers_by": ["salary"]}, "Select a valid choice"),
        ({"weight-csat": "-1"}, "greater than or equal to 0"),
        ({"weight-csat": "nan"}, "Enter a number"),
        ({"weight-csat": "0"}, "Give at least one of them a weight"),
        ({"weight-csat": ""}, "Give at least one of them a weight"),
    ],
)
def test_a_refusal_stands_on_the_page_and_keeps_what_was_typed(
    address, given, card, mara_client, change, sentence
):
    answer = mara_client.post(address, given | {"weeks": "7"} | change)
    assert answer.status_code == 200
    assert sentence in answer.text
    if "weeks" not in change:
        assert 'name="weeks" value="7"' in answer.text
    card.refresh_from_db()
    assert (card.version, card.weeks) == (1, 13)


def test_a_form_from_before_somebody_elses_change_is_refused(address, given, card, mara_client):
    mara_client.post(address, given | {"weeks": "7"})
    text = mara_client.post(address, given | {"weeks": "9"}, follow=True).text
    assert "while you were looking at it" in text
    card.refresh_from_db()
    assert card.weeks == 7


def test_it_can_be_proposed_again(card, csat, mara_client):
    card.weights.update(weight=5)
    propose = reverse("scorecard-propose", args=[card.public_id])
    assert "5</span> → 1" in mara_client.post(propose, follow=True).text
    assert "nothing was changed" in mara_client.post(propose, follow=True).text
    assert mara_client.get(propose).status_code == 405


@pytest.mark.parametrize("name", ["scorecard", "scorecard-propose"])
def test_others_do_not_find_it(name, card, otto_client, lea_client):
    address = reverse(name, args=[card.public_id])
    for client in (otto_client, lea_client):
        assert client.post(address).status_code == 404


def test_it_costs_the_same_for_any_number_of_metrics_and_changes(
    address, given, card, mara_client, django_assert_max_num_queries
):
    costs = []
    for number in (1, 8):
        for place in range(number):
            card.weights.create(metric=factories.make_metric(f"m-{number}-{place}"))
            mara_client.post(address, given | {"weeks": 20 + number + place})
        with django_assert_max_num_queries(16) as queries:
            mara_client.get(address)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_a_team_gets_a_further_scorecard(ranked, team, mara_client):
    new = reverse("scorecard-new")
    assert team.name in mara_client.get(new).text
    given = {"team": team.pk, "subject": "people", "name": "Calls only"}
    answer = mara_client.post(new, given, follow=True)
    assert "<h1>Calls only</h1>" in answer.text
    assert answer.redirect_chain[-1][0] == reverse(
        "scorecard", args=[Scorecard.objects.get(name="Calls only").public_id]
    )


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [("teams", "has no teams below it"), ("segments", "no customer segments")],
)
def test_a_subject_that_is_not_there_is_refused_in_words(
    ranked, team, mara_client, subject, sentence
):
    given = {"team": team.pk, "subject": subject, "name": ""}
    answer = mara_client.post(reverse("scorecard-new"), given)
    assert sentence in answer.text
    assert Scorecard.objects.count() == 1


def test_a_team_of_somebody_else_cannot_be_chosen(ranked, otto, mara_client):
    given = {"team": otto.team.pk, "subject": "people", "name": ""}
    assert mara_client.post(reverse("scorecard-new"), given).status_code == 200
    assert Scorecard.objects.count() == 1


def test_the_list_of_rankings_leads_to_it(card, address, mara_client):
    text = mara_client.get(reverse("rankings")).text
    assert address in text
    assert reverse("scorecard-new") in text
