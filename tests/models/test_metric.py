import math

import pytest

from coaching.models import Metric


@pytest.mark.parametrize(
    ("kind", "unit", "value", "shown"),
    [
        ("proportion", "", 0.823, "82.3 %"),
        ("proportion", "", 0.967, "96.7 %"),
        ("proportion", "", 1.0, "100.0 %"),
        ("duration", "", 59.6, "60 s"),
        ("duration", "", 340.2, "5:40 min"),
        ("duration", "", 359.7, "6:00 min"),
        ("rate", "", 0.051, "5.1 in 100"),
        ("mean", "", 4.206, "4.21"),
        ("mean", "points", 81.26, "81.3 points"),
        ("mean", "points", 4321.2, "4321 points"),
    ],
)
def test_a_value_is_read_in_its_units(kind, unit, value, shown):
    assert Metric(kind=kind, unit=unit).show(value) == shown


def test_durations_are_read_from_their_logarithm():
    assert Metric(kind="duration").read(math.log(340)) == "5:40 min"
    assert Metric(kind="mean").read(3.5) == "3.50"


def test_the_sign_points_to_the_better_side():
    assert (Metric(direction="higher").sign, Metric(direction="lower").sign) == (1, -1)
