"""A ranked team with a plan to look at, for the pages of managers."""

from datetime import timedelta

import pytest

from coaching.models import Cohort, Member, Plan, Ranking, Reading
from coaching.services import cohorts, plans, rankings, scorecards
from tests import factories

PEOPLE = 24


@pytest.fixture
def ranked(team, mara, csat, now) -> Ranking:
    """Two dozen people whose satisfaction truly differs, in twelve weeks of readings."""
    monday = now.date()
    Reading.objects.bulk_create(
        factories.reading_of(
            person, csat, monday - timedelta(weeks=week), mean=2.6 + 0.08 * number, n=40
        )
        for number in range(PEOPLE)
        for person in [factories.make_person(f"Agent {number:02}", team=team)]
        for week in range(1, 13)
    )
    scorecard = scorecards.default_scorecard(team=team, by=mara, now=now)
    return rankings.run(scorecard=scorecard, by=mara, now=now)


@pytest.fixture
def cohort(ranked, mara, now) -> Cohort:
    return cohorts.create(
        ranking=ranked,
        name="Spring",
        test_date=(now + timedelta(weeks=8)).date(),
        target_form=Cohort.Target.GAP_TOP,
        by=mara,
        now=now,
    )


@pytest.fixture
def plan(cohort, mara, now) -> Plan:
    plan = plans.draft(cohort=cohort, by=mara, now=now)
    assert plan.matched == cohort.members.filter(side=Member.Side.LEARNER).count() > 0
    return plan
