"""Readings and sessions move pairs: on track, at risk, stuck, passed; cases open and close."""

import math
from datetime import date, timedelta

import pytest

from coaching.models import Case, Cohort, Event, Letter, Look, Notice, Pair, Reading
from coaching.notifications import messages, outbox
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


def test_a_look_is_never_redone_and_late_readings_count_from_the_next_one(swim, pair):
    swim.read(2, 3.5)
    swim.look(after=3 * WEEK)
    before = list(pair.looks.values_list("number", "n", "level"))
    swim.read(1, 4.0)
    swim.read(2, 4.0)
    swim.look(after=DAY)
    assert list(pair.looks.values_list("number", "n", "level")) == before
    swim.read(3, 3.5)
    swim.look(after=WEEK)
    assert list(pair.looks.values_list("number", "n")) == [(2, 60), (3, 180)]


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
    assert letter.context["why"] == "No first session after 10 days."
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


def test_without_a_manager_the_one_who_made_the_cohort_decides(swim, team, mara):
    team.manager = None
    team.save()
    swim.look(after=11 * DAY)
    assert Letter.objects.get(kind="escalation").recipient == mara


# -- decisions -----------------------------------------------------------------------------


@pytest.fixture
def case(swim) -> Case:
    swim.look(after=11 * DAY)
    return Case.objects.select_related("pair__learner", "pair__coach", "pair__metric").get()


def decide(case: Case, swim: Swim, mara, decision: str, note: str = "A new start.") -> None:
    progress.decide(case=case, decision=decision, note=note, by=mara, now=swim.now)
    swim.pair.refresh_from_db()
    case.refresh_from_db()


def test_more_time_starts_the_clocks_again(case, swim, mara, lea, ivo):
    before = swim.pair.test_date
    decide(case, swim, mara, Case.Decision.EVERYTHING)
    pair = swim.pair
    assert (case.decision, case.decided_by, case.note) == ("everything", mara, "A new start.")
    assert pair.state == Pair.State.AT_RISK
    assert pair.clocks_from == swim.now.date()
    assert pair.test_date == before + 4 * WEEK
    letters = Letter.objects.filter(kind="decided")
    assert {row.recipient for row in letters} == {lea, ivo}
    assert {row.context["note"] for row in letters} == {"A new start."}
    assert swim.look(after=9 * DAY).state != Pair.State.STUCK
    assert swim.look(after=DAY).state == Pair.State.STUCK
    assert Case.objects.count() == 2


def test_a_test_that_is_over_moves_to_four_weeks_from_today(case, swim, mara):
    Pair.objects.update(test_date=date(2027, 3, 2))
    case.pair.refresh_from_db()
    decide(case, swim, mara, Case.Decision.EVERYTHING)
    assert swim.pair.test_date == swim.now.date() + 4 * WEEK


def test_the_end_is_said_openly_and_closes_the_cohort(case, swim, mara, lea):
    outbox.promise(
        [messages.reminder(case.pair, lea, due=swim.now, last=None, sessions=0)], now=swim.now
    )
    decide(case, swim, mara, Case.Decision.ACCEPT)
    assert (swim.pair.state, swim.pair.ended_at) == (Pair.State.ENDED, swim.now)
    assert Letter.objects.get(kind="reminder").state == Letter.State.CANCELLED
    assert Letter.objects.filter(kind="decided", state=Letter.State.PENDING).count() == 2
    assert Cohort.objects.get().state == Cohort.State.CLOSED
    assert swim.look(after=5 * WEEK).state == Pair.State.ENDED


def test_a_decision_needs_a_reason_and_is_made_once(case, swim, mara):
    for decision, note, refusal in (
        ("recovered", "-", progress.NoSuchDecision),
        ("", "-", progress.NoSuchDecision),
        ("accept", "  ", progress.NoReason),
    ):
        with pytest.raises(refusal):
            decide(case, swim, mara, decision, note)
    decide(case, swim, mara, Case.Decision.EVERYTHING)
    with pytest.raises(progress.CaseDecided):
        decide(case, swim, mara, Case.Decision.ACCEPT)
    assert swim.pair.state == Pair.State.AT_RISK


def test_a_sweep_that_read_the_pair_before_the_decision_changes_nothing(case, swim, mara):
    stale = Pair.objects.prefetch_related("looks", "sessions").get()
    decide(case, swim, mara, Case.Decision.EVERYTHING)
    stale.all_looks = []
    verdict = progress.progress.Verdict(progress.progress.State.ON_TRACK, None, "-")
    progress._settle(stale, verdict, now=swim.now)
    swim.pair.refresh_from_db()
    assert swim.pair.state == Pair.State.AT_RISK


# -- sessions --------------------------------------------------------------------------------


def test_a_session_is_logged_once_a_day_and_looked_at_at_once(pair, lea, ivo):
    later = NOW + 3 * DAY
    for by, note in ((lea, "Listening"), (ivo, "Listening, and closing")):
        progress.log_session(pair=pair, held_on=later.date(), note=note, by=by, now=later)
    session = pair.sessions.get()
    assert (session.note, session.logged_by) == ("Listening, and closing", ivo)
    pair.refresh_from_db()
    assert pair.next_check_at == later
    assert Event.objects.filter(verb="session logged").count() == 2


@pytest.mark.parametrize("days", [-1, 4])
def test_a_session_has_taken_place_and_not_before_the_pair_began(pair, lea, days):
    with pytest.raises(progress.NotYet):
        progress.log_session(
            pair=pair, held_on=NOW.date() + days * DAY, note="", by=lea, now=NOW + 3 * DAY
        )


def test_the_first_session_may_be_on_the_evening_of_the_launch(pair, lea):
    # 00:30 in London is still the day before in Los Angeles.
    lea.time_zone = "America/Los_Angeles"
    launched = NOW.replace(hour=0, minute=30) + DAY
    Pair.objects.update(started_at=launched)
    pair.refresh_from_db()
    evening = launched + timedelta(hours=2)
    session = progress.log_session(pair=pair, held_on=NOW.date(), note="", by=lea, now=evening)
    assert session.held_on == NOW.date()


def test_after_the_end_there_is_nothing_to_log(pair, lea):
    pair.state = Pair.State.ENDED
    with pytest.raises(progress.NotSwimming):
        progress.log_session(pair=pair, held_on=NOW.date(), note="", by=lea, now=NOW)


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


def test_only_the_learners_active_pairs_in_that_metric_are_woken(pair, make_pairs):
    others = make_pairs(2)
    factories.add_reading(pair.learner, pair.metric, NOW.date(), mean=3)
    factories.add_reading(others[0].learner, factories.make_metric(), NOW.date(), mean=3)
    progress.readings_arrived(Reading.objects.all(), now=NOW)
    assert list(Pair.objects.filter(next_check_at=NOW)) == [pair]


@pytest.mark.parametrize("number", [2, 20])
def test_any_number_of_pairs_costs_the_same(
    make_pairs, number, django_assert_max_num_queries, mara
):
    for pair in make_pairs(number):
        factories.hold_session(pair, NOW.date() + 10 * DAY)
        factories.add_reading(pair.learner, pair.metric, pair.counts_from, mean=3.4)
    # The pairs, their looks and sessions, the readings; storing looks; the next check; no more due.
    with django_assert_max_num_queries(9):
        assert progress.check_due(now=NOW + 15 * DAY) == number
    assert Look.objects.count() == number


def test_a_pair_that_cannot_be_judged_keeps_no_other_waiting(make_pairs, monkeypatch, caplog):
    broken, other = make_pairs(2)
    plain = progress.verdict_on

    def verdict_on(pair, **values):
        if pair == broken:
            raise ZeroDivisionError
        return plain(pair, **values)

    monkeypatch.setattr(progress, "verdict_on", verdict_on)
    with pytest.raises(ExceptionGroup):
        progress.check_due(now=NOW + 11 * DAY)
    other.refresh_from_db()
    assert other.state == Pair.State.STUCK
    assert broken.public_id in caplog.text
