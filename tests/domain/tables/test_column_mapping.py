import json
from dataclasses import replace

import pytest

from coaching.domain.tables import (
    Ignored,
    Mapping,
    MappingError,
    MetricColumns,
    Option,
    Question,
    propose,
)

CSAT = MetricColumns(key="csat", name="CSAT", kind="mean", column="Rating", lower=1.0, upper=5.0)
EVENTS = Mapping(
    person="Agent",
    date="Date",
    day_first=True,
    attributes={"shift": "Shift"},
    metrics=(CSAT,),
    ignored=(Ignored(column="Topic", why="Free text."),),
    questions=(Question(about="dates", text="?", options=(Option(value="true", label="day"),)),),
    confidence={"person": 0.9},
)
SHARED = MetricColumns(key="csat", name="CSAT", kind="mean", n="N", mean="Mean", label="CSAT")
LONG = Mapping(shape="aggregated", person="Agent", metric="Metric", metrics=(SHARED,))


@pytest.mark.parametrize("mapping", [EVENTS, LONG, Mapping(), Mapping(shape="roster", person="P")])
def test_it_comes_back_from_json_as_it_went(mapping):
    assert Mapping.from_json(mapping.to_json()) == mapping
    assert Mapping.from_json(json.dumps(mapping.to_json())) == mapping


def changed(path, value):
    plain = EVENTS.to_json()
    part = plain
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return plain


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        (["colour"], "red", "mapping", "“colour” is unknown here"),
        (["shape"], "square", "shape", "is not one of events, aggregated, roster"),
        (["person"], 7, "person", "Must be a text"),
        (["person"], "A\x00", "person", "without control characters"),
        (["person"], "A\ud800", "person", "without control characters"),
        (["person"], "x" * 1001, "person", "at most 1,000 characters"),
        (["day_first"], "yes", "day_first", "true, false or null"),
        (["decimal"], ";", "decimal", "is not one of"),
        (["period"], "last week", "period", "is not a date"),
        (["attributes"], {"salary": "Pay"}, "attributes", "“salary” is not one of role"),
        (["attributes"], ["role"], "attributes", "Must be an object"),
        (["metrics"], "csat", "metrics", "Must be a list"),
        (["metrics", 0], None, "metrics[0]", "Must be an object"),
        (["metrics", 0], {"name": "CSAT", "kind": "mean"}, "metrics[0].key", "“key” is missing"),
        (["metrics", 0, "key"], "Cé", "metrics[0].key", "small letters, digits and hyphens"),
        (["metrics", 0, "name"], " ", "metrics[0].name", "needs a name"),
        (["metrics", 0, "kind"], "median", "metrics[0].kind", "is not one of mean, proportion"),
        (["metrics", 0, "direction"], "up", "metrics[0].direction", "is not one of higher"),
        (["metrics", 0, "lower"], "1", "metrics[0].lower", "Must be a number"),
        (["metrics", 0, "lower"], True, "metrics[0].lower", "Must be a number"),
        (["metrics", 0, "lower"], float("nan"), "metrics[0].lower", "Must be a finite number"),
        (["metrics", 0, "lower"], 10**400, "metrics[0].lower", "Must be a finite number"),
        (["metrics", 0, "lower"], 5, "metrics[0].lower", "must lie below the largest"),
        (["metrics", 0, "factor"], 0, "metrics[0].factor", "greater than zero"),
        (["metrics", 0, "column"], None, "metrics[0].column", "Name the column with the values"),
        (["metrics", 0, "exposure"], "Hours", "metrics[0].exposure", "Only a rate has an exposure"),
        (["metrics", 0, "n"], "N", "metrics[0].n", "belong to aggregated rows"),
        (["metrics"], [CSAT.__class__(key="a", name="A", kind="mean", column="R")], "metrics[0]",
         "Must be an object"),
        (["questions", 0], {"about": "x"}, "questions[0]", "“text” is missing"),
        (["questions", 0, "options", 0], {"value": "x"}, "questions[0].options[0]", "is missing"),
        (["ignored", 0, "why"], 3, "ignored[0].why", "Must be a text"),
        (["confidence"], {"person": "high"}, "confidence.person", "Must be a number"),
    ],
)  # fmt: skip
def test_it_takes_nothing_that_it_does_not_know(path, value, field, words):
    with pytest.raises(MappingError, match=words.replace("?", r"\?")) as refusal:
        Mapping.from_json(changed(path, value))
    assert refusal.value.field == field


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000, '"x"', "\ud800"])
def test_it_takes_only_json_objects(text):
    with pytest.raises(MappingError):
        Mapping.from_json(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": None}, "need a column n and either a sum or a mean"),
        ({"sum": "Sum"}, "need a column n and either a sum or a mean"),
        ({"column": "Rating"}, "name those columns"),
        ({"label": None}, "Say which label in “Metric” this metric has"),
    ],
)
def test_aggregated_rows_need_their_statistics(change, words):
    with pytest.raises(MappingError, match=words):
        replace(LONG, metrics=(replace(SHARED, **change),))


def test_keys_and_labels_are_given_once():
    with pytest.raises(MappingError, match="Two metrics have the key “csat”"):
        replace(EVENTS, metrics=(CSAT, CSAT))
    with pytest.raises(MappingError, match="Two metrics have the label “CSAT”"):
        replace(LONG, metrics=(SHARED, replace(SHARED, key="other")))


def test_a_roster_has_no_metrics_and_only_totals_have_labels():
    with pytest.raises(MappingError, match="A roster has no metrics"):
        replace(EVENTS, shape="roster")
    with pytest.raises(MappingError, match="needs aggregated rows"):
        replace(EVENTS, metric="Metric")


def test_it_fits_a_table_with_all_its_columns(files):
    table = files.table([["Agent", "Date", "Rating"], ["Ivo", "2021-01-04", "4"]])
    with pytest.raises(MappingError, match="has no column “Shift”"):
        EVENTS.check(table)
    fitting = replace(EVENTS, attributes={})
    fitting.check(table)
    with pytest.raises(MappingError, match="Choose the column that says who"):
        replace(fitting, person=None).check(table)
    with pytest.raises(MappingError, match="at least one column with a metric"):
        replace(fitting, metrics=()).check(table)


def test_an_earlier_mapping_is_used_again_and_asks_anew_about_dates(files):
    earlier = replace(EVENTS, attributes={}, day_first=None, questions=(), period="2020-01-01")
    table = files.table([["Rating", "Date", "Agent", "New"], ["4", "02/03/2021", "Ivo", "x"]])
    again = propose(table, known_columns=earlier)
    assert again.metrics == earlier.metrics
    assert again.period is None
    assert [question.about for question in again.questions] == ["dates"]
    assert [ignored.column for ignored in again.ignored] == ["New"]
    settled = files.table([["Rating", "Date", "Agent"], ["4", "13/03/2021", "Ivo"]])
    assert propose(settled, known_columns=earlier).day_first is True
    undated = propose(settled, known_columns=replace(earlier, date=None))
    assert [question.about for question in undated.questions] == ["period"]
    other = files.table([["Score", "Date", "Agent"], ["4", "13/03/2021", "Ivo"]])
    assert propose(other, known_columns=earlier).metrics[0].key == "score"
