"""Monday at eight where the reader is; nothing to say, no letter."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from coaching.models import Case, Helper, Leave, Letter, Look, Notice, Pair, Person, Waiting
from coaching.notifications import outbox, rendering
from coaching.queries import digests as queries
from coaching.queries import preferences
from coaching.services import digests
from tests import factories
from tests.conftest import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)


def digests_of(person: Person) -> list[Letter]:
    return list(Letter.objects.filter(kind="digest", recipient=person).order_by("created_at"))


def sweep(start: datetime, end: datetime, *, step: timedelta = HOUR) -> None:
    while start < end:
        digests.write_due(now=start)
        start += step


@pytest.mark.parametrize(
    "zone",
    ["Europe/Zurich", "America/Los_Angeles", "Asia/Tokyo", "Asia/Kathmandu", "Pacific/Auckland"],
)
def test_a_digest_is_written_on_monday_at_eight_where_the_reader_is(pair, lea, zone):
    Person.objects.filter(pk=lea.pk).update(time_zone=zone)
    lea.refresh_from_db()
    digests.write_due(now=NOW + 3 * WEEK - 3 * DAY)
    # From Sunday to Monday evening, over the change of clocks in Europe.
    for week in (3, 4):
        sunday = NOW + week * WEEK - 15 * HOUR
        sweep(sunday, sunday + 28 * HOUR, step=HOUR / 4)
    times = [letter.created_at.astimezone(lea.zone) for letter in digests_of(lea)]
    assert [(time.weekday(), time.hour, time.minute) for time in times] == [(0, 8, 0)] * 2


def test_five_weeks_of_silence_give_one_digest(pair, lea):
    digests.write_due(now=NOW)
    later = NOW + 5 * WEEK + 2 * DAY
    assert digests.write_due(now=later) > 0
    digests.write_due(now=later)
    digests.write_due(now=later + HOUR)
    (letter,) = digests_of(lea)
    assert letter.dedupe_key.endswith("2027-W14")


def test_the_first_sight_of_a_zone_writes_no_stale_digest(pair, lea):
    assert digests.write_due(now=NOW + 3 * DAY) == 0
    assert digests_of(lea) == []


def test_who_has_nothing_to_read_gets_no_letter_but_a_row_that_says_so(pair, lea, otto, hanna):
    digests.write_due(now=NOW)
    digests.write_due(now=NOW + WEEK)
    digests.write_due(now=NOW + WEEK)
    (row,) = digests_of(otto)
    assert (row.state, row.outcome) == (Letter.State.CANCELLED, "Nothing new to tell.")
    assert rendering.render(row).text.count("nothing new") == 1
    assert not Notice.objects.filter(person=otto).exists()
    assert digests_of(hanna) == []
    assert len(digests_of(lea)) == 1


def test_a_pair_long_over_is_not_told_any_more(pair, lea):
    Pair.objects.update(state="passed", passed_at=NOW + HOUR)
    type(pair.cohort).objects.update(state="closed", closed_at=NOW + HOUR)
    digests.write_due(now=NOW)
    sweep(NOW + DAY, NOW + 4 * WEEK, step=DAY)
    (letter,) = [row for row in digests_of(lea) if row.state == Letter.State.PENDING]
    assert letter.context["own"][0]["items"][0]["passed"]


def test_who_has_left_reads_nothing(pair, lea):
    digests.write_due(now=NOW)
    Person.objects.filter(pk=lea.pk).update(active=False)
    digests.write_due(now=NOW + WEEK)
    assert digests_of(lea) == []


def test_moving_from_tokyo_to_los_angeles_on_monday_brings_one_digest(pair, lea):
    for other in (lea, pair.coach):
        Person.objects.filter(pk=other.pk).update(time_zone="Asia/Tokyo")
    monday = datetime(2027, 3, 8, tzinfo=UTC)
    sweep(NOW, monday)
    assert len(digests_of(lea)) == 1
    Person.objects.filter(pk=lea.pk).update(time_zone="America/Los_Angeles")
    sweep(monday, monday + 3 * DAY)
    assert len(digests_of(lea)) == 1
    sweep(monday + 3 * DAY, monday + 9 * DAY)
    assert len(digests_of(lea)) == 2


@pytest.mark.parametrize(
    "at", [datetime(2027, 3, 8, 0, tzinfo=UTC), datetime(2027, 3, 8, 15, 59, tzinfo=UTC)]
)
def test_moving_from_los_angeles_to_tokyo_on_monday_loses_none(pair, lea, at):
    Person.objects.update(time_zone="America/Los_Angeles")
    # Tokyo's Monday morning has been; the one at home, at 16:00 UTC, has not.
    sweep(NOW, at)
    before = len(digests_of(lea))
    Person.objects.filter(pk=lea.pk).update(time_zone="Asia/Tokyo")
    sweep(at, at + 3 * DAY)
    assert len(digests_of(lea)) == before + 1
    assert digests_of(lea)[-1].dedupe_key.endswith("2027-W10")
    sweep(at + 3 * DAY, at + 10 * DAY)
    assert len(digests_of(lea)) == before + 2
    assert len(digests_of(pair.coach)) == before + 2


@pytest.mark.parametrize("silence", [HOUR, DAY, 5 * WEEK])
def test_however_long_nobody_ticked_one_digest_is_written(pair, lea, silence):
    digests.write_due(now=NOW)
    monday = datetime(2027, 3, 8, 7, tzinfo=UTC)
    sweep(NOW, monday)
    sweep(monday + silence, monday + silence + 4 * HOUR)
    assert len(digests_of(lea)) == 1


def test_a_pair_that_begins_in_the_week_waits_for_its_monday(pair, lea):
    digests.write_due(now=NOW - WEEK)
    sweep(NOW + DAY, NOW + 5 * DAY)
    assert [row for row in digests_of(lea) if row.state == Letter.State.PENDING] == []
    sweep(NOW + 5 * DAY, NOW + 8 * DAY)
    assert len([row for row in digests_of(lea) if row.state == Letter.State.PENDING]) == 1


def test_a_tick_in_the_middle_of_the_week_asks_twice(
    make_pairs, django_assert_num_queries, django_assert_max_num_queries
):
    make_pairs(20)
    digests.write_due(now=NOW)
    with django_assert_max_num_queries(25):
        assert digests.write_due(now=NOW + WEEK) == 41
    with django_assert_num_queries(2):
        assert digests.write_due(now=NOW + WEEK + 2 * DAY) == 0


def test_a_sweep_that_stops_half_way_goes_on_where_it_stopped(make_pairs, monkeypatch):
    make_pairs(6)
    digests.write_due(now=NOW)
    monkeypatch.setattr(digests, "BATCH", 5)
    promise, calls = outbox.promise, []

    def tired(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("switched off")
        promise(*args, **kwargs)

    monkeypatch.setattr(outbox, "promise", tired)
    with pytest.raises(RuntimeError):
        digests.write_due(now=NOW + WEEK)
    assert Letter.objects.count() == 5
    monkeypatch.setattr(outbox, "promise", promise)
    assert digests.write_due(now=NOW + WEEK) == 8
    assert Letter.objects.count() == Notice.objects.count() == 13


def test_a_digest_expires_with_the_next_one(pair, lea):
    digests.write_due(now=NOW)
    digests.write_due(now=NOW + WEEK)
    (letter,) = digests_of(lea)
    assert letter.expires_at == datetime(2027, 3, 15, 7, tzinfo=UTC)


# -- what it says --------------------------------------------------------------------------


DUE = datetime(2027, 3, 8, 7, tzinfo=UTC)


def own(content: dict, side: str) -> dict:
    (group,) = [group for group in content["own"] if group["side"] == side]
    return group


def need(content: dict, kind: str) -> dict:
    (section,) = [section for section in content["needs"] if section["kind"] == kind]
    return section


def look(pair: Pair, number: int, level: float, at: datetime) -> Look:
    return Look.objects.create(
        pair=pair, week=at.date(), number=number, n=40, level=level, se=0.1, p_reached=0.1,
        taken_at=at,
    )  # fmt: skip


def test_the_learner_reads_the_own_pair_and_the_next_step(pair, lea):
    content = digests.content_for(lea, due=DUE)
    assert content["cohorts"] == content["needs"] == []
    (item,) = own(content, "learner")["items"]
    assert (item["partner"], item["target"]) == ("Ivo Marković", "3.60")
    assert item["next_step"] == "Agree on a first session with Ivo."
    assert item["days_left"] == (pair.test_date - DUE.date()).days


def test_what_changed_since_last_week_is_told(pair, lea):
    look(pair, 1, 3.2, DUE - 8 * DAY)
    look(pair, 2, 3.31, DUE - DAY)
    factories.hold_session(pair, DUE.date() - 2 * DAY)
    factories.hold_session(pair, DUE.date() - 9 * DAY)
    text = rendering.render(digests.preview(lea, now=NOW + HOUR)).text
    assert "3.31 now, 3.20 the week before; target 3.60" in text
    assert "1 session last week" in text


def test_without_new_readings_it_says_so(pair, lea):
    look(pair, 1, 3.2, DUE - 8 * DAY)
    text = rendering.render(digests.preview(lea, now=NOW + HOUR)).text
    assert "3.20 at the last look, nothing new last week" in text


def test_a_coach_reads_of_all_learners_in_one_letter_the_one_in_need_first(make_pairs, team):
    ivo = factories.make_person("Ivo", team=team)
    states = ["on_track", "passed", "stuck", "at_risk"]
    for slot, (pair, state) in enumerate(zip(make_pairs(4), states, strict=True), start=1):
        passed = NOW + DAY if state == "passed" else None
        Pair.objects.filter(pk=pair.pk).update(coach=ivo, slot=slot, state=state, passed_at=passed)
    group = own(digests.content_for(ivo, due=DUE), "coach")
    assert [item["state"] for item in group["items"]] == ["stuck", "at_risk", "on_track", "passed"]


def test_a_helper_reads_of_the_pair_they_help(pair, team):
    noor = factories.make_person("Noor Haddad", team=team)
    helper = Helper.objects.create(pair=pair, person=noor, since=NOW)
    (item,) = own(digests.content_for(noor, due=DUE), "helper")["items"]
    assert (item["partner"], item["coach"]) == ("Lea Brandt", "Ivo Marković")
    digests.write_due(now=NOW)
    digests.write_due(now=NOW + WEEK)
    assert len(digests_of(noor)) == 1
    Helper.objects.filter(pk=helper.pk).update(until=NOW)
    assert digests.content_for(noor, due=DUE) is None


def test_the_manager_reads_what_waits_for_a_decision_first(make_pairs, mara, csat, team):
    one, two = make_pairs(2)
    quiet = factories.make_cohort(team, csat, now=NOW)
    quiet.name = "A quiet one"
    quiet.save()
    Pair.objects.filter(pk=one.pk).update(state="stuck")
    Case.objects.create(pair=one, episode=1, clock="activity", opened_at=NOW)
    Pair.objects.filter(pk=two.pk).update(state="passed", passed_at=NOW + DAY)
    mara = Person.objects.get(pk=mara.pk)
    content = digests.content_for(mara, due=DUE)
    assert [item["case_count"] for item in content["cohorts"]] == [1, 0]
    told = content["cohorts"][0]
    assert (told["pairs"], told["passed"], told["stuck"]) == (2, 1, 1)
    assert told["passed_this_week"] == [two.learner.name]
    (case,) = need(content, "cases")["items"]
    assert case["who"] == f"{one.coach.name} and {one.learner.name}"
    assert content["own"] == []


def test_the_manager_reads_who_waits_who_is_quiet_and_whom_no_letter_reached(
    make_pairs, mara, team
):
    late, away, fine = make_pairs(3)
    last = DUE.date() - 15 * DAY
    for pair in (late, away):
        Pair.objects.filter(pk=pair.pk).update(clocks_from=NOW.date() - 30 * DAY)
        factories.hold_session(pair, last)
    factories.hold_session(fine, DUE.date() - 2 * DAY)
    Leave.objects.create(person=away.coach, first_day=last, noted_at=NOW)
    Waiting.objects.create(
        cohort=fine.cohort, learner=factories.make_person("Wim", team=team), why="no_seat",
        place=1, since=NOW, proposal={"coach": "x"}, proposed_at=NOW,
    )  # fmt: skip
    Letter.objects.create(
        dedupe_key="gone", kind="invitation", recipient=fine.learner, pair=fine, state=4,
        failure="refused", created_at=DUE - DAY, next_attempt_at=NOW,
    )  # fmt: skip
    content = digests.content_for(mara, due=DUE)
    assert [section["kind"] for section in content["needs"]] == ["waiting", "silent", "failed"]
    (quiet,) = need(content, "silent")["items"]
    assert quiet["who"] == f"{late.coach.name} and {late.learner.name}"
    assert quiet["what"] == "no session for 15 days"
    assert need(content, "waiting")["items"][0]["what"] == "a coach is proposed"
    (failed,) = need(content, "failed")["items"]
    assert (failed["who"], failed["what"]) == (fine.learner.name, "the address was refused")


def test_another_manager_reads_nothing_of_it(pair, otto):
    assert digests.content_for(Person.objects.get(pk=otto.pk), due=DUE) is None


def test_a_long_list_is_cut_and_counted(make_pairs, mara):
    ivo = factories.make_person(team=mara.team)
    pairs = make_pairs(7)
    for slot, pair in enumerate(pairs, start=1):
        Pair.objects.filter(pk=pair.pk).update(coach=ivo, slot=slot)
    group = own(digests.content_for(ivo, due=DUE), "coach")
    assert (len(group["items"]), group["more"], group["count"]) == (5, 2, 7)


@pytest.mark.parametrize("number", [2, 20])
def test_a_managers_digest_costs_the_same_for_any_number_of_pairs(
    make_pairs, mara, number, django_assert_max_num_queries
):
    for pair in make_pairs(number):
        Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW)
    reader = Person.objects.get(pk=mara.pk)
    with django_assert_max_num_queries(14):
        content = digests.content_for(reader, due=DUE)
    assert content["cohorts"][0]["pairs"] == need(content, "cases")["count"] == number


@pytest.mark.parametrize("number", [3, 30])
def test_digests_of_staff_are_written_together(make_pairs, number, django_assert_max_num_queries):
    people = [person for pair in make_pairs(number) for person in (pair.learner, pair.coach)]
    week = queries.week_of(people[0], due=DUE)
    with django_assert_max_num_queries(6):
        assert len(queries.contents(people, week=week)) == 2 * number


def test_a_manager_of_a_hundred_cohorts_with_the_longest_names_gets_a_small_letter(
    team, mara, csat
):
    name = "Wolfeschlegelsteinhausenbergerdorff " * 6
    for number in range(100):
        cohort = factories.make_cohort(team, csat, now=NOW)
        type(cohort).objects.filter(pk=cohort.pk).update(name=f"{number} {name}"[:120])
        pair = factories.make_pair(
            factories.make_person(name[:200], team=team),
            factories.make_person(name[:199], team=team),
            metric=csat, cohort=cohort, now=NOW, state="stuck", clocks_from=NOW.date() - 60 * DAY,
        )  # fmt: skip
        if number % 2:
            Case.objects.create(pair=pair, episode=1, clock="outcome", opened_at=NOW)
    letter = digests.preview(Person.objects.get(pk=mara.pk), now=NOW)
    rendered = rendering.render(letter)
    assert len(rendered.html.encode()) < 100_000
    assert len(rendered.text.encode()) < 20_000
    assert "And 95 more" in rendered.text
    assert rendered.subject == "50 decisions wait for you"


def test_both_forms_of_a_digest_tell_the_same(make_pairs, mara, team):
    one, two, her_own = make_pairs(3)
    Case.objects.create(pair=one, episode=1, clock="activity", opened_at=NOW)
    Pair.objects.filter(pk=one.pk).update(state="stuck")
    Pair.objects.filter(pk=two.pk).update(state="passed", passed_at=NOW + DAY)
    Pair.objects.filter(pk=her_own.pk).update(coach=mara)
    letter = digests.preview(Person.objects.get(pk=mara.pk), now=NOW + HOUR)
    rendered = rendering.render(letter)
    for form in (rendered.text, rendered.html):
        assert "Waiting for your decision" in form
        assert "1 of 3 have passed; 1 on track, 0 at risk, 1 stuck." in form
        assert f"Passed last week: {two.learner.name}." in form
        assert "You coach" in form
        assert f"Agree on a first session with {her_own.learner.first_name}." in form
        assert "weeks that have something to tell" in form
    addresses = set(re.findall(r"http://localhost:8000[^\s\"<]*", rendered.text))
    assert addresses == set(re.findall(r"http://localhost:8000[^\s\"<]*", rendered.html))


def test_a_digest_waits_for_its_readers_own_hours(pair, lea):
    digests.write_due(now=NOW)
    Person.objects.filter(pk=lea.pk).update(working_days="2345", day_begins="10:00")
    lea.refresh_from_db()
    moment = preferences.next_moment(lea, Letter.Kind.DIGEST, DUE)
    assert moment == datetime(2027, 3, 9, 9, tzinfo=UTC)
    pair.coach.refresh_from_db()
    assert preferences.next_moment(pair.coach, Letter.Kind.DIGEST, DUE) == DUE
