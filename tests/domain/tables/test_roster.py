import datetime as dt

import pytest

from coaching.domain.tables import Mapping, MappingError, MetricColumns, propose, read_roster

HEADER = ["Name", "E-mail", "Team", "Manager e-mail", "Role", "Started on", "Part-time", "Capacity"]
ROSTER = Mapping(
    shape="roster",
    person="Name",
    email="E-mail",
    team="Team",
    manager="Manager e-mail",
    attributes={
        "role": "Role",
        "started_on": "Started on",
        "part_time": "Part-time",
        "capacity": "Capacity",
    },
)
IVO = ["Ivo", "ivo@x.org", "North", "Mara@x.org", "agent", "2019-03-01", "no", 2]


def complaints(roster):
    return [(p.row, p.letter, p.message) for p in roster.problems]


def test_people_are_read_one_a_row(files):
    lea = ["Lea", "lea@x.org", "", "", "", "1 Feb 2020", "", ""]
    table = files.table([HEADER, lea, IVO])
    assert propose(table).to_json()["attributes"] == dict(ROSTER.attributes)
    roster = read_roster(table, propose(table))
    assert roster.clean
    ivo, lea = roster.people
    assert (ivo.name, ivo.email, ivo.team, ivo.manager) == (
        "Ivo", "ivo@x.org", "North", "mara@x.org",
    )  # fmt: skip
    assert ivo.attributes == {
        "role": "agent",
        "started_on": dt.date(2019, 3, 1),
        "part_time": False,
        "capacity": 2,
    }
    assert lea.attributes == {"started_on": dt.date(2020, 2, 1)}


@pytest.mark.parametrize(
    ("place", "cell", "letter", "message"),
    [
        (0, "", "A", "This row does not say who it is about."),
        (0, "IVO", "A", "Ivo appears twice, rows 2 and 3."),
        (1, "lea", "B", "“lea” is not an e-mail address."),
        (1, "ivo@x.org", "B", "ivo@x.org belongs to Ivo (row 2) and to Lea (row 3)."),
        (3, "Mara", "D", "“Mara” is not an e-mail address."),
        (4, "x" * 101, "E", "This text has 101 characters; at most 100 are kept."),
        (5, "long ago", "F", "“long ago” is not a date."),
        (6, "half", "G", "“half” is neither yes nor no."),
        (7, "many", "H", "“many” is not a number."),
        (7, "1.5", "H", "“1.5” is not a number of learners."),
    ],
)
def test_a_problem_is_named_by_row_and_column(files, place, cell, letter, message):
    row = ["Lea", "lea@x.org", "North", "mara@x.org", "agent", "2020-02-01", "yes", 1]
    row[place] = cell
    roster = read_roster(files.table([HEADER, IVO, row]), ROSTER)
    assert complaints(roster) == [(3, letter, message)]
    assert "Ivo" in [person.key for person in roster.people]


def test_it_reads_nothing_but_rosters(files):
    metric = MetricColumns(key="load", name="Load", kind="rate", column="Capacity")
    with pytest.raises(MappingError, match="reads metrics"):
        read_roster(files.table([HEADER, IVO]), Mapping(person="Name", metrics=(metric,)))
