"""A coach whose own numbers fall is noticed once; whose numbers only wobble, never."""

from datetime import timedelta

import pytest

from coaching.models import Dip, Event, Notice, Pair, Standing
from coaching.queries.coaching import own_numbers
from coaching.services import dips, ticks
from tests import factories
from tests.coaches import WEEK, rank_coach, weeks
from tests.conftest import NOW


@pytest.fixture
def coaching(pair) -> Pair:
    """Ivo stood at 4.0 before he began."""
    pair.peers = rank_coach(pair)
    return pair


def after(pair: Pair, number: int):
    """A morning on which so many weeks since the launch are over."""
    return NOW + (number + 1) * WEEK


def test_a_fall_is_told_to_the_manager_and_to_the_coach(coaching, mara, ivo):
    weeks(coaching, *[3.3] * 6)
    assert dips.watch(now=after(coaching, 6)) == 1
    told = Notice.objects.get(person=mara)
    assert told.text.startswith(
        "Ivo Marković coaches, and Ivo's own Customer satisfaction is notably below where it was "
        "(4.00, now 3.30)."
    )
    assert told.link == f"/people/{ivo.public_id}/"
    own = Notice.objects.get(person=ivo)
    assert "Coaching should not cost you" in own.text
    assert "Your manager is told the same." in own.text
    assert Event.objects.filter(verb="coach's own numbers fell").count() == 1


def test_it_is_told_once_however_long_it_lasts(coaching):
    weeks(coaching, *[3.3] * 8)
    found = [dips.watch(now=after(coaching, 6) + timedelta(days=day)) for day in range(14)]
    assert sum(found) == 1
    assert Notice.objects.filter(dedupe_key__startswith="dip:").count() == 2


def test_any_number_of_ticks_in_a_day_look_once(coaching, django_assert_max_num_queries):
    weeks(coaching, *[3.3] * 6)
    now = after(coaching, 6)
    dips.watch(now=now)
    with django_assert_max_num_queries(3):
        assert dips.watch(now=now + timedelta(hours=3)) == 0


def test_a_bad_week_or_two_tell_nobody(coaching):
    weeks(coaching, 4.0, 4.1, 3.3, 3.4, 4.0, 3.9)
    for number in range(1, 7):
        assert dips.watch(now=after(coaching, number)) == 0
    assert not Notice.objects.exists()


def test_nothing_is_said_in_the_first_weeks(coaching):
    weeks(coaching, *[2.5] * 5)
    assert dips.watch(now=after(coaching, 5)) == 0


def test_what_happened_to_everybody_is_not_the_coaching(coaching):
    weeks(coaching, *[3.3] * 6)
    weeks(coaching, *[2.8] * 6, people=coaching.peers)
    assert dips.watch(now=after(coaching, 6)) == 0


def test_it_is_over_when_the_level_is_back_and_may_come_again(coaching):
    weeks(coaching, *[3.3] * 6)
    dips.watch(now=after(coaching, 6))
    weeks(coaching, *[3.3] * 6, *[4.1] * 8)
    assert dips.watch(now=after(coaching, 14)) == 0
    assert Dip.objects.get().over_at == after(coaching, 14)
    weeks(coaching, *[3.3] * 6, *[4.1] * 8, *[3.0] * 8)
    assert dips.watch(now=after(coaching, 22)) == 1
    assert Dip.objects.count() == 2


def test_it_is_over_when_nobody_is_coached_any_more(coaching):
    weeks(coaching, *[3.3] * 6)
    dips.watch(now=after(coaching, 6))
    Pair.objects.update(state="passed", passed_at=NOW)
    dips.watch(now=after(coaching, 7))
    assert Dip.objects.get().over_at == after(coaching, 7)


def test_a_coach_without_a_standing_is_not_judged(coaching, ivo):
    Standing.objects.filter(person=ivo).delete()
    weeks(coaching, *[2.0] * 6)
    assert dips.watch(now=after(coaching, 6)) == 0


def test_without_a_manager_the_coach_is_told_all_the_same(coaching, team, ivo):
    team.manager = None
    team.save()
    weeks(coaching, *[3.3] * 6)
    dips.watch(now=after(coaching, 6))
    assert "Your manager" not in Notice.objects.get().text


def test_the_tick_looks(coaching):
    weeks(coaching, *[3.3] * 6)
    assert ticks.tick(now=after(coaching, 6))["coaches who fell"] == 1


@pytest.mark.parametrize("number", [1, 8])
def test_any_number_of_coaches_costs_the_same(
    coaching, csat, team, number, django_assert_num_queries
):
    for place in range(number):
        coach = factories.make_person(f"Coach {place}", team=team)
        learner = factories.make_person(team=team)
        factories.make_pair(learner, coach, metric=csat, cohort=coaching.cohort, now=NOW)
        standing = Standing.objects.get(person=coaching.coach)
        standing.pk, standing.person = None, coach
        standing.save()
        weeks(coaching, *[4.0] * 6, people=[coach])
    with django_assert_num_queries(8):
        assert len(own_numbers(now=after(coaching, 6))) == number + 1
