"""Rows go into the database and come out of it as arrays, the same on every database."""

from datetime import date

import numpy as np
import pytest

from coaching.models import Reading, Yardstick
from coaching.services.columns import DayNumber, Text, fetch, or_unknown, store
from tests import factories
from tests.conftest import NOW

DTYPE = [("person", "i8"), ("day", "i4"), ("n", "f8"), ("sumsq", "f8")]


@pytest.fixture
def people(team):
    return np.array([factories.make_person(team=team).pk for _ in range(3)])


def test_readings_come_out_as_they_went_in(people, csat):
    weeks = np.array(["1999-12-27", "2025-01-06", "2025-01-13"], dtype="datetime64[D]")
    columns = {
        "person_id": people,
        "metric_id": csat.pk,
        "period": weeks,
        "n": np.array([1.5, 1e-300, 3e300]),
        "sum": 0.1,
        "sumsq": np.array([np.nan, -0.0, 1 / 3]),
    }
    store(Reading, columns, rows=3)
    rows = Reading.objects.order_by("person_id")
    assert list(rows.values_list("period", "n", "sum", "sumsq", "source")) == [
        (date(1999, 12, 27), 1.5, 0.1, None, None),
        (date(2025, 1, 6), 1e-300, 0.1, 0.0, None),
        (date(2025, 1, 13), 3e300, 0.1, 1 / 3, None),
    ]
    found = fetch(
        rows.values_list("person", DayNumber("period"), "n", or_unknown("sumsq")), DTYPE
    )  # fmt: skip
    assert found.dtype == np.dtype(DTYPE)
    assert found["person"].tolist() == people.tolist()
    assert np.diff(found["day"]).tolist() == [9142, 7]
    assert found["n"].tolist() == columns["n"].tolist()
    np.testing.assert_array_equal(found["sumsq"], columns["sumsq"])


def test_nothing_is_an_empty_array(csat):
    rows = Reading.objects.values_list("person", DayNumber("period"), "n", or_unknown("sumsq"))
    assert fetch(rows, DTYPE).shape == (0,)
    columns = {"person_id": np.array([], dtype=int), "n": 1.0}
    store(Reading, columns, rows=0)
    assert not Reading.objects.exists()


def test_texts_of_any_length_find_their_rows(team, csat):
    cohort = factories.make_cohort(team, csat, now=NOW)
    words = ["Überseestraße", "–", "", "x" * 420, "日本", "never"]
    code = np.array([4, 0, 3, 2, 1])
    numbers = ("mean", "tau2", "tau2_plug_in", "sigma2", "scale", "top_quartile", "low_cut")
    columns = {
        "ranking_id": cohort.ranking_id,
        "metric_id": csat.pk,
        "group": Text(words, code),
        "people": np.arange(5),
        "weight": 1.0,
        **dict.fromkeys(numbers, 0.5),
    }
    store(Yardstick, columns, rows=5)
    found = dict(Yardstick.objects.values_list("people", "group"))
    assert found == {place: words[one] for place, one in enumerate(code)}
