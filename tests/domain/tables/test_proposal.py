import datetime as dt

import pytest

from coaching.domain.tables import KnownMetric, MappingError, answer, open_table, propose


def repeated(header, *columns):
    """Thirty rows: each column a list that is repeated, or a function of the row's number."""
    rows = [[c(i) if callable(c) else c[i % len(c)] for c in columns] for i in range(30)]
    return [header, *rows]


AGENTS = ["Ivo", "Lea", "Otto", "Mara"]


def day(i):
    return f"2021-01-{i % 28 + 1:02}"


def asked(mapping):
    return [question.about for question in mapping.questions]


def test_german_names_are_understood(files):
    rows = repeated(
        ["Vorgang", "Mitarbeiter", "Datum", "Gelöst (J/N)", "Gesprächsdauer", "Zufriedenheit",
         "Beschwerden", "Schicht", "Abteilung"],
        lambda i: f"V{i}", AGENTS, lambda i: f"{i % 28 + 1}.1.2021", ["Ja", "Nein"],
        ["00:02:30", "03:10"], ["4,5", "3", "2,5"], ["0", "2"], ["früh"], ["A"],
    )  # fmt: skip
    mapping = propose(files.table(rows))
    assert mapping.questions == ()
    assert (mapping.shape, mapping.person, mapping.date) == ("events", "Mitarbeiter", "Datum")
    assert (mapping.team, dict(mapping.attributes)) == ("Abteilung", {"shift": "Schicht"})
    assert mapping.decimal == ","
    assert [(m.key, m.kind, m.direction) for m in mapping.metrics] == [
        ("gelost", "proportion", "higher"),
        ("gesprachsdauer", "duration", "lower"),
        ("zufriedenheit", "mean", "higher"),
        ("beschwerden", "rate", "lower"),
    ]
    assert [ignored.column for ignored in mapping.ignored] == ["Vorgang"]


def test_an_id_says_who_and_a_name_says_how_they_are_called(files):
    rows = repeated(
        ["Employee ID", "Agent name", "E-Mail", "Team Lead", "Team Lead E-Mail", "Date", "CSAT"],
        [1001, 1002, 1003, 1004], AGENTS, [f"{a}@x.org" for a in AGENTS], ["Mara"], ["mara@x.org"],
        day, [1, 2, 3, 4, 5],
    )  # fmt: skip
    mapping = propose(files.table(rows))
    assert mapping.questions == ()
    assert (mapping.person, mapping.name) == ("Employee ID", "Agent name")
    assert (mapping.email, mapping.manager) == ("E-Mail", "Team Lead E-Mail")
    assert mapping.confidence["person"] > 0.9
    assert "Managers are recognised by their e-mail" in mapping.ignored[0].why


def test_two_columns_of_people_are_a_question_with_counts(files):
    rows = repeated(["Agent", "Owner", "Date", "CSAT"], AGENTS, ["A", "B"], day, [1, 3, 5])
    mapping = propose(files.table(rows))
    assert mapping.person is None
    assert [(o.value, o.label) for o in mapping.questions[0].options] == [
        ("Agent", "Agent: 4 different values"),
        ("Owner", "Owner: 2 different values"),
    ]


@pytest.mark.parametrize(
    ("dates", "day_first", "questions"),
    [
        (["13/01/2021", "02/03/2021"], True, []),
        (["01/13/2021", "02/03/2021"], False, []),
        (["01/02/2021", "02/03/2021"], None, ["dates"]),
        (["13/01/2021", "01/13/2021"], None, ["dates"]),
        (["01.02.2021", "02.03.2021"], None, []),
        (["2021-02-01", "2021-03-02"], None, []),
        (["01/01/2021", "02/02/2021"], None, []),
    ],
)
def test_the_whole_column_decides_what_stands_first(files, dates, day_first, questions):
    mapping = propose(files.table(repeated(["Agent", "Date", "CSAT"], AGENTS, dates, [1, 5])))
    assert mapping.day_first is day_first
    assert asked(mapping) == questions


def test_the_one_telling_date_may_stand_at_the_very_end(files):
    rows = [["Agent", "Date", "CSAT"], *[["Ivo", "01/02/2021", "4"]] * 25_000]
    rows.append(["Ivo", "31/01/2021", "4"])
    assert propose(files.table(rows)).day_first is True


@pytest.mark.parametrize(
    ("numbers", "decimal", "questions"),
    [
        (["4,5", "1,234"], ",", []),
        (["4.5", "1,234"], ".", []),
        (["1,234", "2,345"], None, ["decimal"]),
        (["12", "13"], None, []),
    ],
)
def test_the_decimal_sign_is_asked_for_only_when_nothing_tells(files, numbers, decimal, questions):
    mapping = propose(files.table(repeated(["Agent", "Date", "Score"], AGENTS, day, numbers)))
    assert mapping.decimal == decimal
    assert asked(mapping) == questions


def test_columns_that_share_a_count_are_totals(files):
    rows = repeated(
        ["Agent", "Week", "Calls", "Resolved", "AHT (min)", "Errors", "Surveys", "CSAT"],
        lambda i: f"Agent {i}", ["2021-01-04"], [40, 50], [30, 35], ["4.5", "3.2"], [0, 3],
        [10, 12], ["4.2", "3.9"],
    )  # fmt: skip
    mapping = propose(files.table(rows))
    assert (mapping.shape, mapping.grain, mapping.questions) == ("aggregated", "week", ())
    found = {m.key: (m.kind, m.n, m.sum, m.mean, m.factor) for m in mapping.metrics}
    assert found == {
        "resolved": ("proportion", "Calls", "Resolved", None, 1.0),
        "aht": ("duration", "Calls", None, "AHT (min)", 60.0),
        "errors": ("rate", "Calls", "Errors", None, 1.0),
        "csat": ("mean", "Surveys", None, "CSAT", 1.0),
    }


def test_groups_of_columns_have_their_own_counts(files):
    rows = repeated(
        ["Agent", "Date", "CSAT n", "CSAT mean", "CSAT sd", "Resolved %", "Resolved n"],
        AGENTS, day, [10, 20], ["4.1", "4.4"], ["0.8", "0.9"], [85, 90], [30, 40],
    )  # fmt: skip
    mapping = propose(files.table(rows))
    assert (mapping.shape, mapping.grain) == ("aggregated", "day")
    csat = next(m for m in mapping.metrics if m.key == "csat")
    assert (csat.n, csat.mean, csat.sd, csat.name) == ("CSAT n", "CSAT mean", "CSAT sd", "CSAT")


def test_totals_without_a_name_are_a_question(files):
    rows = repeated(["Agent", "Week", "n", "Mean"], lambda i: f"A{i}", ["2021-01-04"], [9], [4.5])
    mapping = propose(files.table(rows))
    assert asked(mapping) == ["metrics"]
    assert [(m.name, m.n, m.mean) for m in mapping.metrics] == [("Score", "n", "Mean")]


def test_the_long_form_has_a_metric_for_each_label(files):
    rows = repeated(
        ["Employee", "Week", "Metric", "n", "Mean", "SD"],
        AGENTS, ["2021-01-04"], ["CSAT", "Handle time", "Resolved"], [10], ["4.5"], ["1"],
    )  # fmt: skip
    mapping = propose(files.table(rows))
    assert (mapping.shape, mapping.metric) == ("aggregated", "Metric")
    assert [(m.label, m.kind, m.n, m.mean, m.sd) for m in mapping.metrics] == [
        ("CSAT", "mean", "n", "Mean", "SD"),
        ("Handle time", "duration", "n", "Mean", "SD"),
        ("Resolved", "proportion", "n", "Mean", "SD"),
    ]


def test_a_rate_of_single_cases_keeps_its_exposure(files):
    rows = repeated(["Agent", "Date", "Calls", "Errors"], ["Ivo"], ["2021-01-04"], [9, 8], [0, 2])
    mapping = propose(files.table(rows))
    assert mapping.shape == "events"
    assert [(m.column, m.exposure, m.kind) for m in mapping.metrics] == [
        ("Errors", "Calls", "rate")
    ]


def test_a_known_metric_lends_its_meaning(files):
    known = KnownMetric(
        key="happy", name="Happiness", kind="mean", direction="lower", lower=0.0, upper=7.0
    )
    table = files.table(repeated(["Agent", "Date", "Happiness"], AGENTS, day, [0, 6, 7]))
    (metric,) = propose(table, [known]).metrics
    assert (metric.key, metric.direction, metric.lower, metric.upper) == ("happy", "lower", 0, 7)


def test_times_of_a_day_in_excel_may_be_parts_of_a_day_or_typed_minutes(files):
    sheet = [["Agent", "Date", "Handle time", "Hold time"]]
    for i in range(30):
        typed = dt.time(4 + i % 3, 30)
        sheet.append([AGENTS[i % 4], dt.date(2021, 1, 4), typed, (100 + i) / 86400])
    mapping = propose(open_table(files.xlsx(sheet)).best)
    assert asked(mapping) == ["clock:handle-time"]
    assert [m.factor for m in mapping.metrics] == [1.0, 86400.0]


def test_several_dates_are_a_question(files):
    rows = repeated(["Agent", "Created date", "Closed date", "CSAT"], AGENTS, day, day, [1, 5])
    mapping = propose(files.table(rows))
    assert asked(mapping) == ["date"]
    assert mapping.date == "Created date"


def test_a_file_without_numbers_about_work_is_a_roster(files):
    rows = repeated(
        ["Name", "E-mail", "Team", "Role", "Site", "Started on", "Part-time", "Time zone"],
        lambda i: f"Person {i}", lambda i: f"p{i}@x.org", ["A", "B"], ["agent"], ["Bern"], day,
        ["yes", "no"], ["Europe/Zurich"],
    )  # fmt: skip
    mapping = propose(files.table(rows))
    assert (mapping.shape, mapping.person, mapping.email) == ("roster", "Name", "E-mail")
    assert set(mapping.attributes) == {"role", "site", "started_on", "part_time", "time_zone"}
    assert mapping.questions == ()


def test_every_column_is_read_or_ignored_with_a_reason(files):
    rows = repeated(
        ["Call Id", "Agent", "Date", "Time", "Topic", "Comment", "CSAT", "Empty"],
        lambda i: f"ID{i}", AGENTS, day, ["09:12:58"], ["Billing", "Other"],
        ["It took a while until somebody understood what I wanted."], [1, 5], [""],
    )  # fmt: skip
    mapping = propose(files.table(rows))
    assert {ignored.column: ignored.why.split(":")[0] for ignored in mapping.ignored} == {
        "Call Id": "Another value in every row",
        "Time": "The time of day; readings are kept by week.",
        "Topic": "Speaks of the case, not of the person.",
        "Comment": "Free text.",
        "Empty": "The column is empty.",
    }


def test_an_answer_settles_its_question(files):
    header = ["Agent", "Owner", "Date", "Score"]
    table = files.table(repeated(header, AGENTS, ["A", "B"], ["01/02/2021", "3/2/2021"], ["1,234"]))
    mapping = propose(table)
    assert asked(mapping) == ["dates", "person", "decimal"]
    mapping = answer(answer(mapping, "person", "Agent"), "dates", "true")
    mapping = answer(mapping, "decimal", ",")
    assert (mapping.person, mapping.day_first, mapping.decimal) == ("Agent", True, ",")
    assert mapping.questions == ()
    with pytest.raises(MappingError, match="“dates” is not an open question"):
        answer(mapping, "dates", "true")
    with pytest.raises(MappingError, match="“maybe” does not answer"):
        answer(propose(table), "dates", "maybe")


def test_totals_may_turn_out_to_be_single_cases(files):
    table = files.table(
        repeated(["Agent", "Date", "Calls", "CSAT"], ["Ivo"], ["2021-01-04"], [9, 8], [4, 5])
    )
    mapping = propose(table)
    assert (mapping.shape, asked(mapping)) == ("aggregated", ["shape"])
    mapping = answer(mapping, "shape", "events")
    assert mapping.shape == "events"
    assert [(m.column, m.n, m.exposure) for m in mapping.metrics] == [("CSAT", None, None)]
