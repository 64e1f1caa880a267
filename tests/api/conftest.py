"""A small world in which every route of the API has something to show."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from knox.models import AuthToken
from rest_framework.test import APIClient

from coaching.domain import cadence
from coaching.models import Case, Channel, Cohort, Helper, Look, Metric, Person, Reading, Waiting
from coaching.notifications import messages, outbox
from coaching.services import audit, cohorts, imports, people, plans, rankings
from tests import factories

CSV = b"agent,n,sum\nP1,20,80\n"


@pytest.fixture(autouse=True)
def _no_memory_of_tries() -> None:
    cache.clear()


@pytest.fixture
def api() -> Callable[[Person | None], APIClient]:
    """A client of the API with a person's token; without one for nobody."""

    def client(person: Person | None = None) -> APIClient:
        client = APIClient()
        if person is not None:
            _, token = AuthToken.objects.create(person.user)
            client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return client


@pytest.fixture
def mara_api(api, mara) -> APIClient:
    return api(mara)


@pytest.fixture
def lea_api(api, lea) -> APIClient:
    return api(lea)


@pytest.fixture
def ivo_api(api, ivo) -> APIClient:
    return api(ivo)


@pytest.fixture
def otto_api(api, otto) -> APIClient:
    return api(otto)


@pytest.fixture
def crew(team, csat, now) -> list[Person]:
    """Five who clearly lack the skill, five who clearly have it, and ten between them."""
    means = [3.0] * 5 + [3.9] * 10 + [4.7] * 5
    crew = [factories.make_person(team=team) for _ in means]
    Reading.objects.bulk_create(
        Reading(
            person=person,
            metric=csat,
            period=cadence.week_of(now.date()) - week * cadence.WEEK,
            n=40,
            sum=40 * mean,
            sumsq=40 * (mean**2 + 0.25),
        )
        for person, mean in zip(crew, means, strict=True)
        for week in range(1, 7)
    )
    return crew


@pytest.fixture
def ranked(team, mara, csat, crew, now) -> SimpleNamespace:
    """The crew, ranked, and a draft plan made of it."""
    scorecard = factories.make_scorecard(team, csat)
    ranking = rankings.run(scorecard=scorecard, by=mara, now=now)
    cohort = cohorts.create(
        ranking=ranking,
        name="Spring",
        test_date=(now + timedelta(weeks=8)).date(),
        target_form=Cohort.Target.GAP_TOP,
        by=mara,
        now=now,
    )
    plan = plans.draft(cohort=cohort, by=mara, now=now)
    return SimpleNamespace(scorecard=scorecard, ranking=ranking, cohort=cohort, plan=plan)


@pytest.fixture
def world(team, mara, ivo, lea, csat, pair, ranked, now) -> SimpleNamespace:
    """Everything that a route can name, once."""
    case = Case.objects.create(pair=pair, episode=1, clock=Case.Clock.ACTIVITY, opened_at=now)
    Look.objects.create(
        pair=pair, week=now.date(), number=1, n=20, level=3.2, se=0.1, p_reached=0.02, taken_at=now
    )
    session = factories.hold_session(pair, now.date())
    outbox.promise([messages.invitation(pair, reader) for reader in (lea, ivo)], now=now)
    people.raise_hand(person=lea, metric=csat, note="Calls about refunds", now=now)
    audit.record("looked", pair, by=mara, now=now, team=team)
    source = imports.receive(filename="week.csv", content=CSV, by=mara, team=team, now=now)
    first = ranked.plan.draft_pairs.select_related("learner", "coach").order_by("pk")[0]
    plans.add_rule(
        plan=ranked.plan, kind="pin", learner=first.learner, coach=first.coach, by=mara, now=now
    )
    letter = pair.letters.get(recipient=lea)
    place = Waiting.objects.create(
        cohort=ranked.cohort, learner=first.learner, why="no_seat", place=1, since=now
    )
    helper = factories.make_person(team=team)
    Helper.objects.create(pair=pair, person=helper, since=now)
    channel = Channel.objects.create(
        person=lea, kind="webhook", url="https://example.org/", secret="whsec_eA==", made_at=now
    )
    return SimpleNamespace(
        **vars(ranked), team=team, place=place, helper=helper, pair=pair, session=session,
        case=case, letter=letter, source=source,
        channel=channel, metric=csat, person=lea, learner=first.learner, coach=first.coach,
    )  # fmt: skip


@pytest.fixture
def other_metric(db) -> Metric:
    return factories.make_metric("resolution", kind="proportion")
