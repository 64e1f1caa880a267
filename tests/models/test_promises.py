"""What the database refuses, whoever asks: the same on SQLite and PostgreSQL."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from coaching.models import (
    Case,
    Cohort,
    DraftPair,
    HandRaise,
    Letter,
    Look,
    Member,
    Metric,
    Notice,
    Pair,
    Plan,
    Reading,
    Rule,
    ScorecardMetric,
    Simulation,
    Standing,
    Unpaired,
)
from tests import factories
from tests.conftest import NOW


@pytest.fixture
def refused():
    """Run within a savepoint; the database must say no, naming this promise."""

    def try_it(write, *, promise: str = "") -> None:
        with pytest.raises(IntegrityError) as no, transaction.atomic():
            write()
        # SQLite names the columns of a unique constraint, and not the constraint.
        if "UNIQUE" not in str(no.value):
            assert promise in str(no.value)

    return try_it


# -- pairs -----------------------------------------------------------------------------


def test_nobody_coaches_oneself(pair, ivo, csat, refused):
    refused(
        lambda: factories.make_pair(ivo, ivo, metric=csat, cohort=pair.cohort, now=NOW),
        promise="pair_is_two_people",
    )


def test_a_learner_has_one_coach_for_a_metric(pair, lea, csat, team, refused):
    other = factories.make_person(team=team)
    again = {"metric": csat, "cohort": pair.cohort, "now": NOW}
    refused(lambda: factories.make_pair(lea, other, **again), promise="pair_one_coach_per_metric")
    # In another skill, or after the first pair has ended, there may be one.
    factories.make_pair(lea, other, **{**again, "metric": factories.make_metric("quality")})
    Pair.objects.filter(pk=pair.pk).update(state="ended", ended_at=NOW, ending="left")
    factories.make_pair(lea, other, **again)


def test_a_seat_is_taken_once(pair, ivo, csat, team, refused):
    other = factories.make_person(team=team)
    seat = {"metric": csat, "cohort": pair.cohort, "now": NOW, "slot": pair.slot}
    refused(lambda: factories.make_pair(other, ivo, **seat), promise="pair_one_learner_per_seat")
    Pair.objects.filter(pk=pair.pk).update(state="passed", passed_at=NOW)
    factories.make_pair(other, ivo, **seat)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "passed"},
        {"passed_at": NOW},
        {"state": "passed", "passed_at": NOW, "ended_at": NOW},
        {"state": "ended"},
        {"ended_at": NOW},
        {"state": "ended", "passed_at": NOW, "ended_at": NOW, "ending": "left"},
    ],
)
def test_an_end_has_its_time(pair, values, refused):
    refused(lambda: Pair.objects.filter(pk=pair.pk).update(**values), promise="_at_iff_")


def test_a_case_is_open_once_and_decided_with_a_time(pair, refused):
    first = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW)
    refused(
        lambda: Case.objects.create(pair=pair, episode=2, clock="activity", opened_at=NOW),
        promise="case_one_open",
    )
    decide = Case.objects.filter(pk=first.pk).update
    refused(lambda: decide(decision="accept"), promise="case_decided_at_iff_decided")
    refused(lambda: decide(decided_at=NOW), promise="case_decided_at_iff_decided")
    decide(decision="everything", decided_at=NOW)
    refused(
        lambda: Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW),
        promise="case_once_per_episode",
    )
    Case.objects.create(pair=pair, episode=2, clock="outcome", opened_at=NOW)


def test_one_look_a_week_and_one_session_a_day(pair, refused):
    look = {"week": NOW.date(), "number": 1, "n": 5, "level": 3, "se": 1, "p_reached": 0}
    Look.objects.create(pair=pair, taken_at=NOW, **look)
    refused(lambda: Look.objects.create(pair=pair, taken_at=NOW, **look), promise="look_once")
    factories.hold_session(pair, NOW.date())
    refused(lambda: factories.hold_session(pair, NOW.date()), promise="session_once_a_day")


# -- plans and cohorts -------------------------------------------------------------------


@pytest.fixture
def cohort(team, csat) -> Cohort:
    return factories.make_cohort(team, csat, now=NOW, state="draft")


def test_a_cohort_has_one_launched_plan(cohort, refused):
    Plan.objects.create(cohort=cohort, created_at=NOW, state="launched", launched_at=NOW)
    Plan.objects.create(cohort=cohort, created_at=NOW)
    refused(
        lambda: Plan.objects.create(
            cohort=cohort, created_at=NOW, state="launched", launched_at=NOW
        ),
        promise="plan_launched_once",
    )


@pytest.mark.parametrize("values", [{"state": "launched"}, {"launched_at": NOW}])
def test_a_launch_has_its_time(cohort, values, refused):
    plan = Plan.objects.create(cohort=cohort, created_at=NOW)
    refused(lambda: Plan.objects.filter(pk=plan.pk).update(**values), promise="plan_launched_at")


@pytest.mark.parametrize(
    "values",
    [
        {"state": "live"},
        {"launched_at": NOW},
        {"state": "closed", "launched_at": NOW},
        {"state": "live", "launched_at": NOW, "closed_at": NOW},
    ],
)
def test_a_cohort_knows_when_it_started_and_closed(cohort, values, refused):
    refused(lambda: Cohort.objects.filter(pk=cohort.pk).update(**values), promise="cohort_")


def test_a_member_stands_on_one_side(cohort, lea, refused):
    Member.objects.create(cohort=cohort, person=lea, side="learner")
    refused(
        lambda: Member.objects.create(cohort=cohort, person=lea, side="coach"),
        promise="member_on_one_side",
    )


def test_a_plan_speaks_of_a_learner_once(cohort, lea, ivo, csat, refused):
    plan = Plan.objects.create(cohort=cohort, created_at=NOW)
    draft = {"learner": lea, "coach": ivo, "metric": csat, "score": 1, "feasible_coaches": 1}
    DraftPair.objects.create(plan=plan, **draft)
    refused(lambda: DraftPair.objects.create(plan=plan, **draft), promise="draft_pair_")
    Unpaired.objects.create(plan=plan, learner=lea, reason="-")
    refused(
        lambda: Unpaired.objects.create(plan=plan, learner=lea, reason="-"),
        promise="unpaired_learner_once",
    )


def test_a_rule_names_two_people_once(cohort, lea, ivo, refused):
    plan = Plan.objects.create(cohort=cohort, created_at=NOW)
    rule = {"plan": plan, "made_at": NOW, "learner": lea}
    Rule.objects.create(kind="pin", coach=ivo, **rule)
    refused(lambda: Rule.objects.create(kind="forbid", coach=ivo, **rule), promise="rule_once")
    refused(lambda: Rule.objects.create(kind="pin", coach=lea, **rule), promise="two_people")


# -- readings and rankings -----------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1])
def test_a_reading_counts_something(lea, csat, n, refused):
    reading = {"person": lea, "metric": csat, "period": NOW.date(), "sum": 0}
    refused(lambda: Reading.objects.create(n=n, **reading), promise="reading_counts_something")


def test_a_week_has_one_reading(lea, csat, refused):
    reading = {"person": lea, "metric": csat, "period": NOW.date(), "n": 1, "sum": 3}
    Reading.objects.create(**reading)
    refused(lambda: Reading.objects.create(**reading), promise="reading_once_per_week")


def test_the_bounds_of_a_metric_are_in_order(refused, db):
    refused(
        lambda: factories.make_metric("upside-down", lower=5, upper=1),
        promise="metric_bounds_in_order",
    )
    factories.make_metric("one-sided", lower=0)
    assert Metric.objects.count() == 1


def test_a_metric_is_weighed_once_and_never_below_nothing(team, csat, refused):
    scorecard = factories.make_scorecard(team, csat)
    again = ScorecardMetric.objects.create
    refused(lambda: again(scorecard=scorecard, metric=csat), promise="scorecard_metric_once")
    refused(
        lambda: again(scorecard=scorecard, metric=factories.make_metric(), weight=-1),
        promise="scorecard_weight_not_negative",
    )


def test_a_person_stands_once_in_a_ranking(cohort, lea, csat, refused):
    standing = {
        "ranking": cohort.ranking, "person": lea, "group": "-", "n": 1, "estimate": 0, "se": 0,
        "reliability": 0, "z": 0, "p_low": 0, "p_high": 0, "p_need": 0, "p_skill": 0,
        "rank_low": 0, "rank_high": 0, "band": "middle",
    }  # fmt: skip
    for metric in (csat, None):
        Standing.objects.create(metric=metric, **standing)
        refused(lambda at=metric: Standing.objects.create(metric=at, **standing), promise="once")


def test_a_hand_is_raised_once_until_it_is_lowered(lea, csat, refused):
    raised = HandRaise.objects.create(person=lea, metric=csat, raised_at=NOW)
    refused(
        lambda: HandRaise.objects.create(person=lea, metric=csat, raised_at=NOW),
        promise="hand_raised_once",
    )
    HandRaise.objects.filter(pk=raised.pk).update(lowered_at=NOW)
    HandRaise.objects.create(person=lea, metric=csat, raised_at=NOW)


# -- letters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"state": 1},
        {"state": 2, "lease_token": uuid4()},
        {"state": 1, "lease_until": NOW},
        {"lease_token": uuid4(), "lease_until": NOW},
        {"state": 3},
        {"sent_at": NOW},
        {"state": 3, "sent_at": NOW, "lease_token": uuid4(), "lease_until": NOW},
    ],
)
def test_a_letter_is_held_with_a_lease_and_sent_with_a_time(lea, values, refused):
    refused(
        lambda: Letter.objects.create(
            dedupe_key="one",
            kind="digest",
            recipient=lea,
            created_at=NOW,
            next_attempt_at=NOW,
            **values,
        ),
        promise="letter_",
    )


def test_a_promise_is_made_once(lea, refused):
    letter = {"kind": "digest", "recipient": lea, "created_at": NOW, "next_attempt_at": NOW}
    Letter.objects.create(dedupe_key="one", **letter)
    refused(lambda: Letter.objects.create(dedupe_key="one", **letter), promise="dedupe_key")
    Notice.objects.create(dedupe_key="one", person=lea, text="-", at=NOW)
    refused(
        lambda: Notice.objects.create(dedupe_key="one", person=lea, text="-", at=NOW),
        promise="dedupe_key",
    )


def test_there_is_one_simulation_at_most(db, refused):
    Simulation.objects.create(pk=1, seed=1, epoch=NOW.date())
    refused(
        lambda: Simulation.objects.create(pk=2, seed=1, epoch=NOW.date()),
        promise="simulation_is_single",
    )


def test_people_with_a_history_cannot_be_deleted(pair, lea, csat):
    factories.add_reading(lea, csat, NOW.date() - timedelta(weeks=1), mean=3)
    with pytest.raises(Exception, match="protected foreign keys"):
        lea.delete()
