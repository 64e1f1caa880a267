"""The simulated contact centre: everything from a seed, with a truth that is known."""

from datetime import date

import numpy as np
import pytest

from coaching.domain import centre

TODAY = date(2027, 3, 1)


@pytest.fixture(scope="module")
def world() -> centre.Centre:
    return centre.build(seed=7, today=TODAY)


def numbers(rows) -> np.ndarray:
    return np.array(rows, dtype=float)


def test_a_seed_is_a_whole_world(world):
    again = centre.build(seed=7, today=TODAY)
    assert again.agents == world.agents
    assert again.teams == world.teams
    assert np.array_equal(again.truth, world.truth)
    assert not np.array_equal(centre.build(seed=8, today=TODAY).truth, world.truth)


def test_twenty_teams_of_twelve_with_names_of_their_own(world):
    assert (len(world.teams), len(world.agents)) == (20, 240)
    names = [agent.name for agent in world.agents] + [team.lead for team in world.teams]
    assert len(set(names)) == 260
    assert len({agent.key for agent in world.agents}) == 240
    assert {agent.time_zone for agent in world.agents} == {zone for _, zone, _ in centre.SITES}
    assert all(agent.started_on < TODAY for agent in world.agents)


def test_skills_spread_as_they_say(world):
    for index, skill in enumerate(centre.SKILLS):
        values = world.truth[:, index]
        assert abs(values.mean() - skill.level) < 4 * skill.spread / len(values) ** 0.5
        assert values.std() == pytest.approx(skill.spread, rel=0.15)


def test_a_week_is_the_same_whatever_was_asked_before(world):
    later = centre.week(world, 1)
    assert centre.week(world, 0) == centre.week(world, 0)
    assert centre.week(world, 1) == later


def test_readings_lie_within_what_their_metric_allows(world):
    rows = centre.week(world, 0)
    for index, skill in enumerate(centre.SKILLS):
        n, total, squares = numbers([row[2:] for row in rows if row[1] == index]).T
        assert (n > 0).all()
        assert (squares * n >= total**2 - 1e-6).all() or skill.kind == "rate"
        if skill.kind == "proportion":
            assert ((total >= 0) & (total <= n)).all()
        if skill.lower is not None:
            assert ((total >= skill.lower * n) & (total <= skill.upper * n)).all()
        if skill.kind == "duration":
            assert (total > 0).all()


def test_about_one_in_fifteen_is_away(world):
    present = [len({row[0] for row in centre.week(world, week)}) for week in range(20)]
    assert np.mean(present) / len(world.agents) == pytest.approx(14 / 15, abs=0.02)


def test_what_coaching_adds_shows_in_the_readings(world):
    index = next(i for i, skill in enumerate(centre.SKILLS) if skill.key == "csat")
    gains = np.zeros_like(world.truth)
    gains[:, index] = 0.4

    def mean_of(rows) -> float:
        n, total = numbers([row[2:4] for row in rows if row[1] == index]).T
        return total.sum() / n.sum()

    assert mean_of(centre.week(world, 0, gains=gains)) > mean_of(centre.week(world, 0)) + 0.2


def test_everybody_ends_beyond_the_target_at_their_own_pace():
    quick, steady, stalled = (
        [centre.way_gone(pace, weeks) for weeks in range(21)]
        for pace in (centre.QUICK, centre.STEADY, centre.STALLED)
    )
    for way in (quick, steady, stalled):
        assert way == sorted(way)
        assert (way[0], way[-1]) == (0, 1.6)
    assert quick[3] == 1.6
    assert stalled[9] == 0
    assert steady[3] == pytest.approx(1.6 * 3 / 7)


def test_half_are_quick_and_few_get_nowhere_at_first(world):
    paces = [centre.pace_of(7, agent.key) for agent in world.agents]
    assert 0.4 < paces.count(centre.QUICK) / len(paces) < 0.6
    assert 0.02 < paces.count(centre.STALLED) / len(paces) < 0.14
    assert paces == [centre.pace_of(7, agent.key) for agent in world.agents]
