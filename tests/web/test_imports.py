"""From a dropped file to readings, through the pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from coaching.models import Import, Metric, Person, Reading
from coaching.services import imports
from coaching.web.mapping_form import MappingForm

CALLS = """Agent;Call date;Solved (Y/N);Talk time
Diane;14/09/2026;Y;00:04:10
Diane;15/09/2026;N;00:05:20
Dan;15/09/2026;Y;00:03:00
Dan;25/09/2026;Y;00:06:30
"""
# Dates lie ahead of today only by mistake.
BAD = CALLS + "Joe;20/09/2027;Y;00:03:00\n"


@pytest.fixture
def upload(mara_client, team, now):
    """Drop a file on the page and let the work be done; returns the import."""

    def drop(content: str, name: str = "calls.csv") -> Import:
        answer = mara_client.post(
            reverse("import-new"),
            {"file": SimpleUploadedFile(name, content.encode()), "team": team.pk},
        )
        source = Import.objects.latest("pk")
        assert answer.url == reverse("import", args=[source.public_id])
        assert "data-waiting" in mara_client.get(answer.url).text
        imports.work_off(now=now)
        source.refresh_from_db()
        return source

    return drop


def page(client: Client, source: Import) -> str:
    return client.get(reverse("import", args=[source.public_id])).text


def test_a_file_is_shown_before_it_is_written(upload, mara_client, now):
    source = upload(CALLS)
    text = page(mara_client, source)
    assert "This would happen" in text
    assert "Diane" in text
    assert not Reading.objects.exists()
    mara_client.post(reverse("import-confirm", args=[source.public_id]))
    imports.work_off(now=now)
    assert Reading.objects.count() == 6
    assert "New readings" in page(mara_client, source)


def test_bad_rows_are_named_and_left_out_only_by_choice(upload, mara_client, now):
    source = upload(BAD)
    text = page(mara_client, source)
    assert "Row 6" in text
    assert "20/09/2027" in text
    assert "Write these readings" not in text
    confirm = reverse("import-confirm", args=[source.public_id])
    answer = mara_client.post(confirm, follow=True)
    assert imports.HasProblems.message in answer.text
    mara_client.post(confirm, {"good_rows_only": "yes"})
    imports.work_off(now=now)
    assert Reading.objects.count() == 6


def test_a_cancelled_file_leaves_nothing(upload, mara_client):
    source = upload(CALLS)
    mara_client.post(reverse("import-cancel", args=[source.public_id]))
    assert "Nothing of this file was stored." in page(mara_client, source)
    assert not Reading.objects.exists()


def test_what_is_no_table_is_refused_in_words(upload, mara_client):
    source = upload("\x89PNG not a table", name="photo.png")
    assert source.state == Import.State.REFUSED
    assert "This file was not imported" in page(mara_client, source)


def test_an_empty_form_and_an_empty_file_are_told_apart(mara_client, team):
    address = reverse("import-new")
    assert "Choose a file first." in mara_client.post(address, {"team": team.pk}).text
    empty = {"file": SimpleUploadedFile("calls.csv", b""), "team": team.pk}
    assert "This file is empty." in mara_client.post(address, empty).text


def test_a_file_that_is_too_large_is_refused_on_the_page(mara_client, team, settings):
    settings.UPLOAD_LIMIT_MB = 0
    form = {"file": SimpleUploadedFile("calls.csv", CALLS.encode()), "team": team.pk}
    answer = mara_client.post(reverse("import-new"), form)
    assert answer.status_code == 413
    assert "“calls.csv” is larger than 0 MB." in answer.text
    assert not Import.objects.exists()


def uses(source: Import) -> dict[str, str]:
    """The mapping form as a browser would post it unchanged, but for what is altered later."""
    form = MappingForm(source=source)
    posted = {"shape": form.shape, "day_first": form.day_first, "period": form.period}
    for column in form.columns:
        posted[f"use-{column['index']}"] = column["use"]
        posted[f"skill-{column['index']}"] = column["skill"]
    for metric in form.metrics:
        for name in ("name", "kind", "direction", "unit", "lower", "upper"):
            posted[f"metric-{metric['key']}-{name}"] = metric[name]
    return posted


def remap(client: Client, source: Import, posted: dict, now) -> Import:
    client.post(reverse("import-remap", args=[source.public_id]), posted)
    imports.work_off(now=now)
    source.refresh_from_db()
    return source


def test_sending_the_mapping_back_unchanged_changes_nothing(upload, mara_client, now):
    source = upload(CALLS)
    before, preview = source.mapping, source.preview
    after = remap(mara_client, source, uses(source), now)
    assert after.preview["readings"] == preview["readings"]
    for name in ("person", "date", "day_first", "shape", "sheet", "decimal", "attributes"):
        assert after.mapping[name] == before[name]
    assert [m["key"] for m in after.mapping["metrics"]] == [m["key"] for m in before["metrics"]]


def test_a_column_is_left_out_and_another_renamed(upload, mara_client, now):
    source = upload(CALLS)
    posted = uses(source)
    talk = next(m for m in source.mapping["metrics"] if m["column"] == "Talk time")
    posted["use-2"] = "ignored"
    posted[f"metric-{talk['key']}-name"] = "Handle time"
    after = remap(mara_client, source, posted, now)
    assert [metric["name"] for metric in after.mapping["metrics"]] == ["Handle time"]
    mara_client.post(reverse("import-confirm", args=[source.public_id]))
    imports.work_off(now=now)
    assert Metric.objects.get().name == "Handle time"


def test_a_left_out_column_comes_back_as_a_skill(upload, mara_client, now):
    source = upload(CALLS)
    posted = uses(source) | {"use-2": "ignored"}
    source = remap(mara_client, source, posted, now)
    posted = uses(source) | {"use-2": "value", "skill-2": "Solved"}
    posted |= {"metric-solved-kind": "proportion"}
    source = remap(mara_client, source, posted, now)
    solved = next(m for m in source.mapping["metrics"] if m["column"] == "Solved (Y/N)")
    assert solved["kind"] == "proportion"
    assert source.preview["readings"]["new"] == 6


def test_a_question_is_asked_and_answered(upload, mara_client, now):
    ambiguous = CALLS.replace("14/09", "04/09").replace("15/09", "05/09").replace("25/09", "06/09")
    source = upload(ambiguous)
    text = page(mara_client, source)
    assert "Only you can know" in text
    assert 'name="answer-dates"' in text
    confirm = reverse("import-confirm", args=[source.public_id])
    assert imports.QuestionsOpen.message in mara_client.post(confirm, follow=True).text
    source = remap(mara_client, source, {"answer-dates": "true"}, now)
    assert source.mapping["day_first"] is True
    assert "Only you can know" not in page(mara_client, source)
    assert source.preview["weeks"]["first"] == "2026-08-31"


def test_totals_keep_their_columns(upload, mara_client, now):
    totals = "Agent;Week of;CSAT n;CSAT mean\nDiane;14/09/2026;20;4,2\nDan;14/09/2026;25;3,9\n"
    source = upload(totals)
    metrics = source.mapping["metrics"]
    assert source.mapping["shape"] == "aggregated"
    after = remap(mara_client, source, uses(source), now)
    for name in ("n", "mean", "name", "key"):
        assert [m[name] for m in after.mapping["metrics"]] == [m[name] for m in metrics]
    assert after.preview["readings"]["new"] == 2


def test_nonsense_in_the_form_is_refused_in_words(upload, mara_client, now):
    source = upload(CALLS)
    key = source.mapping["metrics"][0]["key"]
    posted = uses(source) | {f"metric-{key}-lower": "ten"}
    answer = mara_client.post(reverse("import-remap", args=[source.public_id]), posted, follow=True)
    assert "Must be a number." in answer.text
    source.refresh_from_db()
    assert source.state == Import.State.READY


GROUPS = "Agent;Team;E-mail;Week of;CSAT n;CSAT mean\n" + "".join(
    f"{name};Harbour;{name}@example.com;14/09/2026;20;4,{n}\n" for n, name in enumerate("ABCD")
)


def test_rows_are_said_to_be_about_segments(upload, mara_client, now):
    """Columns with what segments do not have are left out, and say why."""
    source = upload(GROUPS)
    assert "Rows are about" in page(mara_client, source)
    assert (source.mapping["who"], source.mapping["team"]) == ("people", "Team")
    source = remap(mara_client, source, uses(source) | {"who": "segments"}, now)
    assert (source.mapping["who"], source.mapping["team"], source.mapping["email"]) == (
        "segments", None, None,
    )  # fmt: skip
    text = page(mara_client, source)
    assert "never paired or written to" in text
    assert text.count("Customer segments have none.") == 2
    mara_client.post(reverse("import-confirm", args=[source.public_id]))
    imports.work_off(now=now)
    assert set(Person.objects.exclude(name="Mara Lindqvist").values_list("kind", "email")) == {
        ("segment", "")
    }
    assert "New segments" in page(mara_client, source)


def test_skills_that_share_a_count_keep_it(upload, mara_client, now):
    totals = "Agent;Week of;Calls;AHT;Resolved\n" + "".join(
        f"{name};14/09/2026;40;{300 + n};{30 + n}\n" for n, name in enumerate("ABCD")
    )
    source = upload(totals)
    assert [metric["n"] for metric in source.mapping["metrics"]] == ["Calls", "Calls"]
    # A change shows that the form was taken and not refused.
    after = remap(mara_client, source, uses(source) | {"who": "segments"}, now)
    assert after.mapping["who"] == "segments"
    assert [metric["n"] for metric in after.mapping["metrics"]] == ["Calls", "Calls"]
    assert after.preview["readings"]["new"] == 8


@pytest.fixture
def german(mara):
    mara.reads = "de"
    mara.save()


def test_a_row_is_told_in_the_readers_language_and_kept_in_english(german, upload, mara_client):
    # So many people that one who comes twice is a mistake, not a single case.
    totals = "Agent;Week of;CSAT n;CSAT mean\n" + "".join(
        f"P{n};14/09/2026;20;4,2\n" for n in range(30)
    )
    source = upload(totals + "Diane;14/09/2026;25,5;3,5\n")
    problem = source.problems[0]
    assert problem["message"] == "CSAT n must be a whole number."
    text = page(mara_client, source)
    assert "CSAT n muss eine ganze Zahl sein." in text
    assert "Berichtige die Anzahl." in text
    assert "must be" not in text
    source = upload(totals + "P0;14/09/2026;25;3,5\n")
    assert "in the week of 14 Sep 2026, rows 2 and 32." in source.problems[0]["message"]
    text = page(mara_client, source)
    assert "P0 steht zweimal bei CSAT in der Woche vom 14. Sep 2026, Zeilen 2 und 32." in text


def test_values_and_changes_have_the_readers_decimal_sign(german, upload, mara_client, now):
    totals = "Agent;Week of;CSAT n;CSAT mean\nDiane;14/09/2026;20;4,2\nDan;14/09/2026;25;3,9\n"
    source = upload(totals)
    assert source.preview["sample"][0]["value"] == "3.90"
    assert "3,90" in page(mara_client, source)
    for content in (totals, totals.replace("3,9", "3,7")):
        source = upload(content)
        mara_client.post(reverse("import-confirm", args=[source.public_id]))
        imports.work_off(now=now)
    source.refresh_from_db()
    assert [(row["old"], row["new"]) for row in source.result["changes"]] == [("3.90", "3.70")]
    text = page(mara_client, source)
    assert "3,90" in text
    assert "3,70" in text


def test_a_question_stays_in_the_readers_language_until_it_is_answered(
    german, upload, mara_client, now
):
    source = upload(
        "Agent;Call date;Talk time;Refunds\nDiane;04/09/2026;1,234;2\nDan;05/09/2026;2,345;3\n"
    )
    assert [question["field"] for question in source.preview["questions"]] == ["dates", "decimal"]
    text = page(mara_client, source)
    assert "In „Call date“ stehen Datumsangaben wie 04/09/2026. Was steht zuerst?" in text
    assert "der Monat" in text
    source = remap(mara_client, source, {"answer-dates": "true"}, now)
    text = page(mara_client, source)
    assert "Was steht zuerst?" not in text
    assert "Es gibt Zahlen wie 1,234. Was bedeutet das Komma?" in text


def test_a_refused_file_says_why_in_the_readers_language(german, upload, mara_client):
    source = upload("{\\rtf1 calls}", name="calls.rtf")
    assert source.refusal == (
        "This is a text document. Export the table as CSV or Excel and upload that."
    )
    text = page(mara_client, source)
    assert "Das ist ein Textdokument. Exportier die Tabelle als CSV oder Excel" in text
    assert "Diese Datei wurde nicht importiert" in text
