"""Readings and sessions move pairs: on track, at risk, stuck, passed; cases open and close."""

import math
from datetime import timedelta

import pytest

from coaching.models import Case, Cohort, Event, Leave, Letter, Look, Notice, Pair, Reading
from coaching.notifications import messages, outbox, words
from coaching.queries import pairs as pair_queries
from coaching.services import progress
from tests import factories
from tests.conftest import NOW

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)


class Swim:
    """A pair's weeks after the launch, one step at a time."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.now = NOW

    def read(self, week: int, mean: float, *, n: float = 60) -> Reading:
        monday = self.pair.counts_from + (week - 1) * WEEK
        return factories.add_reading(self.pair.learner, self.pair.metric, monday, mean=mean, n=n)

    def meet(self, *, days: int = 0) -> None:
        factories.hold_session(self.pair, self.now.date() - days * DAY)

    def look(self, *, after: timedelta) -> Pair:
        """The sweep, so much later."""
        self.now = self.now + after
        progress.check_due(now=self.now)
        self.pair.refresh_from_db()
        return self.pair

    def week(self, number: int, mean: float) -> Pair:
        """A week of work, its readings, and the look on the Monday after it."""
        self.now = NOW + (number + 1) * WEEK
        self.meet(days=4)
        self.read(number, mean)
        progress.readings_arrived(Reading.objects.filter(person=self.pair.learner), now=self.now)
        return self.look(after=timedelta(0))

    def kinds(self) -> list[str]:
        return sorted(Letter.objects.values_list("kind", flat=True))


@pytest.fixture
def swim(pair) -> Swim:
    return Swim(pair)


# -- looks -------------------------------------------------------------------------------


def test_a_complete_week_with_readings_is_one_look(swim, pair):
    swim.read(1, 3.3)
    swim.read(2, 3.4)
    # On the Sunday of the second week only the first one is complete.
    swim.look(after=2 * WEEK + 6 * DAY)
    assert list(pair.looks.values_list("number", flat=True)) == [1]
    # These readings came before the week was over: so the rest of it is waited for.
    swim.look(after=2 * DAY)
    assert list(pair.looks.values_list("number", flat=True)) == [1]
    swim.look(after=DAY)
    first, second = pair.looks.all()
    assert (second.number, second.week, second.n) == (2, pair.counts_from + WEEK, 120)
    assert 3.0 < first.level < 3.3
    assert first.level < second.level < 3.4
    assert second.se < first.se
    assert 0 < second.p_reached < 0.05


def test_readings_from_before_the_launch_do_not_count(swim, pair):
    for weeks in range(1, 5):
        factories.add_reading(pair.learner, pair.metric, pair.counts_from - weeks * WEEK, mean=5)
    swim.look(after=3 * WEEK)
    assert not Look.objects.exists()


def test_another_metric_or_person_does_not_count(swim, pair):
    factories.add_reading(pair.coach, pair.metric, pair.counts_from, mean=5)
    factories.add_reading(pair.learner, factories.make_metric(), pair.counts_from, mean=5)
    swim.look(after=3 * WEEK)
    assert not Look.objects.exists()


def test_several_weeks_at_once_are_several_looks(swim, pair):
    for week in (1, 2, 4):
        swim.read(week, 3.5)
    swim.look(after=6 * WEEK)
    assert list(pair.looks.values_list("number", "n")) == [(1, 60), (2, 120), (4, 180)]


def arrive(swim: Swim, *, after: timedelta = timedelta(0)) -> None:
    """What was read so far is stored now."""
    swim.now += after
    progress.readings_arrived(Reading.objects.filter(person=swim.pair.learner), now=swim.now)


def test_readings_that_arrive_after_their_week_are_looked_at_at_once(swim, pair):
    swim.read(1, 3.4)
    arrive(swim, after=2 * WEEK)
    assert list(pair.looks.values_list("number", "n")) == [(1, 60)]


def test_a_part_of_a_week_is_no_look_until_the_rest_had_time_to_come(swim, pair):
    # Thursday's export holds three days; Monday's the whole week.
    swim.read(1, 4.4, n=20)
    arrive(swim, after=WEEK + 3 * DAY)
    swim.look(after=4 * DAY)
    assert not pair.looks.exists()
    swim.read(1, 3.4, n=60)
    arrive(swim)
    assert list(pair.looks.values_list("number", "n")) == [(1, 60)]


def test_a_week_is_over_when_it_is_over_where_the_learner_is(swim, pair, lea):
    lea.time_zone = "Pacific/Honolulu"
    lea.save()
    swim.read(1, 3.4)
    # Monday half past seven in London is still Sunday over there.
    arrive(swim, after=2 * WEEK)
    assert not pair.looks.exists()
    swim.look(after=3 * DAY)
    assert pair.looks.count() == 1


def test_a_correction_changes_the_looks_it_concerns_and_no_other(swim, pair):
    for week in (1, 2, 3):
        swim.read(week, 3.5)
    arrive(swim, after=4 * WEEK)
    before = list(pair.looks.values_list("number", "level"))
    swim.read(2, 4.2)
    arrive(swim, after=DAY)
    after = list(pair.looks.values_list("number", "level"))
    assert after[0] == before[0]
    assert after[1][1] > before[1][1]
    assert after[2][1] > before[2][1]
    taken = list(pair.looks.values_list("taken_at", flat=True))
    assert taken == [NOW + 4 * WEEK, swim.now, swim.now]


def test_a_week_that_comes_late_is_put_where_it_belongs(swim, pair):
    swim.read(1, 3.5)
    swim.read(3, 3.5)
    arrive(swim, after=4 * WEEK)
    swim.read(2, 3.5)
    arrive(swim, after=DAY)
    assert list(pair.looks.values_list("number", "n")) == [(1, 60), (2, 120), (3, 180)]


def test_looking_again_changes_nothing(swim, pair):
    for week in (1, 2):
        swim.read(week, 3.5)
    arrive(swim, after=3 * WEEK)
    before = list(pair.looks.values())
    arrive(swim, after=DAY)
    swim.look(after=5 * DAY)
    assert list(pair.looks.values()) == before


def test_a_level_is_read_from_the_newest_eight_weeks(swim, pair):
    for week in range(1, 11):
        swim.read(week, 3.2)
    swim.look(after=12 * WEEK)
    assert list(pair.looks.values_list("n", flat=True))[-3:] == [480, 480, 480]


# -- passing -----------------------------------------------------------------------------


def test_a_learner_at_the_target_passes_in_the_fourth_week(swim, pair, lea, ivo, mara):
    outbox.promise([messages.reminder(pair, lea, due=NOW, last=None, sessions=0)], now=NOW)
    for week in (1, 2, 3):
        assert swim.week(week, 4.3).state == Pair.State.ON_TRACK
    assert swim.week(4, 4.3).state == Pair.State.PASSED
    assert pair.passed_at == swim.now
    # No reminder any more, both are told, and as the last pair it closes the cohort.
    assert Letter.objects.get(kind="reminder").state == Letter.State.CANCELLED
    assert {row.recipient for row in Letter.objects.filter(kind="passed")} == {lea, ivo}
    assert Cohort.objects.get().state == Cohort.State.CLOSED
    assert Letter.objects.filter(kind="closed", recipient=mara).exists()
    assert Event.objects.filter(verb="pair passed", subject_id=pair.public_id).count() == 1


def test_one_bad_week_resets_the_count(swim):
    for week, mean in enumerate((4.3, 4.3, 4.3), start=1):
        swim.week(week, mean)
    assert swim.week(4, 1.5).state != Pair.State.PASSED
    assert swim.week(5, 4.6).state != Pair.State.PASSED


def test_no_readings_is_never_a_pass(swim):
    for week in range(1, 30):
        swim.now = NOW + week * WEEK
        swim.meet()
        assert swim.look(after=timedelta(0)).state != Pair.State.PASSED


def test_lower_is_better_for_handle_time(team, lea, ivo, mara):
    metric = factories.make_metric("handle-time", kind="duration", direction="lower")
    pair = factories.make_pair(
        lea, ivo, metric=metric, cohort=factories.make_cohort(team, metric, now=NOW), now=NOW,
        baseline=math.log(400), target=math.log(350), stretch=math.log(345), baseline_se=0.03,
        tau2=0.02, sigma2=0.3,
    )  # fmt: skip
    swim = Swim(pair)
    for week in (1, 2, 3, 4):
        swim.week(week, 300)
    assert swim.pair.state == Pair.State.PASSED
    assert metric.read(pair.looks.last().level).startswith("5:0")


# -- stuck, and moving again ---------------------------------------------------------------


def test_without_a_first_session_the_manager_is_asked_once(swim, pair, mara):
    assert swim.look(after=9 * DAY).state == Pair.State.AT_RISK
    assert swim.look(after=DAY).state == Pair.State.STUCK
    case = Case.objects.get()
    assert (case.pair, case.clock, case.episode, case.opened_at) == (pair, "activity", 1, swim.now)
    letter = Letter.objects.get(kind="escalation")
    assert letter.recipient == mara
    assert words.tell(letter.context["why"]) == "No first session after 10 days."
    for _ in range(5):
        swim.look(after=DAY)
    assert Case.objects.count() == Letter.objects.filter(kind="escalation").count() == 1


def test_a_session_closes_the_case_by_itself_and_the_next_episode_is_a_new_one(swim, pair):
    swim.look(after=11 * DAY)
    swim.meet()
    assert swim.look(after=DAY).state == Pair.State.ON_TRACK
    case = Case.objects.get()
    assert (case.decision, case.decided_by) == (Case.Decision.RECOVERED, None)
    assert case.decided_at == swim.now
    swim.look(after=15 * DAY)
    assert list(Case.objects.order_by("episode").values_list("episode", "decision")) == [
        (1, "recovered"), (2, ""),
    ]  # fmt: skip
    assert Letter.objects.filter(kind="escalation").count() == 2


def test_sessions_without_movement_are_another_clock(swim, pair):
    for week in range(1, 7):
        swim.week(week, 3.0)
    assert swim.pair.state == Pair.State.STUCK
    assert Case.objects.get().clock == Case.Clock.OUTCOME


def test_who_passes_while_stuck_leaves_no_case_open(swim, pair):
    swim.now = NOW + 11 * DAY
    swim.look(after=timedelta(0))
    assert swim.pair.state == Pair.State.STUCK
    for week in (1, 2, 3, 4):
        swim.read(week, 4.4)
    swim.look(after=5 * WEEK)
    assert swim.pair.state == Pair.State.PASSED
    assert Case.objects.get().decision == Case.Decision.RECOVERED


# -- a cohort's clocks, and days away ----------------------------------------------------------


def set_clocks(pair, mara, **values) -> None:
    clocks = {
        "first_session_days": 20, "next_session_days": 14, "readings_days": 21,
        "looks_without_movement": 6, **values,
    }  # fmt: skip
    progress.set_clocks(cohort=pair.cohort, by=mara, now=NOW, **clocks)


def test_pairs_are_judged_by_the_clocks_of_their_cohort(swim, pair, mara):
    set_clocks(pair, mara)
    assert Event.objects.filter(verb="clocks set").get().details == {"first_session_days": 20}
    assert swim.look(after=16 * DAY).state == Pair.State.ON_TRACK
    assert swim.look(after=3 * DAY).state == Pair.State.AT_RISK
    assert swim.look(after=DAY).state == Pair.State.STUCK


@pytest.mark.parametrize(
    "wrong", [{"first_session_days": 2}, {"readings_days": 91}, {"looks_without_movement": 2}]
)
def test_clocks_have_sensible_ends(pair, mara, wrong):
    with pytest.raises(progress.ClocksRefused):
        set_clocks(pair, mara, **wrong)
    pair.cohort.refresh_from_db()
    assert pair.cohort.first_session_days == 10


def test_new_clocks_wake_the_pairs_of_their_cohort_at_once(pair, make_pairs, mara):
    other = make_pairs(1)[0]
    set_clocks(pair, mara)
    assert list(Pair.objects.filter(next_check_at=NOW)) == [pair]
    assert other.next_check_at > NOW


def test_the_clocks_stand_still_while_one_of_the_two_is_away(swim, pair, ivo, mara):
    Leave.objects.create(
        person=ivo, first_day=NOW.date() + 2 * DAY, last_day=NOW.date() + 8 * DAY,
        noted_by=mara, noted_at=NOW,
    )  # fmt: skip
    assert swim.look(after=16 * DAY).state == Pair.State.AT_RISK
    assert swim.look(after=DAY).state == Pair.State.STUCK


# -- the sweep -------------------------------------------------------------------------------


def test_sweeping_twice_is_harmless(swim):
    for week in range(1, 5):
        swim.week(week, 4.3)
        Pair.objects.update(next_check_at=swim.now)
        swim.look(after=timedelta(0))
    assert Look.objects.count() == 4
    assert swim.kinds() == ["closed", "closed", "closed", "passed", "passed"]
    assert Notice.objects.count() == 5


def test_a_pair_is_looked_at_once_a_day(swim, pair):
    assert progress.check_due(now=NOW) == 0
    assert progress.check_due(now=NOW + DAY) == 1
    assert progress.check_due(now=NOW + DAY) == 0
    pair.refresh_from_db()
    assert pair.next_check_at == NOW + 2 * DAY


def test_what_arrives_while_a_sweep_judges_is_judged_as_well(pair, monkeypatch):
    Pair.objects.update(next_check_at=NOW)
    as_judged, arrived = pair_queries.verdict_on, []

    def judged(*given, **told):
        if not arrived:
            arrived.append(factories.add_reading(pair.learner, pair.metric, NOW.date(), mean=3))
            progress.readings_arrived(Reading.objects.all(), now=NOW)
        return as_judged(*given, **told)

    monkeypatch.setattr(pair_queries, "verdict_on", judged)
    assert progress.check_due(now=NOW) == 2
    assert progress.check_due(now=NOW) == 0


def test_only_the_learners_active_pairs_in_that_metric_are_woken(pair, make_pairs):
    others = make_pairs(2)
    factories.add_reading(pair.learner, pair.metric, NOW.date(), mean=3)
    factories.add_reading(others[0].learner, factories.make_metric(), NOW.date(), mean=3)
    progress.readings_arrived(Reading.objects.all(), now=NOW)
    assert list(Pair.objects.filter(next_check_at__lt=NOW)) == [pair]


@pytest.mark.parametrize("number", [2, 20])
def test_any_number_of_pairs_costs_the_same(
    make_pairs, number, django_assert_max_num_queries, mara
):
    for pair in make_pairs(number):
        factories.hold_session(pair, NOW.date() + 10 * DAY)
        factories.add_reading(pair.learner, pair.metric, pair.counts_from, mean=3.4)
    # The pairs, their looks, sessions, targets and leaves, the readings; storing looks in a
    # transaction; the next check; no more due.
    with django_assert_max_num_queries(12):
        assert progress.check_due(now=NOW + 16 * DAY) == number
    assert Look.objects.count() == number


def test_a_pair_that_cannot_be_judged_keeps_no_other_waiting(make_pairs, monkeypatch, caplog):
    broken, other = make_pairs(2)
    plain = pair_queries.verdict_on

    def verdict_on(pair, **values):
        if pair == broken:
            raise ZeroDivisionError
        return plain(pair, **values)

    monkeypatch.setattr(pair_queries, "verdict_on", verdict_on)
    with pytest.raises(ExceptionGroup):
        progress.check_due(now=NOW + 11 * DAY)
    other.refresh_from_db()
    assert other.state == Pair.State.STUCK
    assert broken.public_id in caplog.text
