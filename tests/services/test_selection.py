"""A ranking's people as arrays: the same bands as were stored, at the same price for any number."""

import numpy as np
import pytest

from coaching.models import Band, Cohort, Pair
from coaching.queries import selection
from coaching.services import people, rankings, scorecards
from tests import factories
from tests.conftest import NOW


def test_bands_worked_out_again_are_those_that_were_stored(ranking):
    field = selection.field_of(ranking)
    stored = dict(ranking.standings.filter(metric=None).values_list("person_id", "band"))
    # From the estimates, as another width would be.
    again = selection.replace(field, q=0.3).at(0.25)
    np.testing.assert_allclose(again.p_low, field.p_low, atol=1e-9)
    words = {code: word for word, code in selection.CODES.items()}
    assert {int(pk): words[code] for pk, code in zip(field.person, again.band, strict=True)} == (
        stored
    )


def test_another_width_gives_the_bands_of_a_ranking_with_that_width(ranking, mara):
    card = ranking.scorecard
    scorecards.change_scorecard(scorecard=card, by=mara, now=NOW, q=0.4)
    wide = selection.field_of(rankings.run(scorecard=card, by=mara, now=NOW))
    assert wide.q == 0.4
    moved = selection.field_of(ranking).at(0.4)
    np.testing.assert_allclose(moved.p_high, wide.p_high, atol=1e-9)
    np.testing.assert_array_equal(moved.band, wide.band)


def test_who_has_left_stays_a_peer_and_is_not_chosen(ranking, crew):
    before = selection.field_of(ranking)
    type(crew[0]).objects.filter(pk=crew[0].pk).update(active=False)
    after = selection.field_of(ranking)
    np.testing.assert_allclose(after.at(0.3).p_low, before.at(0.3).p_low)
    place = int(np.flatnonzero(after.person == crew[0].pk)[0])
    assert before.choose("evidence").learner[place]
    assert not after.choose("evidence").learner[place]


def test_an_empty_ranking_selects_nobody(team, csat):
    empty = factories.make_cohort(team, csat, now=NOW, state="draft").ranking
    field = selection.field_of(empty)
    for policy in ("evidence", "leaning", "quota"):
        assert field.at(0.4).choose(policy).learners == 0
    assert field.fairness(np.zeros(0, bool))["site"] == []


@pytest.mark.parametrize("number", [12, 48])
def test_it_costs_two_queries_for_any_number_of_people(
    number,
    fill,
    team,
    csat,
    mara,
    django_assert_num_queries,
):
    fill(team, number)
    row = rankings.run(scorecard=factories.make_scorecard(team, csat), by=mara, now=NOW)
    with django_assert_num_queries(2):
        assert selection.field_of(row).person.size == number


def test_hands_are_those_of_the_ranked_who_swim_in_no_pair(ranking, crew, team, csat):
    outsider = factories.make_person(team=team)
    for person in (crew[3], crew[4], outsider):
        people.raise_hand(person=person, metric=csat, note="", now=NOW)
    cohort = factories.make_cohort(team, csat, now=NOW)
    pair = factories.make_pair(crew[4], crew[20], metric=csat, cohort=cohort, now=NOW)
    assert [hand.person for hand in selection.hands_in(ranking)] == [crew[3]]
    Pair.objects.filter(pk=pair.pk).update(state=Pair.State.ENDED, ended_at=NOW, ending="accepted")
    assert {hand.person for hand in selection.hands_in(ranking)} == {crew[3], crew[4]}


def test_the_list_of_hands_is_the_managers_own(ranking, crew, csat, mara, otto):
    people.raise_hand(person=crew[3], metric=csat, note="Refunds", now=NOW)
    (hand,) = selection.hands_open_to(mara)
    assert (hand.person, hand.cohort_name) == (crew[3], None)
    assert not selection.hands_open_to(otto).exists()
    cohort = factories.make_cohort(crew[3].team, csat, now=NOW, state=Cohort.State.DRAFT)
    cohort.members.create(person=crew[3], side="learner", source="hand")
    assert selection.hands_open_to(mara).get().cohort_name == cohort.name


def test_only_who_is_not_in_yet_can_be_searched(ranking, crew, mara):
    cohort = factories.make_cohort(
        crew[0].team, ranking.scorecard.metrics.get(), now=NOW, state="draft"
    )
    cohort.members.create(person=crew[2], side="learner")
    found = selection.addable(ranking, cohort.members.all(), "harbour 2")
    assert crew[2] not in {standing.person for standing in found}
    assert {standing.band for standing in found} <= set(Band.values)
    assert {standing.person for standing in found} == {crew[20], crew[21], crew[22], crew[23]}
