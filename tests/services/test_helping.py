"""Graduates say whether they would help, and are asked to."""

import pytest

from coaching.models import Event, Helper, Letter, Notice, Pair
from coaching.queries import helping as helping_queries
from coaching.queries import pairs
from coaching.services import departures, helping
from tests import factories
from tests.conftest import NOW


@pytest.fixture
def passed(pair, team, csat, now) -> Pair:
    """Noor has reached her target, in the same cohort as Lea."""
    return factories.make_pair(
        factories.make_person("Noor Haddad", team=team, login="noor"),
        factories.make_person("Emil Bauer", team=team),
        metric=csat, cohort=pair.cohort, now=NOW, state="passed", passed_at=NOW,
    )  # fmt: skip


@pytest.fixture
def noor(passed):
    helping.offer(pair=passed, by=passed.learner, now=NOW, willing=True)
    return passed.learner


def test_a_graduate_is_asked_and_may_change_their_mind(passed):
    noor = passed.learner
    for willing in (True, False, True):
        helping.offer(pair=passed, by=noor, now=NOW, willing=willing)
        passed.refresh_from_db()
        assert passed.would_help is willing


def test_only_the_learner_of_a_passed_pair_can_offer(pair, passed, lea):
    with pytest.raises(helping.NotYours):
        helping.offer(pair=passed, by=passed.coach, now=NOW, willing=True)
    with pytest.raises(helping.NotPassed):
        helping.offer(pair=pair, by=lea, now=NOW, willing=True)


def test_who_helps_is_told_and_so_are_the_two(pair, noor, mara, lea, ivo):
    helper = helping.invite(pair=pair, person=noor, by=mara, now=NOW)
    assert helping.invite(pair=pair, person=noor, by=mara, now=NOW) == helper
    assert Helper.objects.count() == 1
    letter = Letter.objects.get(kind="helper")
    assert (letter.recipient, letter.pair) == (noor, pair)
    told = Notice.objects.filter(dedupe_key__startswith="aid:").exclude(person=noor)
    assert {notice.person for notice in told} == {lea, ivo}
    assert Event.objects.get(verb="helper asked").actor == mara


def test_a_helper_sees_what_the_coach_sees_until_the_pair_ends(pair, noor, mara, ivo):
    assert not pairs.visible_to(noor).filter(pk=pair.pk).exists()
    helping.invite(pair=pair, person=noor, by=mara, now=NOW)
    assert pairs.visible_to(noor).filter(pk=pair.pk).exists()
    assert pairs.side_of(noor, pair) == "helper"
    assert list(helping_queries.helped_by(noor)) == [pair]
    # The weeks before the launch stay the learner's own affair.
    factories.add_reading(pair.learner, pair.metric, pair.counts_from.replace(day=1), mean=3)
    assert pairs.readings_of(pair, noor) == pairs.readings_of(pair, ivo) == []
    departures.end_pair(pair=pair, by=ivo, now=NOW)
    assert not pairs.visible_to(noor).filter(pk=pair.pk).exists()


def test_a_helper_steps_back_without_a_reason(pair, noor, mara):
    helper = helping.invite(pair=pair, person=noor, by=mara, now=NOW)
    helping.stop(helper=helper, by=noor, now=NOW)
    assert Letter.objects.get(kind="helper").state == Letter.State.CANCELLED
    with pytest.raises(helping.SteppedBack):
        helping.stop(helper=helper, by=noor, now=NOW)
    # And may be asked again.
    again = helping.invite(pair=pair, person=noor, by=mara, now=NOW)
    assert again != helper


def test_only_graduates_of_this_skill_who_would_help_are_asked(pair, passed, mara, team):
    for person in (passed.learner, passed.coach, factories.make_person(team=team)):
        with pytest.raises(helping.CannotHelp):
            helping.invite(pair=pair, person=person, by=mara, now=NOW)
    helping.offer(pair=passed, by=passed.learner, now=NOW, willing=True)
    Pair.objects.filter(pk=passed.pk).update(metric=factories.make_metric("quality"))
    with pytest.raises(helping.CannotHelp):
        helping.invite(pair=pair, person=passed.learner, by=mara, now=NOW)


def test_a_pair_that_has_ended_needs_no_help(pair, noor, mara, ivo):
    departures.end_pair(pair=pair, by=ivo, now=NOW)
    with pytest.raises(helping.NotSwimming):
        helping.invite(pair=pair, person=noor, by=mara, now=NOW)


def test_a_manager_reads_of_graduates_they_may_know_of(pair, noor, mara, otto, other_team):
    assert helping_queries.graduates_seen_by(mara, pair) == [noor]
    assert helping_queries.graduates_seen_by(otto, pair) == []
    noor.team = other_team
    noor.save()
    assert helping_queries.graduates_seen_by(mara, pair) == []
