"""The driver table of the page, as numbers."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Ranking
from coaching.services import rankings
from tests import factories


@pytest.fixture
def compared(team, mara, csat, now) -> Ranking:
    """Thirty people: who satisfies more talks longer; their reviews say nothing."""
    review = factories.make_metric("review", lower=0, upper=100)
    talk = factories.make_metric("talk", kind="duration", direction="lower")
    for at in range(30):
        person = factories.make_person(team=team)
        day = now.date() - timedelta(weeks=1)
        factories.add_reading(person, csat, day, mean=3 + at / 20, n=200)
        factories.add_reading(person, talk, day, mean=200 + 5 * at, n=200, sd=40)
        factories.add_reading(person, review, day, mean=70 + 3 * (7 * at % 5), n=40, sd=5)
    card = factories.make_scorecard(team, csat, talk, review)
    return rankings.run(scorecard=card, by=mara, now=now)


def where(ranking: Ranking) -> str:
    return f"/api/v1/rankings/{ranking.public_id}/drivers/"


def test_it_tells_the_numbers_of_the_page(mara_api, mara_client, compared):
    told = mara_api.get(where(compared), {"by": "csat"}).json()
    page = mara_client.get(reverse("drivers", args=[compared.public_id]), {"by": "csat"})
    assert (told["subject"], told["subjects"], told["by"]["key"]) == ("people", 30, "csat")
    rows = page.context["comparison"].rows
    assert [(one["metric"]["key"], one["effect"], one["p_holm"]) for one in told["drivers"]] == [
        (row.metric.key, row.driver.effect, row.driver.p_holm) for row in rows
    ]


def test_a_longer_talk_is_a_worse_one_and_told_in_its_unit(mara_api, compared):
    told = mara_api.get(where(compared), {"by": "csat"}).json()["drivers"]
    talk = next(one for one in told if one["metric"]["key"] == "talk")
    assert (talk["verdict"], talk["compared"]) == ("separates", "bands")
    assert talk["effect"] < 0 < talk["difference"]
    top, bottom = talk["top_mean"]["value"], talk["bottom_mean"]["value"]
    assert top / bottom - 1 == pytest.approx(talk["difference"])
    wide, narrow = talk["interval_95"], talk["interval_90"]
    assert wide["low"] < narrow["low"] < talk["effect"] < narrow["high"] < wide["high"]


def test_overall_is_made_without_the_metric_itself(mara_api, compared):
    told = mara_api.get(where(compared)).json()
    assert told["by"] is None
    assert {one["without_itself"] for one in told["drivers"]} == {True}
    assert len(told["drivers"]) == 3


def test_too_little_is_null_and_no_number(mara_api, mara, team, csat, now):
    for at in range(4):
        person = factories.make_person(team=team)
        factories.add_reading(person, csat, now.date(), mean=3 + at / 10)
    card = factories.make_scorecard(team, csat)
    (only,) = mara_api.get(where(rankings.run(scorecard=card, by=mara, now=now))).json()["drivers"]
    assert (only["verdict"], only["compared"], only["p_holm"]) == ("untold", "alone", None)


def test_a_metric_that_is_not_in_the_ranking_is_refused(mara_api, compared):
    answer = mara_api.get(where(compared), {"by": "nonsense"})
    assert answer.status_code == 400
    assert "no metric of this ranking" in str(answer.json())
