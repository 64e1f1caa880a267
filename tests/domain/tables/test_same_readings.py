"""However a table is written, it comes to the same readings."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coaching.domain.tables import Mapping, MetricColumns, aggregate, open_table, propose

TODAY = dt.date(2021, 12, 31)
HEADER = ["Agent", "Date", "CSAT", "Resolved", "Handle time", "Errors"]
MAPPING = Mapping(
    person="Agent",
    date="Date",
    metrics=(
        MetricColumns(key="csat", name="CSAT", kind="mean", column="CSAT"),
        MetricColumns(key="fcr", name="FCR", kind="proportion", column="Resolved"),
        MetricColumns(key="aht", name="AHT", kind="duration", column="Handle time"),
        MetricColumns(key="errors", name="Errors", kind="rate", column="Errors"),
    ),
)

rows = st.lists(
    st.tuples(
        st.sampled_from(["Ivo", "Lea", "Zoë", "Öztürk, Otto", 'the "boss"', "1002"]),
        st.dates(dt.date(2021, 1, 1), dt.date(2021, 3, 1)),
        st.none() | st.integers(-50, 50).map(lambda quarter: quarter / 4),
        st.sampled_from([None, True, False]),
        st.none() | st.times().map(lambda t: t.replace(second=t.second or 1, microsecond=0)),
        st.none() | st.integers(0, 9),
    ),
    min_size=1,
    max_size=30,
)
quickly = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def tallied(content):
    found = aggregate(open_table(content).best, MAPPING, today=TODAY)
    assert found.problems == []
    return {
        (r.person, r.metric, r.period): pytest.approx((r.n, r.sum, r.sumsq or 0))
        for r in found.readings
    }


def as_numbers(expected):
    return {key: value.expected for key, value in expected.items()}


@quickly
@given(rows)
def test_as_csv_and_as_excel(files, cases):
    table = [HEADER, *map(list, cases)]
    workbook = as_numbers(tallied(files.xlsx(table)))
    assert workbook == tallied(files.csv(table))
    assert workbook == tallied(files.csv(table, delimiter=";", encoding="utf-16"))


@quickly
@given(rows.flatmap(lambda cases: st.tuples(st.just(cases), st.permutations(cases))))
def test_in_any_order(files, orders):
    first, second = (files.csv([HEADER, *map(list, order)]) for order in orders)
    assert as_numbers(tallied(first)) == tallied(second)


@quickly
@given(rows)
def test_as_the_plain_sums_say(files, cases):
    expected = {}
    for agent, date, csat, *_ in cases:
        if csat is not None:
            monday = date - dt.timedelta(days=date.weekday())
            n, total, squares = expected.get((agent, "csat", monday), (0, 0.0, 0.0))
            expected[agent, "csat", monday] = (n + 1, total + csat, squares + csat**2)
    found = tallied(files.csv([HEADER, *map(list, cases)]))
    assert expected == {key: value for key, value in found.items() if key[1] == "csat"}


@quickly
@given(rows)
def test_a_proposal_reads_its_own_table(files, cases):
    table = open_table(files.csv([HEADER, *map(list, cases)])).best
    mapping = propose(table)
    if mapping.person is not None and mapping.metrics and mapping.shape == "events":
        assert Mapping.from_json(mapping.to_json()) == mapping
        assert aggregate(table, mapping, today=TODAY).rows_read == len(cases)
