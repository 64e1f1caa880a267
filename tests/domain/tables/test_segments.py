"""Rows about groups of customers instead of people."""

from dataclasses import replace

import pytest

from coaching.domain.tables import (
    Ignored,
    Mapping,
    MappingError,
    MetricColumns,
    about,
    propose,
)

CSAT = MetricColumns(key="csat", name="CSAT", kind="mean", n="n", sum="sum")
PEOPLE = Mapping(
    shape="aggregated",
    person="Group",
    email="Mail",
    team="Team",
    attributes={"site": "Region", "shift": "Shift"},
    date="Week",
    metrics=(CSAT,),
)
NAMES = ["Premium", "Basic", "Trial", "Public"]


def repeated(header, *columns):
    """Sixteen rows, a week for every four."""
    return [header, *([column[i % len(column)] for column in columns] for i in range(16))]


WEEKS = [f"2021-01-{4 + 7 * (i // 4):02}" for i in range(16)]
TOTALS = [[20, 22, 18, 25], [80.0, 90.5, 70.5, 101.0]]


@pytest.mark.parametrize(
    "header",
    ["Segment", "Customer segment", "CustomerGroup", "customer_type", "Kundengruppe",
     "Kundensegment", "Region of customers", "Gruppe der Kunden", "Zielgruppe", "group"],
)  # fmt: skip
def test_a_column_of_customer_groups_is_understood(files, header):
    mapping = propose(files.table(repeated([header, "Week", "CSAT n", "CSAT sum"],
                                           NAMES, WEEKS, *TOTALS)))  # fmt: skip
    assert (mapping.who, mapping.person, mapping.team) == ("segments", header, None)
    assert (mapping.shape, mapping.date, mapping.questions) == ("aggregated", "Week", ())


@pytest.mark.parametrize(
    "header",
    [
        ["Agent", "Customer segment", "Week", "CSAT n", "CSAT sum"],
        ["Name", "Customer type", "Week", "CSAT n", "CSAT sum"],
        ["Login", "Group", "Week", "CSAT n", "CSAT sum"],
    ],
)
def test_where_rows_name_somebody_they_are_about_people(files, header):
    mapping = propose(files.table(repeated(header, ["Ivo", "Lea", "Otto"], NAMES, WEEKS, *TOTALS)))
    assert (mapping.who, mapping.person) == ("people", header[0])


def test_a_segment_may_have_a_key_and_a_name_and_a_site_but_no_shift(files):
    header = ["Segment ID", "Segment name", "Site", "Shift", "Week", "CSAT n", "CSAT sum"]
    rows = repeated(header, ["S1", "S2", "S3", "S4"], NAMES, ["Bern"], ["early"], WEEKS, *TOTALS)
    mapping = propose(files.table(rows))
    assert (mapping.person, mapping.name) == ("Segment ID", "Segment name")
    assert dict(mapping.attributes) == {"site": "Site"}


def test_single_surveys_name_their_segment_too(files):
    rows = repeated(["Response", "Customer group", "Date", "CSAT"], [*range(16)], NAMES, WEEKS,
                    [1, 3, 5, 4, 2])  # fmt: skip
    mapping = propose(files.table(rows))
    assert (mapping.who, mapping.shape, mapping.person) == ("segments", "events", "Customer group")


def test_the_next_file_like_it_is_about_segments_too(files):
    header = ["Cluster", "Week", "CSAT n", "CSAT sum"]
    table = files.table(repeated(header, NAMES, WEEKS, *TOTALS))
    earlier = replace(propose(table), who="segments", person="Cluster")
    assert propose(table, known_columns=earlier).who == "segments"


def test_people_turned_into_segments_leave_behind_what_segments_lack():
    mapping = about(PEOPLE, "segments")
    assert (mapping.email, mapping.team, dict(mapping.attributes)) == (
        None,
        None,
        {"site": "Region"},
    )
    assert {one.column for one in mapping.ignored} == {"Mail", "Team", "Shift"}
    assert mapping.ignored[0] == Ignored(column="Mail", why="Customer segments have none.")
    assert Mapping.from_json(mapping.to_json()) == mapping
    assert about(mapping, "people") == replace(mapping, who="people")


def test_a_column_that_is_read_anyway_is_not_called_ignored():
    mapping = about(replace(PEOPLE, team="Group"), "segments")
    assert "Group" not in {one.column for one in mapping.ignored}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"who": "customers"}, "who"),
        ({"who": None}, "who"),
        ({"who": "segments", "email": "Mail"}, "email"),
        ({"who": "segments", "team": "Team"}, "team"),
        ({"who": "segments", "manager": "Lead"}, "manager"),
        ({"who": "segments", "attributes": {"time_zone": "Zone"}}, "attributes"),
    ],
)
def test_a_mapping_gives_segments_nothing_of_people(changes, field):
    with pytest.raises(MappingError) as refusal:
        Mapping.from_json({"shape": "roster", "person": "Group", **changes})
    assert refusal.value.field == field
