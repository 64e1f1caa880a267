from collections.abc import Callable
from datetime import timedelta

import pytest

from coaching.domain import cadence
from coaching.models import Cohort, Person, Plan, Ranking, Reading
from coaching.services import cohorts, plans, rankings
from tests import factories
from tests.conftest import NOW

LAST_WEEK = cadence.week_of(NOW.date()) - cadence.WEEK


@pytest.fixture
def quality(db):
    return factories.make_metric("quality", name="Quality", lower=0, upper=100)


@pytest.fixture
def fill(csat, quality) -> Callable[..., list[Person]]:
    """
    People of a team from weak to strong in customer satisfaction, and the other way round
    in quality, with eight weeks of readings that leave little doubt.
    """

    def fill_team(team, number: int, *, weeks: int = 8, role: str = "Agent") -> list[Person]:
        crew = [
            factories.make_person(f"{team} {place}", team=team, role=role)
            for place in range(number)
        ]
        rows = []
        for place, person in enumerate(crew):
            share = place / (number - 1)
            for week in range(weeks):
                wobble = 0.05 * ((place + week) % 3 - 1)
                for metric, mean, n, sd in (
                    (csat, 3 + 1.5 * share + wobble, 40, 0.8),
                    (quality, 85 - 20 * share + 10 * wobble, 10, 7),
                ):
                    rows.append(
                        Reading(
                            person=person,
                            metric=metric,
                            period=LAST_WEEK - week * cadence.WEEK,
                            n=n,
                            sum=n * mean,
                            sumsq=n * (mean**2 + sd**2),
                        )
                    )
        Reading.objects.bulk_create(rows)
        return crew

    return fill_team


@pytest.fixture
def crew(fill, team) -> list[Person]:
    return fill(team, 24)


@pytest.fixture
def ranking(crew, team, mara, csat) -> Ranking:
    """The crew by customer satisfaction alone."""
    scorecard = factories.make_scorecard(team, csat, peers_by=["role"])
    return rankings.run(scorecard=scorecard, by=mara, now=NOW)


@pytest.fixture
def draft_cohort(ranking, mara) -> Callable[..., Cohort]:
    def make(**values) -> Cohort:
        values = {
            "name": "Autumn",
            "test_date": NOW.date() + timedelta(weeks=8),
            "target_form": Cohort.Target.GAP_TOP,
            **values,
        }
        return cohorts.create(ranking=ranking, by=mara, now=NOW, **values)

    return make


@pytest.fixture
def cohort(draft_cohort) -> Cohort:
    return draft_cohort()


@pytest.fixture
def plan(cohort, mara) -> Plan:
    return plans.draft(cohort=cohort, by=mara, now=NOW)
