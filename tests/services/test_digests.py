"""Monday at eight where the reader is; nothing to say, no letter."""

from datetime import UTC, datetime, timedelta

import pytest

from coaching.models import Case, Letter, Pair, Person
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
    digests.write_due(now=later)
    digests.write_due(now=later + HOUR)
    (letter,) = digests_of(lea)
    assert letter.dedupe_key.endswith("2027-W14")


def test_the_first_sight_of_a_zone_writes_no_stale_digest(pair, lea):
    assert digests.write_due(now=NOW + 3 * DAY) == 0
    assert digests_of(lea) == []


def test_who_has_nothing_to_read_gets_no_letter(pair, lea, otto, hanna):
    digests.write_due(now=NOW)
    digests.write_due(now=NOW + WEEK)
    assert digests_of(otto) == digests_of(hanna) == []
    assert len(digests_of(lea)) == 1


def test_a_pair_long_over_is_not_told_any_more(pair, lea):
    Pair.objects.update(state="passed", passed_at=NOW + HOUR)
    type(pair.cohort).objects.update(state="closed", closed_at=NOW + HOUR)
    digests.write_due(now=NOW)
    sweep(NOW + DAY, NOW + 4 * WEEK, step=DAY)
    (letter,) = digests_of(lea)
    assert letter.context["pairs"][0]["passed"]


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


def test_a_digest_expires_with_the_next_one(pair, lea):
    digests.write_due(now=NOW)
    digests.write_due(now=NOW + WEEK)
    (letter,) = digests_of(lea)
    assert letter.expires_at == datetime(2027, 3, 15, 7, tzinfo=UTC)


# -- what it says --------------------------------------------------------------------------


DUE = datetime(2027, 3, 8, 7, tzinfo=UTC)


def test_the_learner_reads_the_own_pair_and_the_next_step(pair, lea):
    content = digests.content_for(lea, due=DUE)
    assert content["cohorts"] == []
    (item,) = content["pairs"]
    assert (item["side"], item["partner"], item["target"]) == ("learner", "Ivo Marković", "3.60")
    assert item["next_step"] == "Agree on a first session with Ivo."
    assert item["days_left"] == (pair.test_date - DUE.date()).days


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
    assert told["cases"][0]["who"] == f"{one.coach.name} and {one.learner.name}"
    assert content["pairs"] == []


def test_another_manager_reads_nothing_of_it(pair, otto):
    assert digests.content_for(Person.objects.get(pk=otto.pk), due=DUE) is None


def test_a_long_list_is_cut_and_counted(make_pairs, mara):
    ivo = factories.make_person(team=mara.team)
    pairs = make_pairs(7)
    for slot, pair in enumerate(pairs, start=1):
        Pair.objects.filter(pk=pair.pk).update(coach=ivo, slot=slot)
    content = digests.content_for(ivo, due=DUE)
    assert (len(content["pairs"]), content["more_pairs"]) == (5, 2)


@pytest.mark.parametrize("number", [2, 20])
def test_a_managers_digest_costs_the_same_for_any_number_of_pairs(
    make_pairs, mara, number, django_assert_max_num_queries
):
    make_pairs(number)
    reader = Person.objects.get(pk=mara.pk)
    with django_assert_max_num_queries(6):
        assert digests.content_for(reader, due=DUE)["cohorts"][0]["pairs"] == number
