"""One page a week: the learner first, then the coach."""

from datetime import date, timedelta

import pytest

from coaching.models import Notice, Pair, Worksheet
from coaching.services import worksheets
from tests.conftest import NOW

WEEK = timedelta(weeks=1)
MONDAY = NOW.date()


def write(pair, by, *, now=NOW, week=MONDAY, **parts) -> Worksheet:
    return worksheets.write(pair=pair, week=week, by=by, now=now, **parts)


def test_the_learner_writes_and_the_coach_answers(pair, lea, ivo):
    write(pair, lea, went="Two good calls", will_try=" Pauses ")
    sheet = write(pair, ivo, coach_does="Listen in on Thursday", now=NOW + timedelta(hours=3))
    assert (sheet.week, sheet.went, sheet.will_try) == (MONDAY, "Two good calls", "Pauses")
    assert sheet.coach_does == "Listen in on Thursday"
    assert (sheet.learner_at, sheet.coach_at) == (NOW, NOW + timedelta(hours=3))
    told = Notice.objects.filter(dedupe_key__startswith="wks:")
    assert {(notice.person, notice.text) for notice in told} == {
        (ivo, "Lea has written this week's page."),
        (lea, "Ivo has written this week's page."),
    }


def test_the_coach_does_not_come_first(pair, ivo):
    with pytest.raises(worksheets.LearnerFirst):
        write(pair, ivo, coach_does="My view")
    assert not Worksheet.objects.exists()


def test_writing_again_replaces_ones_own_part_and_tells_once(pair, lea, ivo):
    write(pair, lea, went="One", will_try="Two")
    write(pair, ivo, coach_does="Three")
    sheet = write(pair, lea, went="Better", now=NOW + timedelta(days=1))
    assert (sheet.went, sheet.will_try, sheet.coach_does) == ("Better", "Two", "Three")
    assert sheet.learner_at == NOW
    assert Notice.objects.filter(person=ivo).count() == 1


def test_nobody_writes_the_others_part(pair, lea, ivo, mara):
    sheet = write(pair, lea, went="Mine", coach_does="Put into their mouth")
    assert sheet.coach_does == ""
    assert write(pair, ivo, went="Theirs", coach_does="Own").went == "Mine"
    with pytest.raises(worksheets.NotYours):
        write(pair, mara, went="Managed")


@pytest.mark.parametrize("parts", [{}, {"went": "  "}, {"went": "", "will_try": ""}])
def test_an_empty_page_is_no_page(pair, lea, parts):
    with pytest.raises(worksheets.NothingWritten):
        write(pair, lea, **parts)


def test_a_page_is_one_page(pair, lea):
    with pytest.raises(worksheets.TooLong):
        write(pair, lea, went="x" * 4001)


@pytest.mark.parametrize("week", [MONDAY - WEEK, MONDAY + WEEK, date(1, 1, 1)])
def test_there_are_pages_from_the_launch_to_this_week(pair, lea, week):
    with pytest.raises(worksheets.NoSuchWeek):
        write(pair, lea, week=week, went="Out of time")


def test_last_weeks_page_can_still_be_written(pair, lea):
    sheet = write(pair, lea, week=MONDAY + timedelta(days=3), went="Late", now=NOW + WEEK)
    assert sheet.week == MONDAY


def test_after_the_end_the_pages_stay_as_they_are(pair, lea):
    Pair.objects.update(state="ended", ended_at=NOW, ending="left")
    with pytest.raises(worksheets.NotSwimming):
        write(pair, lea, went="Too late")
