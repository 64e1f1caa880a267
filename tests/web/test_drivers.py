"""The page that says what sets the best apart, for people and in every state."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Ranking
from coaching.services import rankings, scorecards
from tests import factories

PEOPLE = 30


@pytest.fixture
def fill(team, csat, now):
    """People with satisfaction from low to high; quality goes with it, talk time does not."""
    quality = factories.make_metric("quality", name="Quality", lower=0, upper=100, unit="points")
    talk = factories.make_metric("talk", name="Talk time", kind="duration", direction="lower")

    def people(number: int) -> None:
        for at in range(number):
            person = factories.make_person(f"Agent {at:02}", team=team)
            for week in range(1, 5):
                day = now.date() - timedelta(weeks=week)
                factories.add_reading(person, csat, day, mean=2.6 + 2 * at / number, n=60)
                factories.add_reading(
                    person, quality, day, mean=60 + 20 * at / number + week, n=20, sd=5
                )
                factories.add_reading(
                    person, talk, day, mean=200 + 40 * ((7 * at) % 5), n=60, sd=60
                )

    return people


@pytest.fixture
def rank(team, mara, now):
    def run(**values) -> Ranking:
        card = scorecards.default_scorecard(team=team, by=mara, now=now)
        for name, value in values.items():
            setattr(card, name, value)
        card.save()
        return rankings.run(scorecard=card, by=mara, now=now)

    return run


def page_of(client, ranking: Ranking, by: str = ""):
    return client.get(reverse("drivers", args=[ranking.public_id]), {"by": by})


def test_it_says_which_skills_separate_the_top_from_the_bottom(mara_client, fill, rank):
    fill(PEOPLE)
    answer = page_of(mara_client, rank())
    assert answer.status_code == 200
    lines = {line.metric.key: line for line in answer.context["table"].lines}
    assert lines["csat"].verdict_text == lines["quality"].verdict_text == "separates them"
    assert lines["talk"].verdict_text == "no sign"
    assert "so that the skill does not explain itself" in lines["csat"].sentence
    assert "30 people" in answer.text
    assert "What this does not mean" in answer.text
    # The largest difference comes first.
    sizes = [abs(row.driver.effect) for row in answer.context["comparison"].rows]
    assert sizes == sorted(sizes, reverse=True)


def test_the_reader_chooses_what_best_means(mara_client, fill, rank):
    fill(PEOPLE)
    answer = page_of(mara_client, rank(), by="csat")
    assert [line.metric.key for line in answer.context["table"].lines] == ["quality", "talk"]
    assert "Quality separates the top from the bottom." in answer.text
    quality = answer.context["table"].lines[0]
    assert "Customer satisfaction decides who is at the top." in quality.sentence
    assert quality.difference.startswith("+")
    assert quality.difference.endswith("points")
    unknown = page_of(mara_client, rank(), by="nonsense")
    assert unknown.context["comparison"].outcome is None


def test_a_dot_stands_inside_its_interval(mara_client, fill, rank):
    fill(PEOPLE)
    for line in page_of(mara_client, rank()).context["table"].lines:
        assert 0 <= line.dot.low <= line.dot.here <= line.dot.high <= 100


def test_too_few_people_are_said_to_be_too_few(mara_client, fill, rank):
    fill(7)
    answer = page_of(mara_client, rank())
    assert "Too little to tell what sets the best people apart." in answer.text
    assert answer.text.count("Too few to tell: fewer than eight people") == 3
    assert {line.dot for line in answer.context["table"].lines} == {None}


def test_thin_bands_give_way_to_thirds_and_it_is_said(mara_client, fill, rank):
    fill(12)
    assert "so the upper and the lower third by the overall score are compared" in page_of(
        mara_client, rank()
    ).text.replace("\n", " ")


def test_one_skill_has_nothing_to_be_explained_by(mara_client, team, csat, rank, now):
    for at in range(12):
        person = factories.make_person(team=team)
        factories.add_reading(person, csat, now.date() - timedelta(weeks=1), mean=3 + at / 10)
    ranking = rank()
    told = page_of(mara_client, ranking).text
    assert "Nothing but Customer satisfaction has a weight" in told
    alone = page_of(mara_client, ranking, by="csat")
    assert "Too little to tell" in alone.text
    assert alone.context["table"].lines == []


def test_a_ranking_without_figures_is_not_an_error(mara_client, mara, team, csat, now):
    ranking = factories.make_cohort(team, csat, now=now).ranking
    assert "This ranking holds no skill with readings." in page_of(mara_client, ranking).text


def test_only_managers_of_the_ranking_read_it(
    mara_client, otto_client, lea_client, client_of, hanna, client, fill, rank
):
    fill(8)
    ranking = rank()
    assert page_of(mara_client, ranking).status_code == 200
    assert page_of(client_of(hanna), ranking).status_code == 200
    assert page_of(otto_client, ranking).status_code == 404
    assert page_of(lea_client, ranking).status_code == 404
    assert page_of(client, ranking).status_code == 302
