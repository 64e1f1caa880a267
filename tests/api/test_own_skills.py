"""Staff read their own numbers over HTTP as on the page: no rank, no band, no chance."""

from datetime import timedelta

import pytest

from coaching.models import Standing, Yardstick
from coaching.services import rankings, scorecards
from tests import factories

ADDRESS = "/api/v1/me/skills/"


@pytest.fixture
def standing(crew, lea, team, csat, mara, now) -> Standing:
    for week in (1, 2, 3):
        factories.add_reading(lea, csat, now.date() - timedelta(weeks=week), mean=3.5, n=30)
    card = scorecards.default_scorecard(team=team, by=mara, now=now)
    ranking = rankings.run(scorecard=card, by=mara, now=now)
    return Standing.objects.get(ranking=ranking, person=lea, metric=csat)


def test_they_are_told_with_benchmarks_and_nothing_else(standing, lea_api, csat):
    body = lea_api.get(ADDRESS).json()
    assert body["since"] == standing.ranking.since.isoformat()
    (skill,) = body["skills"]
    assert set(skill) == {"metric", "n", "raw", "estimate", "se", "reliability", "peers", "best"}
    assert skill["estimate"]["value"] == pytest.approx(standing.estimate)
    assert skill["raw"]["text"] == "3.50"
    assert skill["peers"]["value"] < skill["best"]["value"]


def test_among_fewer_than_five_nothing_is_compared(standing, lea_api):
    Yardstick.objects.update(people=4)
    (skill,) = lea_api.get(ADDRESS).json()["skills"]
    assert skill["raw"]["text"] == "3.50"
    assert [skill[key] for key in ("estimate", "se", "reliability", "peers", "best")] == [None] * 5


def test_before_the_first_ranking_there_are_none(lea_api):
    assert lea_api.get(ADDRESS).json() == {"since": None, "until": None, "skills": []}


def test_nobody_else_finds_them(standing, api):
    assert api().get(ADDRESS).status_code == 401
