"""A file's way to readings: received, read and shown, and only then written."""

import io
import zipfile
from datetime import date, timedelta

import openpyxl
import pytest
from django.db import IntegrityError

from coaching.models import Event, Import, ImportFile, Metric, Pair, Person, Reading, Team
from coaching.services import changes, imports
from tests import factories
from tests.conftest import NOW

WEEK = date(2027, 2, 22)
STATE = Import.State

EXPORT = """Agent,Week,CSAT n,CSAT mean,CSAT sd
lea,2027-02-15,20,3.5,0.5
lea,2027-02-22,22,3.6,0.5
ivo,2027-02-22,18,4.4,0.4
"""
MAPPING = {
    "shape": "aggregated",
    "person": "Agent",
    "date": "Week",
    "metrics": [
        {
            "key": "csat", "name": "Customer satisfaction", "kind": "mean",
            "n": "CSAT n", "mean": "CSAT mean", "sd": "CSAT sd", "lower": 1, "upper": 5,
        }
    ],
}  # fmt: skip
ROSTER = {
    "shape": "roster",
    "person": "ID",
    "name": "Name",
    "email": "Mail",
    "team": "Team",
    "manager": "Lead",
    "attributes": {"site": "Site", "time_zone": "Zone", "capacity": "Seats"},
}


@pytest.fixture
def upload(mara, team):
    """Mara brings in a file; it is read at once."""

    def bring(content: str | bytes, *, mapping: dict | None = MAPPING, by: Person = mara, **values):
        source = imports.receive(
            filename=values.pop("filename", "export.csv"),
            content=content.encode() if isinstance(content, str) else content,
            by=by,
            team=values.pop("team", team if by == mara else None),
            now=NOW,
            mapping=mapping,
        )
        imports.work_off(now=NOW)
        source.refresh_from_db()
        return source

    return bring


@pytest.fixture
def write(upload, mara):
    """... and she has it written."""

    def bring_in(content, *, good_rows_only: bool = False, by: Person = mara, **values) -> Import:
        source = upload(content, by=by, **values)
        assert source.state == STATE.READY, source.refusal
        imports.confirm(source=source, good_rows_only=good_rows_only, by=by, now=NOW)
        imports.work_off(now=NOW)
        source.refresh_from_db()
        return source

    return bring_in


def counts(source: Import, where: str = "result") -> tuple[int, int, int]:
    found = getattr(source, where)["readings"]
    return found["new"], found["changed"], found["same"]


# -- the plain way -----------------------------------------------------------------------


def test_nothing_is_written_before_somebody_has_looked(upload):
    source = upload(EXPORT)
    assert (source.state, source.problem_count) == (STATE.READY, 0)
    assert counts(source, "preview") == (3, 0, 0)
    assert source.preview["people"] == {"new": 2, "known": 0, "names": ["ivo", "lea"]}
    assert source.preview["weeks"] == {"first": "2027-02-15", "last": "2027-02-22", "count": 2}
    assert source.preview["metrics"][0]["new"]
    assert not Reading.objects.exists()
    assert not Metric.objects.exists()
    assert imports.work_off(now=NOW) == 0


def test_then_all_of_it_is(write, team, mara):
    source = write(EXPORT)
    assert source.state == STATE.DONE
    assert counts(source) == (3, 0, 0)
    assert (source.result["people"], source.result["metrics"]) == (2, 1)
    lea = Person.objects.get(key="lea")
    assert lea.team == team
    reading = lea.readings.get(period=WEEK)
    assert (reading.n, reading.sum, reading.source) == (22, pytest.approx(79.2), source)
    assert reading.sumsq == pytest.approx(21 * 0.5**2 + 22 * 3.6**2)
    assert not ImportFile.objects.exists()
    event = Event.objects.get(verb="readings imported")
    assert (event.actor, event.details) == (mara, {"new": 3, "changed": 0, "same": 0})


def test_the_same_file_twice_changes_nothing(write, upload):
    write(EXPORT)
    assert upload(EXPORT).preview["seen_before"]
    again = write(EXPORT)
    assert counts(again) == (0, 0, 3)
    assert (again.result["people"], again.result["people_changed"]) == (0, 0)


def test_a_corrected_file_changes_just_that_reading_and_says_how(write):
    first = write(EXPORT)
    second = write(EXPORT.replace("ivo,2027-02-22,18,4.4", "ivo,2027-02-22,17,4.1"))
    assert counts(second) == (0, 1, 2)
    assert second.preview["readings"]["fewer"] == 1
    assert second.result["changes"] == [
        {
            "person": "ivo", "metric": "Customer satisfaction", "week": "2027-02-22",
            "n": 17, "old": "4.40", "new": "4.10",
        }
    ]  # fmt: skip
    assert Reading.objects.filter(source=first).count() == 2
    assert Reading.objects.get(source=second).n == 17


def test_people_are_found_in_any_case(write):
    factories.make_person("Łucja", key="ŁUCJA-1", team=Team.objects.get(name="Harbour"))
    source = write("Agent,Week,CSAT n,CSAT mean,CSAT sd\nłucja-1,2027-02-22,5,4,1\n")
    assert source.result["people"] == 0
    assert Reading.objects.get().person.key == "ŁUCJA-1"


def test_new_readings_have_a_pair_looked_at_at_once(write, pair):
    lea = pair.learner
    lea.key = "lea"
    lea.save()
    Pair.objects.update(next_check_at=NOW + timedelta(days=1))
    write(EXPORT)
    pair.refresh_from_db()
    assert pair.next_check_at < NOW


def test_a_mapping_is_remembered_for_the_next_file(write, upload):
    write(EXPORT)
    source = upload(EXPORT.replace("2027-02-", "2027-01-"), mapping=None)
    assert source.preview["questions"] == []
    assert source.mapping["metrics"][0]["name"] == "Customer satisfaction"


def test_event_rows_are_added_up_by_week(write):
    events = "Agent,Day,Solved\n" + "".join(
        f"lea,2027-02-{day},{'Y' if day % 2 else 'N'}\n" for day in range(15, 28)
    )
    mapping = {
        "shape": "events", "person": "Agent", "date": "Day",
        "metrics": [
            {"key": "solved", "name": "Solved", "kind": "proportion", "column": "Solved"}
        ],
    }  # fmt: skip
    assert counts(write(events, mapping=mapping)) == (2, 0, 0)
    rows = Reading.objects.order_by("period").values_list("period", "n", "sum")
    assert list(rows) == [(date(2027, 2, 15), 7, 4), (date(2027, 2, 22), 6, 3)]


# -- problems ------------------------------------------------------------------------------

BAD = EXPORT + "nils,2027-02-22,10,7.4,0.4\n"


def test_problems_block_the_whole_file(upload, mara):
    source = upload(BAD)
    assert source.problem_count == 1
    (problem,) = source.problems
    assert (problem["row"], problem["value"]) == (5, "7.4")
    with pytest.raises(imports.HasProblems):
        imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)


def test_the_good_rows_are_written_by_explicit_choice(write):
    source = write(BAD, good_rows_only=True)
    assert (source.state, source.good_rows_only) == (STATE.DONE, True)
    assert counts(source) == (3, 0, 0)
    assert not Person.objects.filter(key="nils").exists()


def test_somebody_of_another_team_is_refused_in_words(upload, write, otto):
    otto.key = "otto"
    otto.save()
    foreign = EXPORT + "otto,2027-02-22,10,3,0.5\n"
    source = upload(foreign)
    assert source.problem_count == 1
    # By the name that stands in the file: theirs is not told.
    assert source.problems[0]["message"] == "otto belongs to a team that you do not manage."
    write(foreign, good_rows_only=True)
    assert Reading.objects.count() == 3
    assert not otto.readings.exists()


def test_somebody_without_a_team_is_nobody_elses_either(upload, hanna, write):
    factories.make_person("Rita", key="rita")
    file = EXPORT + "rita,2027-02-22,10,3,0.5\n"
    assert upload(file).problem_count == 1
    assert counts(write(file, by=hanna)) == (4, 0, 0)


def test_a_team_of_another_manager_takes_nobody_in(upload, otto):
    file = "ID,Name,Mail,Team,Lead,Site,Zone,Seats\np1,Nils,,Airfield,,,,\n"
    source = upload(file, mapping=ROSTER)
    assert "belongs to a team that you do not manage" in source.problems[0]["message"]


def test_a_metric_that_counts_something_else_is_refused(upload, mara, csat):
    source = upload(
        EXPORT, mapping={**MAPPING, "metrics": [{**MAPPING["metrics"][0], "direction": "lower"}]}
    )
    assert source.state == STATE.READY
    assert source.refusal.startswith("“Customer satisfaction” exists already as mean of scores")
    with pytest.raises(imports.QuestionsOpen, match="exists already"):
        imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)
    imports.remap(source=source, mapping=MAPPING, by=mara, now=NOW)
    imports.work_off(now=NOW)
    source.refresh_from_db()
    assert (source.state, source.refusal) == (STATE.READY, "")
    assert not source.preview["metrics"][0]["new"]


def test_an_open_question_has_to_be_answered_first(upload, mara):
    ambiguous = "Agent,Day,Score\n" + "".join(
        f"lea,0{day}/02/2027,{3 + day % 3}\n" for day in range(1, 9)
    )
    source = upload(ambiguous, mapping=None)
    assert source.preview["questions"]
    with pytest.raises(imports.QuestionsOpen):
        imports.confirm(source=source, good_rows_only=True, by=mara, now=NOW)


def test_a_mapping_that_makes_no_sense_is_refused(upload, mara):
    with pytest.raises(imports.MappingRefused):
        upload(EXPORT, mapping={"shape": "spiral"})
    source = upload(EXPORT)
    with pytest.raises(imports.MappingRefused):
        imports.remap(source=source, mapping={"person": 7}, by=mara, now=NOW)
    assert not Import.objects.exclude(pk=source.pk).exists()


# -- without dates -------------------------------------------------------------------------

UNDATED = {**{key: value for key, value in MAPPING.items() if key != "date"}}


def test_a_file_without_dates_keeps_its_week(write, mara):
    file = "Agent,CSAT n,CSAT mean,CSAT sd\nlea,20,3.5,0.5\nivo,18,4.4,0.4\n"
    write(file, mapping=UNDATED)
    assert set(Reading.objects.values_list("period", flat=True)) == {date(2027, 3, 1)}
    # The very same file three weeks later still means the week it was first read in.
    source = imports.receive(
        filename="export.csv",
        content=file.encode(),
        by=mara,
        team=mara.team,
        now=NOW + timedelta(weeks=3),
    )
    imports.work_off(now=NOW + timedelta(weeks=3))
    source.refresh_from_db()
    assert source.mapping["period"] == "2027-03-01"
    assert counts(source, "preview") == (0, 0, 2)


def test_another_file_without_dates_is_another_week(write, mara):
    write("Agent,CSAT n,CSAT mean,CSAT sd\nlea,20,3.5,0.5\n", mapping=UNDATED)
    later = NOW + timedelta(weeks=3)
    source = imports.receive(
        filename="next.csv",
        content=b"Agent,CSAT n,CSAT mean,CSAT sd\nlea,21,3.7,0.5\n",
        by=mara,
        team=mara.team,
        now=later,
    )
    imports.work_off(now=later)
    source.refresh_from_db()
    assert source.mapping["period"] == "2027-03-22"
    assert counts(source, "preview") == (1, 0, 0)


# -- rosters -------------------------------------------------------------------------------

PEOPLE = """ID,Name,Mail,Team,Lead,Site,Zone,Seats
p1,Nils Holm,nils@example.com,Quay,BOSS@example.com,Leeds,Europe/London,3
p2,Uma Rao,uma@example.com,Quay,boss@example.com,Leeds,Europe/London,
boss,Bo Boss,Boss@Example.com,Harbour,,Porto,Europe/Lisbon,1
"""


def test_a_roster_brings_teams_managers_and_attributes(write, team):
    source = write(PEOPLE, mapping=ROSTER)
    assert (source.state, source.result["people"]) == (STATE.DONE, 3)
    quay = Team.objects.get(name="Quay")
    boss = Person.objects.get(key="boss")
    assert (quay.parent, quay.manager, boss.team) == (team, boss, team)
    nils = Person.objects.get(key="p1")
    assert (nils.name, nils.team, nils.site) == ("Nils Holm", quay, "Leeds")
    assert (nils.time_zone, nils.capacity) == ("Europe/London", 3)
    assert Person.objects.get(key="p2").capacity == 2


def test_a_manager_is_found_by_an_address_in_any_case(write, team, lea):
    lea.email = "Lea.Brandt@Example.com"
    lea.save()
    write("ID,Name,Mail,Team,Lead,Site,Zone,Seats\np1,Nils,,Quay,lea.brandt@example.COM,,,\n",
          mapping=ROSTER)  # fmt: skip
    assert Team.objects.get(name="Quay").manager == lea


def test_a_second_roster_changes_what_it_says_and_keeps_the_rest(write):
    write(PEOPLE, mapping=ROSTER)
    source = write(
        "ID,Name,Mail,Team,Lead,Site,Zone,Seats\np1,,,,,Porto,,\np2,,,,,Leeds,,\n", mapping=ROSTER
    )
    assert (source.result["people"], source.result["people_changed"]) == (0, 1)
    nils = Person.objects.get(key="p1")
    assert (nils.name, nils.team.name, nils.site) == ("Nils Holm", "Quay", "Porto")


def test_an_unknown_time_zone_is_a_problem_and_is_not_stored(upload, write):
    file = PEOPLE.replace("Europe/Lisbon", "Lissabon")
    source = upload(file, mapping=ROSTER)
    assert source.problem_count == 1
    assert "“Lissabon”, the time zone of Bo Boss, is not a time zone." in str(source.problems)
    write(file, mapping=ROSTER, good_rows_only=True)
    assert Person.objects.get(key="boss").zone.key == "UTC"


# -- who may ---------------------------------------------------------------------------------


def test_newcomers_join_a_team_of_ones_own(upload, otto, lea, other_team):
    with pytest.raises(imports.NotYourTeam):
        upload(EXPORT, by=otto, team=lea.team)
    with pytest.raises(imports.NotYourTeam):
        upload(EXPORT, by=lea, team=None)
    # Without a word about it they join the uploader's team, never somebody else's.
    assert upload(EXPORT, by=otto, team=None).team == other_team


def test_the_first_file_of_all_founds_a_team(db, write, hanna):
    Team.objects.update(manager=None)
    Person.objects.update(team=None)
    Team.objects.all().delete()
    source = write(EXPORT, by=hanna)
    assert source.state == STATE.DONE
    assert Team.objects.get().name == "Everybody"


def test_the_server_itself_may_bring_in_everything(upload, otto):
    otto.key = "otto"
    otto.save()
    source = imports.receive(
        filename="a.csv",
        content=(EXPORT + "otto,2027-02-22,10,3,0.5\n").encode(),
        by=None,
        team=otto.team,
        now=NOW,
        mapping=MAPPING,
    )
    imports.work_off(now=NOW)
    source.refresh_from_db()
    assert (source.state, source.problem_count) == (STATE.READY, 0)


# -- the wrong moment ------------------------------------------------------------------------


def test_a_cancelled_file_is_forgotten(upload, mara):
    source = upload(EXPORT)
    imports.cancel(source=source, by=mara, now=NOW)
    source.refresh_from_db()
    assert (source.state, source.finished_at) == (STATE.CANCELLED, NOW)
    assert not ImportFile.objects.exists()
    for act in (
        lambda: imports.cancel(source=source, by=mara, now=NOW),
        lambda: imports.remap(source=source, mapping=MAPPING, by=mara, now=NOW),
        lambda: imports.confirm(source=source, good_rows_only=True, by=mara, now=NOW),
    ):
        with pytest.raises(imports.WrongMoment):
            act()


def test_what_is_being_written_is_not_stopped_or_read_differently(upload, mara):
    source = upload(EXPORT)
    imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)
    with pytest.raises(imports.WrongMoment):
        imports.cancel(source=source, by=mara, now=NOW)
    with pytest.raises(imports.WrongMoment):
        imports.remap(source=source, mapping=MAPPING, by=mara, now=NOW)
    with pytest.raises(imports.WrongMoment):
        imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)


def test_a_file_cancelled_while_it_is_read_stays_cancelled(upload, mara, team, monkeypatch):
    source = imports.receive(
        filename="a.csv", content=EXPORT.encode(), by=mara, team=team, now=NOW, mapping=MAPPING
    )
    plain = imports._change

    def slowly(*arguments, **values):
        imports.cancel(source=source, by=mara, now=NOW)
        return plain(*arguments, **values)

    monkeypatch.setattr(imports, "_change", slowly)
    imports.work_off(now=NOW)
    source.refresh_from_db()
    assert (source.state, source.preview) == (STATE.CANCELLED, {})


# -- accidents -------------------------------------------------------------------------------


def test_an_accident_is_told_and_leaves_nothing_half_written(upload, mara, monkeypatch, caplog):
    source = upload(EXPORT)
    imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)

    def stumble(*arguments, **values):
        assert Reading.objects.count() == 3
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(changes.progress, "readings_arrived", stumble)
    imports.work_off(now=NOW)
    source.refresh_from_db()
    assert source.state == STATE.REFUSED
    assert source.refusal.startswith("Lanemate stumbled over this file; nothing was written.")
    assert source.public_id in source.refusal
    assert "of all things" in caplog.text
    for model in (Reading, Metric, ImportFile):
        assert not model.objects.exists()
    assert not Person.objects.filter(key="lea").exists()


def test_newcomers_that_another_file_brought_meanwhile_are_no_accident(upload, mara, monkeypatch):
    source = upload(EXPORT)
    imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)
    plain, tries = changes.Change.apply, []

    def too_late(change, *, now):
        tries.append(1)
        if len(tries) == 1:
            raise IntegrityError("UNIQUE constraint failed: coaching_person.key_folded")
        return plain(change, now=now)

    monkeypatch.setattr(changes.Change, "apply", too_late)
    imports.work_off(now=NOW)
    source.refresh_from_db()
    assert (source.state, len(tries)) == (STATE.DONE, 2)


@pytest.mark.parametrize("state", [STATE.UPLOADED, STATE.QUEUED])
def test_a_worker_that_died_is_succeeded_when_its_lease_ends(upload, mara, state):
    source = upload(EXPORT)
    if state == STATE.QUEUED:
        imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)
    Import.objects.update(state=state, lease_until=NOW + imports.LEASE)
    assert imports.work_off(now=NOW + imports.LEASE - timedelta(seconds=1)) == 0
    assert imports.work_off(now=NOW + imports.LEASE) == 1
    source.refresh_from_db()
    assert source.state == {STATE.UPLOADED: STATE.READY, STATE.QUEUED: STATE.DONE}[state]


def test_a_worker_that_was_given_up_does_not_spoil_its_successors_work(upload, mara, monkeypatch):
    source = imports.receive(
        filename="a.csv", content=EXPORT.encode(), by=mara, team=mara.team, now=NOW,
        mapping=MAPPING,
    )  # fmt: skip
    plain = imports._change

    def slow_and_clumsy(*arguments, **values):
        monkeypatch.setattr(imports, "_change", plain)
        imports.work_off(now=NOW + imports.LEASE)
        raise ZeroDivisionError

    monkeypatch.setattr(imports, "_change", slow_and_clumsy)
    imports.work_off(now=NOW)
    source.refresh_from_db()
    assert (source.state, source.refusal) == (STATE.READY, "")
    imports.confirm(source=source, good_rows_only=False, by=mara, now=NOW)
    imports.work_off(now=NOW)
    source.refresh_from_db()
    assert (source.state, source.refusal) == (STATE.DONE, "")


# -- files that are none ---------------------------------------------------------------------


def zipped(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize("content", [b"", b"\n\n \t\r\n", b"\x00\x00\x00"])
def test_an_empty_file_is_not_even_taken(upload, content):
    with pytest.raises(imports.NothingUploaded):
        upload(content)
    assert not Import.objects.exists()


HOSTILE = {
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\n", "report.pdf"),
    "zip": (zipped(readme="hello"), "all.zip"),
    "zip called xlsx": (zipped(readme="hello"), "all.xlsx"),
    "broken xlsx": (
        zipped(**{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<"}),
        "a.xlsx",
    ),
    "half a zip": (zipped(readme="hello")[:40], "a.xlsx"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "photo.csv"),
    "text with NUL": (b"Agent,Score\nle\x00a,4\nivo,5\n", "a.csv"),
    "header only": (b"Agent,Week,CSAT n,CSAT mean,CSAT sd\n", "a.csv"),
    "half of UTF-16": ("Agent,Score\nlea,4\n".encode("utf-16")[:-1], "a.csv"),
    "a UTF-16 mark alone": (b"\xff\xfe", "a.csv"),
    "one word": (b"hello", "a.csv"),
    "one very long line": (b"x" * 300_000, "a.csv"),
    "html": (b"<html><body><table><tr><td>Agent</td></tr></table></body></html>", "a.xls"),
    "json": (b'{"agent": "lea", "score": 4}', "a.json"),
    "an old word document": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc"),
}


@pytest.mark.parametrize("mapping", [None, MAPPING], ids=["proposed", "given"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_none_is_refused_with_a_sentence(upload, name, mapping, caplog):
    content, filename = HOSTILE[name]
    source = upload(content, filename=filename, mapping=mapping)
    said = source.refusal
    assert source.state == STATE.REFUSED
    assert said[0].isupper()
    assert said.endswith(".")
    assert "stumbled" not in said
    assert "Traceback" not in caplog.text
    assert not Reading.objects.exists()


def test_utf_16_is_read_like_any_other(write):
    source = write(EXPORT.encode("utf-16"))
    assert counts(source) == (3, 0, 0)


def test_what_no_database_keeps_is_shown_without_it(upload):
    book = openpyxl.Workbook()
    book.active.append(["Agent", "Week", "Score_x0000_"])
    # Excel's way to write a character that cannot be written.
    book.active.append(["lea_x0000_", date(2027, 2, 22), 4.5])
    book.active.append(["ivo", date(2027, 2, 22), 4.1])
    stream = io.BytesIO()
    book.save(stream)
    source = upload(stream.getvalue(), filename="export.xlsx", mapping=None)
    assert source.state == STATE.READY
    assert source.problem_count == 1
    assert source.problems[0]["message"] == "“lea\ufffd” holds control characters."
    assert source.preview["columns"][0]["samples"] == ["lea\ufffd", "ivo"]
