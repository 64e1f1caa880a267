"""`manage.py benchmark` measures what it says."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from coaching.management.benchmarks import matching, pages, ranking
from coaching.management.commands.benchmark import every_benchmark
from coaching.models import Standing


def test_the_ranking_goes_from_readings_to_standings(db):
    lines = dict(ranking.measure_ranking(people=24, metrics=5, weeks=2, groups=2))
    assert lines["readings"] == f"{24 * 5 * 2:,}"
    assert lines["standings"] == f"{24 * (5 + 1):,}"
    assert Standing.objects.count() == 24 * (5 + 1)
    assert set(Standing.objects.values_list("group", flat=True)) == {"Group 0", "Group 1"}


def test_the_engine_needs_no_database():
    out = StringIO()
    call_command("benchmark", "engine", people=400, groups=20, stdout=out)
    assert "20 peer groups" in out.getvalue()
    assert "many / one" in out.getvalue()


@pytest.mark.parametrize("words", [["ranking", "--people", "0"], ["ranking", "--weeks", "-1"]])
def test_it_refuses_to_measure_nothing(words):
    with pytest.raises(CommandError, match="at least 1"):
        call_command("benchmark", *words)


def test_every_file_of_benchmarks_is_collected():
    assert {"ranking", "engine"} <= every_benchmark().keys()


def test_pages_cost_as_many_queries_with_many_pairs_as_with_few(db):
    lines = dict(pages.measure(pairs=220, times=1))
    assert lines["pairs"] == "100 and 220"
    assert {"home", "cohort", "pair", "ranking", "digest", "me, a coach"} <= lines.keys()
    assert not [what for what, figure in lines.items() if "with few pairs" in figure]


def test_every_case_of_matching_can_be_measured():
    lines = dict(matching.measure_matching(case="all", learners=1_000, coaches=300, scipy=True))
    assert lines["dense: same total"] == "yes"
    assert lines["dense: gap"].startswith("0 of ")
    assert lines["given: gap"].startswith("0 of ")
    assert {what.partition(":")[0] for what in lines} == matching.CASES.keys()


def test_a_case_is_measured_alone():
    out = StringIO()
    words = {"case": "page", "learners": 20, "coaches": 8, "scipy": False}
    call_command("benchmark", "matching", **words, stdout=out)
    assert "page: a pin" in out.getvalue()
    assert "dense" not in out.getvalue()
