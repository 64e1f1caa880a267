"""What peers do anyway is told apart from what coaching does, and a bad month from a fall."""

import numpy as np
import pytest

from coaching.domain.movement import Movement, has_fallen, movement, p_fell

TAU2, SIGMA2, A_WEEK = 0.09, 0.9, 25
WEEKS, WINDOW = 26, 8


def coaches(*, fall: float, drift: float = 0.0, seed: int = 11, number: int = 800) -> list[int]:
    """
    The week in which each of `number` coaches is noticed, 0 for never.

    They are the best quarter of four times as many by their shrunken estimates from twelve
    weeks, as coaches are chosen; from the first week of coaching on they are `fall` spreads
    worse and, like everybody, `drift` spreads.
    """
    rng = np.random.default_rng(seed)
    true = rng.normal(4.0, np.sqrt(TAU2), 4 * number)
    n = 12 * A_WEEK
    raw = rng.normal(true, np.sqrt(SIGMA2 / n))
    reliability = TAU2 / (TAU2 + SIGMA2 / n)
    estimate = 4.0 + reliability * (raw - 4.0)
    chosen = np.argsort(estimate)[-number:]
    spread = np.sqrt(TAU2)
    peers = Movement(drift * spread, 0.02, 60) if drift else None
    noticed = []
    for coach in chosen:
        weekly = rng.normal(
            true[coach] - fall * spread + drift * spread, np.sqrt(SIGMA2 / A_WEEK), WEEKS
        )
        looks, found = [], 0
        for week in range(1, WEEKS + 1):
            window = weekly[max(0, week - WINDOW) : week]
            p = p_fell(
                before=estimate[coach],
                before_se=np.sqrt(TAU2 * (1 - reliability)),
                level=window.mean(),
                n=A_WEEK * len(window),
                sigma2=SIGMA2,
                tau2=TAU2,
                sign=1,
                peers=peers,
            )
            looks.append((week, p))
            if has_fallen(looks):
                found = week
                break
        noticed.append(found)
    return noticed


def test_a_coach_whose_level_never_changed_is_hardly_ever_noticed():
    assert np.mean([week > 0 for week in coaches(fall=0)]) <= 0.02


def test_what_everybody_goes_through_is_not_the_coaching():
    assert np.mean([week > 0 for week in coaches(fall=0, drift=-1.5)]) <= 0.02


def test_a_real_fall_is_noticed_within_twelve_weeks():
    weeks = coaches(fall=1.5)
    assert np.mean([0 < week <= 12 for week in weeks]) >= 0.85


def test_nothing_is_said_before_there_is_enough_to_say():
    assert min(week for week in coaches(fall=4) if week) == 6


def test_lower_can_be_better():
    worse = {"before": 5.0, "before_se": 0.05, "n": 400, "sigma2": 0.3, "tau2": 0.04}
    assert p_fell(**worse, level=5.4, sign=-1) > 0.99
    assert p_fell(**worse, level=4.6, sign=-1) < 0.01


def test_where_people_do_not_differ_nobody_has_fallen():
    assert p_fell(before=4, before_se=0.1, level=1, n=400, sigma2=0.9, tau2=0, sign=1) == 0


@pytest.mark.parametrize(
    "looks",
    [
        [(4, 0.95), (5, 0.95)],
        [(4, 0.95), (5, 0.85), (6, 0.95)],
        # A week without readings lies between: not in a row.
        [(4, 0.95), (6, 0.95), (7, 0.95)],
    ],
)
def test_it_takes_three_looks_in_a_row(looks):
    assert not has_fallen(looks)


def test_peers_are_weighed_by_their_evidence():
    n0 = np.array([10.0] * 5 + [1000.0])
    moved = movement(n0=n0, y0=np.zeros(6), n1=n0, y1=np.array([0.0] * 5 + [1.0]))
    assert moved.change == pytest.approx(500 / 525)
    assert moved.people == 6


def test_too_few_peers_say_nothing():
    n = np.array([10.0] * 4 + [0.0] * 3)
    assert movement(n0=n, y0=n, n1=n, y1=n) is None
