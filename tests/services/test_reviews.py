"""A pass stands on readings; when they are corrected somebody looks, and nothing is taken away."""

from datetime import timedelta

import pytest

from coaching.models import Cohort, Event, Letter, Notice, Pair, Reading
from coaching.services import progress, reviews
from tests import factories
from tests.conftest import NOW

WEEK = timedelta(weeks=1)
LATER = NOW + 10 * WEEK


@pytest.fixture
def passed(pair, lea) -> Pair:
    for week in range(5):
        read(pair, week, 4.3)
        factories.hold_session(pair, NOW.date() + timedelta(days=week * 7 + 1))
        arrive(pair, now=NOW + (week + 2) * WEEK)
        progress.check_due(now=NOW + (week + 2) * WEEK)
    pair.refresh_from_db()
    assert pair.state == Pair.State.PASSED
    return pair


def read(pair: Pair, week: int, mean: float, *, n: float = 60) -> None:
    factories.add_reading(pair.learner, pair.metric, pair.counts_from + week * WEEK, mean=mean, n=n)


def arrive(pair: Pair, *, now=LATER) -> None:
    progress.readings_arrived(Reading.objects.filter(person=pair.learner), now=now)


def correct(pair: Pair, week: int, mean: float, *, n: float = 60, now=LATER) -> Pair:
    read(pair, week, mean, n=n)
    arrive(pair, now=now)
    pair.refresh_from_db()
    return pair


def test_a_pass_keeps_the_readings_it_rests_on(passed):
    # It passed with the fourth week; a fifth came later and is not a part of it.
    assert [week for week, _, _ in passed.evidence] == [
        (passed.counts_from + week * WEEK).isoformat() for week in range(4)
    ]
    assert {n for _, n, _ in passed.evidence} == {60}


def test_a_correction_is_put_before_the_manager_and_told_to_nobody_else(passed, mara, lea, ivo):
    before = Letter.objects.count()
    seen = Notice.objects.exclude(person=mara).count()
    correct(passed, 3, 1.0)
    assert (passed.state, passed.passed_at is None) == ("passed", False)
    assert passed.review_since == LATER
    assert "4.30 in 60, now 1.00 in 60" in passed.review_note
    assert passed.review_note.endswith("With these numbers it would not be a pass.")
    assert Letter.objects.count() == before
    assert Notice.objects.exclude(person=mara).count() == seen
    assert Notice.objects.filter(person=mara, dedupe_key__startswith="rev:").count() == 1


def test_a_small_correction_says_that_it_would_still_be_one(passed):
    assert correct(passed, 1, 4.25).review_note.endswith("it would still be a pass.")


@pytest.mark.parametrize("week", [4, 8])
def test_weeks_after_the_pass_concern_nobody(passed, week):
    assert correct(passed, week, 1.5).review_since is None


def test_the_same_readings_again_are_no_correction(passed, mara):
    arrive(passed)
    passed.refresh_from_db()
    assert passed.review_since is None
    correct(passed, 3, 1.0)
    for day in range(3):
        arrive(passed, now=LATER + timedelta(days=day))
    assert Notice.objects.filter(dedupe_key__startswith="rev:").count() == 1


def test_a_manager_keeps_the_pass_and_it_rests_on_todays_readings(passed, mara):
    correct(passed, 3, 1.0)
    reviews.confirm(pair=passed, note="A typing error in the export.", by=mara, now=LATER)
    passed.refresh_from_db()
    assert (passed.review_since, passed.state) == (None, "passed")
    assert passed.evidence[-1][2] == 60
    arrive(passed, now=LATER + WEEK)
    passed.refresh_from_db()
    assert passed.review_since is None
    assert Event.objects.filter(verb="pass confirmed").get().details["note"].startswith("A typing")
    with pytest.raises(reviews.NothingToReview):
        reviews.confirm(pair=passed, note="Again.", by=mara, now=LATER)


def test_reopening_is_a_new_pair_and_both_are_told(passed, mara, lea, ivo):
    correct(passed, 3, 1.0)
    again = reviews.reopen(pair=passed, note="The survey was counted twice.", by=mara, now=LATER)
    passed.refresh_from_db()
    assert (passed.state, passed.review_since) == ("passed", None)
    assert (again.follows, again.state, again.target) == (passed, "on_track", passed.target)
    assert again.counts_from == LATER.date() + WEEK
    assert again.test_date >= LATER.date() + 4 * WEEK
    told = Letter.objects.filter(pair=again, kind="decided")
    assert {letter.recipient for letter in told} == {lea, ivo}
    assert Cohort.objects.get().state == Cohort.State.LIVE
    # Its own weeks decide: those before it do not make it pass.
    progress.check_due(now=LATER + timedelta(days=2))
    again.refresh_from_db()
    assert again.state == "on_track"
    assert not again.looks.exists()


def test_it_is_not_reopened_over_somebody_elses_work(passed, mara, lea, team):
    correct(passed, 3, 1.0)
    other = factories.make_person(team=team)
    factories.make_pair(lea, other, metric=passed.metric, cohort=passed.cohort, now=LATER)
    with pytest.raises(reviews.CannotReopen, match="somebody else"):
        reviews.reopen(pair=passed, note="Again.", by=mara, now=LATER)
    passed.refresh_from_db()
    assert passed.review_since is not None


def test_without_a_seat_it_is_not_reopened(passed, mara, ivo):
    correct(passed, 3, 1.0)
    ivo.capacity = 0
    ivo.save()
    passed.refresh_from_db()
    with pytest.raises(reviews.CannotReopen, match="no free seat"):
        reviews.reopen(pair=passed, note="Again.", by=mara, now=LATER)


def test_both_need_a_reason(passed, mara):
    correct(passed, 3, 1.0)
    for settle in (reviews.confirm, reviews.reopen):
        with pytest.raises(reviews.NoReason):
            settle(pair=passed, note=" ", by=mara, now=LATER)
