from datetime import timedelta

import pytest

from coaching.models import Event, Reading
from tests import factories

ADDRESS = "/api/v1/readings/"
WEEK = "2027-02-22"


def row(person, /, **values) -> dict:
    return {
        "person": person.key, "metric": "csat", "period": WEEK, "n": 4, "sum": 16, "sumsq": 66,
        **values,
    }  # fmt: skip


def test_new_changed_and_same_are_counted(mara_api, ivo, lea, csat):
    rows = [row(lea), row(ivo)]
    assert mara_api.post(ADDRESS, rows).json() == {
        "new": 2, "changed": 0, "same": 0, "dry_run": False,
    }  # fmt: skip
    rows = [row(lea), row(ivo, sum=15, sumsq=60)]
    assert mara_api.post(ADDRESS, rows).json() == {
        "new": 0, "changed": 1, "same": 1, "dry_run": False,
    }  # fmt: skip
    assert Reading.objects.get(person=ivo).sum == 15
    assert Event.objects.filter(verb="readings sent", actor__name="Mara Lindqvist").count() == 2


def test_any_day_of_the_week_means_the_week(mara_api, lea, csat):
    assert mara_api.post(ADDRESS, [row(lea)]).json()["new"] == 1
    assert mara_api.post(ADDRESS, [row(lea, period="2027-02-26")]).json()["same"] == 1


def test_a_dry_run_writes_nothing(mara_api, lea, csat):
    answer = mara_api.post(f"{ADDRESS}?dry_run=true", [row(lea)])
    assert answer.json() == {"new": 1, "changed": 0, "same": 0, "dry_run": True}
    assert not Reading.objects.exists()


def test_one_bad_row_keeps_all_out_and_is_named(mara_api, lea, ivo, csat):
    answer = mara_api.post(ADDRESS, [row(lea), row(ivo, sum=40, sumsq=None)])
    assert answer.status_code == 400
    told = answer.json()
    assert told["type"] == "urn:lanemate:rows-refused"
    assert told["count"] == 1
    (error,) = told["errors"]
    assert (error["pointer"], error["row"]) == ("#/1/sum", 2)
    assert "outside the bounds" in error["detail"]
    assert not Reading.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"person": "nobody"}, "person"),
        ({"person": 7}, "person"),
        ({"metric": "unknown"}, "metric"),
        ({"period": "22.02.2027"}, "period"),
        ({"period": "2027-03-02"}, "period"),
        ({"period": "0027-02-22"}, "period"),
        ({"n": 0}, "n"),
        ({"n": 4.5}, "n"),
        ({"n": True}, "n"),
        ({"n": "4"}, "n"),
        ({"sum": None}, "sum"),
        ({"sum": 1e300}, "sum"),
        ({"sum": 3}, "sum"),
        ({"sumsq": 1}, "sumsq"),
    ],
)
def test_each_value_is_checked(mara_api, lea, csat, values, field):
    answer = mara_api.post(ADDRESS, [row(lea, **values)])
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"#/0/{field}"]


def test_the_same_reading_twice_is_a_mistake(mara_api, lea, csat):
    answer = mara_api.post(ADDRESS, [row(lea), row(lea, sum=12, sumsq=40)])
    assert answer.status_code == 400
    assert "rows 1 and 2" in answer.json()["detail"] + answer.json()["errors"][0]["detail"]


def test_people_of_another_team_are_as_unknown_as_nobody(mara_api, otto, csat):
    foreign = mara_api.post(ADDRESS, [row(otto)]).json()["errors"][0]["detail"]
    nobody = mara_api.post(ADDRESS, [row(otto, person="XXX")]).json()["errors"][0]["detail"]
    assert foreign.replace(otto.key, "XXX") == nobody


def test_a_metric_with_an_odd_key_is_found_too(mara_api, lea):
    factories.make_metric("First_Call", kind="proportion", name="First call")
    sent = row(lea, metric="First_Call", n=10, sum=7, sumsq=None)
    assert mara_api.post(ADDRESS, [sent]).json()["new"] == 1
    assert Reading.objects.get().sumsq == 7


def test_staff_send_nothing(lea_api, lea, csat):
    assert lea_api.post(ADDRESS, [row(lea)]).status_code == 403


def test_more_rows_than_allowed_are_too_many(mara_api, lea, csat, monkeypatch):
    monkeypatch.setattr("coaching.services.readings.MOST_ROWS", 1)
    assert mara_api.post(ADDRESS, [row(lea), row(lea)]).status_code == 413


def test_readings_that_arrive_have_the_pair_looked_at(mara_api, pair, lea, now):
    type(pair).objects.update(next_check_at=now + timedelta(days=1))
    mara_api.post(ADDRESS, [row(lea)])
    pair.refresh_from_db()
    assert pair.next_check_at < now


def test_the_list_is_filtered_by_person_metric_and_weeks(mara_api, lea, ivo, csat, now):
    for week in range(1, 4):
        for person in (lea, ivo):
            factories.add_reading(person, csat, now.date() - timedelta(weeks=week), mean=4)
    answer = mara_api.get(
        f"{ADDRESS}?person={lea.public_id}&metric=csat&since=2027-02-15&until=2027-02-22"
    ).json()
    assert answer["count"] == 2
    assert [found["period"] for found in answer["results"]] == ["2027-02-22", "2027-02-15"]
    assert {found["person"]["key"] for found in answer["results"]} == {lea.key}
    assert mara_api.get(f"{ADDRESS}?since=yesterday").json()["errors"][0]["parameter"] == "since"
