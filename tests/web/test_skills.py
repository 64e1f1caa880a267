"""A person's page for managers, and one's own skills."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Ranking, Standing, Yardstick
from coaching.queries import rankings as queries
from coaching.services import people, rankings
from coaching.web.history import Estimate, history
from tests import factories


@pytest.fixture
def own(team, lea, csat, now, request) -> Ranking:
    """A ranking with Lea in it, run twice a week apart."""
    for week in range(1, 13):
        factories.add_reading(lea, csat, now.date() - timedelta(weeks=week), mean=3.1, n=30)
    return request.getfixturevalue("ranked")


def words_of(text: str) -> str:
    return re.sub(r"<[^>]+>", " ", text)


def test_staff_see_their_own_level_and_benchmarks_but_never_a_rank(own, lea, lea_client, csat):
    text = lea_client.get("/me/skills/").text
    standing = Standing.objects.get(ranking=own, person=lea, metric=csat)
    frame = Yardstick.objects.get(ranking=own)
    for value in (standing.estimate, standing.raw, frame.mean, frame.top_quartile):
        assert csat.read(value) in text
    assert "over 360 cases" in text
    assert not re.search(r"\bweak|\brank|worst|quarter|place", words_of(text).casefold())
    assert not re.search(r"band-(weak|middle|strong|leaning)", text)
    assert "Agent 0" not in text


def test_the_way_to_it_stands_on_the_first_page(lea_client):
    assert reverse("skills") in lea_client.get("/me/").text


def test_without_a_ranking_it_says_so(lea_client, lea):
    assert "No numbers yet" in lea_client.get("/me/skills/").text
    lea.team = None
    lea.save()
    assert queries.own_standings(lea) is None


def test_among_fewer_than_five_nothing_is_compared(own, lea, lea_client, csat):
    Yardstick.objects.filter(ranking=own).update(people=4)
    skill = queries.own_standings(lea).skills[0]
    assert skill.raw == pytest.approx(3.1)
    assert {skill.estimate, skill.se, skill.reliability, skill.peers, skill.best} == {None}
    text = lea_client.get("/me/skills/").text
    assert "Fewer than five colleagues" in text
    assert csat.read(Yardstick.objects.get(ranking=own).mean) not in text


def test_the_newest_ranking_above_the_person_counts(own, lea, mara, now, other_team):
    later = now + timedelta(days=7)
    again = rankings.run(scorecard=own.scorecard, by=mara, now=later)
    assert queries.own_standings(lea).ranking == again
    # What another team says of them is not theirs to explain.
    lea.team = other_team
    lea.save()
    assert queries.own_standings(lea) is None


def test_it_costs_the_same_for_any_number_of_skills(
    own, lea, lea_client, mara_client, django_assert_max_num_queries
):
    costs = []
    for more in (0, 5):
        for number in range(more):
            metric = factories.make_metric(f"more-{number}")
            Yardstick.objects.create(
                ranking=own, metric=metric, weight=1, group="Agent", people=20, mean=3, tau2=1,
                tau2_plug_in=1, sigma2=1, scale=1, top_quartile=4, low_cut=2,
            )  # fmt: skip
            row = Standing.objects.get(ranking=own, person=lea, metric__key="csat")
            row.pk, row.metric = None, metric
            row.save()
            factories.add_reading(lea, metric, own.until, mean=3)
        with django_assert_max_num_queries(30) as mine:
            text = lea_client.get("/me/skills/").text
        with django_assert_max_num_queries(40) as theirs:
            mara_client.get(reverse("person", args=[lea.public_id]))
        assert text.count('<h2 id="skill-') == 1 + more
        costs.append((len(mine), len(theirs)))
    assert costs[0] == costs[1]


def test_a_manager_reads_each_skill_with_its_history(own, lea, mara, mara_client, csat, now):
    people.raise_hand(person=lea, metric=csat, note="Closing calls", now=now)
    factories.add_reading(lea, csat, now.date(), mean=3.4, n=30)
    rankings.run(scorecard=own.scorecard, by=mara, now=now + timedelta(days=7))
    text = mara_client.get(reverse("person", args=[lea.public_id])).text
    assert "k = " in text
    assert "Reliability" in text
    assert "“Closing calls”" in text
    # Thirteen weeks, two of which carry an estimate.
    assert "13 weeks of readings" in text
    assert "and 2 estimates" in text
    assert "The same as a table" in text


def test_a_manager_sees_no_estimates_of_a_group_under_five(own, lea, mara_client, csat):
    Yardstick.objects.filter(ranking=own).update(people=4)
    text = mara_client.get(reverse("person", args=[lea.public_id])).text
    assert "Group too small to show" in text
    assert "interval-dot" not in text
    assert "and 0 estimates" in text


def test_a_history_has_noise_bars_and_a_twin(own, lea, csat):
    rows = list(lea.readings.order_by("period"))
    past = history(
        csat,
        readings=rows,
        estimates=[Estimate(rows[-1].period, 3.2, 0.1)],
        sigma2=0.36,
        peers=3.5,
    )
    assert len(past.dots) == len(past.lines) == 12
    # Higher is up, and the bar is as long as 90 % of chance: 1.645 × √(0.36 / 30).
    assert all(dot.high < dot.y < dot.low for dot in past.dots)
    assert past.lines[0].noise == "2.92 to 3.28"
    assert past.lines[-1].estimate == "3.20"
    assert past.lines[-1].interval == "3.04 to 3.36"
    assert past.estimates[0].x > past.dots[-1].x
    assert history(csat, readings=[], estimates=[], sigma2=None) is None
