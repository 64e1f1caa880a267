"""Weeks that pass in the simulated centre, with people in it who are not simulated."""

from datetime import date, timedelta

from coaching.domain import centre
from coaching.services import simulation
from tests.conftest import NOW


def test_a_cohort_of_imported_people_does_not_stop_the_weeks(pair):
    world = centre.build(seed=4, today=date(2000, 1, 1))
    gains = simulation._gains(world, (NOW + timedelta(weeks=3)).date())
    assert not gains.any()
