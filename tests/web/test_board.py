"""The live board: by state, narrowed by links and one form, paged."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Case, Pair
from tests import factories


@pytest.fixture
def cohort(team, mara, csat, now):
    """Six pairs: two teams, two skills, two coaches."""
    cohort = factories.make_cohort(team, csat, now=now)
    dock = factories.make_team("Dock", parent=team)
    handle = factories.make_metric("handle", name="Handle time", lower=0)
    coaches = [factories.make_person(name, team=team) for name in ("Ivo Marković", "Nina Hughes")]
    states = ["on_track", "stuck", "at_risk", "on_track", "passed", "on_track"]
    for number, state in enumerate(states):
        learner = factories.make_person(f"Learner {number}", team=(team, dock)[number % 2])
        pair = factories.make_pair(
            learner, coaches[number // 3], metric=(csat, handle)[number // 4], cohort=cohort,
            now=now, state=state, passed_at=now if state == "passed" else None,
        )  # fmt: skip
        if number:
            factories.hold_session(pair, now.date() - timedelta(days=number))
    return cohort


def cards(client, cohort, **asked) -> list[str]:
    """Whose cards stand there, in order."""
    text = client.get(reverse("cohort", args=[cohort.public_id]), asked).text
    names = [part.split("<h3>")[1].split("<")[0] for part in text.split("sheet-link")[1:]]
    return [name.removeprefix("Learner ") for name in names]


def test_the_board_stands_by_state_the_urgent_first(cohort, mara_client):
    assert cards(mara_client, cohort) == ["1", "2", "0", "3", "5", "4"]


def test_it_is_narrowed_by_state_team_skill_coach_and_name(cohort, mara_client):
    def found(**asked) -> set[str]:
        return set(cards(mara_client, cohort, **asked))

    pairs = {pair.learner.name[-1]: pair for pair in Pair.objects.select_related("learner__team")}
    assert found(state="stuck") == {"1"}
    assert found(state="on_track") == {"0", "3", "5"}
    assert found(team=pairs["1"].learner.team.public_id) == {"1", "3", "5"}
    assert found(metric="handle") == {"4", "5"}
    assert found(coach=pairs["0"].coach.public_id) == {"0", "1", "2"}
    assert found(q="nina") == {"3", "4", "5"}
    assert found(q="marković", state="on_track") == {"0"}
    assert found(q="nobody") == set()


def test_tabs_count_what_the_form_found(cohort, mara_client):
    address = reverse("cohort", args=[cohort.public_id])
    tabs = mara_client.get(address, {"q": "nina", "state": "passed"}).context["tabs"]
    assert [(tab.state, tab.count) for tab in tabs] == [("on_track", 2), ("passed", 1)]


def test_it_is_sorted_by_the_longest_silence(cohort, mara_client):
    assert cards(mara_client, cohort, sort="quiet") == ["0", "5", "4", "3", "2", "1"]
    assert cards(mara_client, cohort, sort="learner") == list("012345")


def test_a_form_without_script_is_enough(cohort, mara_client):
    text = mara_client.get(reverse("cohort", args=[cohort.public_id]), {"q": "nina"}).text
    form = text.split('class="form-inline filters"')[1].split("</form>")[0]
    assert 'method="get"' in form
    assert 'type="submit"' in form
    assert 'value="nina"' in form
    assert "Show all" in form


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "drowned"}, {"sort": "score"}, {"team": "'"}, {"coach": "\0"},
        {"metric": "x" * 999},
        {"q": "%_\\\0"}, {"page": "x"}, {"page": "-1"},
    ],
)  # fmt: skip
def test_nonsense_is_not_asked(cohort, mara_client, asked):
    answer = mara_client.get(reverse("cohort", args=[cohort.public_id]), asked)
    assert answer.status_code == 200
    assert "Show all" in answer.text or answer.text.count("sheet-link") == 6


def test_others_get_a_404(cohort, ivo_client, lea_client, otto_client):
    address = reverse("cohort", args=[cohort.public_id])
    for client in (ivo_client, lea_client, otto_client):
        assert client.get(address, {"state": "stuck"}).status_code == 404


def test_who_is_asked_to_decide_is_told_on_the_card(cohort, mara_client, now):
    pair = Pair.objects.get(state="stuck")
    Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    text = mara_client.get(reverse("cohort", args=[cohort.public_id]), {"state": "stuck"}).text
    assert "needs a decision" in text


def test_more_than_a_hundred_pairs_are_paged_and_cost_the_same(
    make_pairs, mara_client, django_assert_max_num_queries
):
    costs = []
    for number in (3, 130):
        cohort = make_pairs(number)[0].cohort
        address = reverse("cohort", args=[cohort.public_id])
        with django_assert_max_num_queries(25) as queries:
            text = mara_client.get(address, {"q": "person", "sort": "learner"}).text
        costs.append(len(queries))
        assert text.count("sheet-link") == min(number, 60)
    assert costs[0] == costs[1]
    seen = [name for page in (1, 2, 3) for name in cards(mara_client, cohort, page=page)]
    assert len(seen) == len(set(seen)) == 130
    assert "page=3" in mara_client.get(address, {"page": 2, "q": "person"}).text
