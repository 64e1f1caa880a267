"""`manage.py import_metrics`: what the rows are about, said on the command line."""

import pytest
from django.core.management import CommandError, call_command

from coaching.models import Person, Reading

EXPORT = """Cluster,Team,Week,CSAT n,CSAT mean
Premium,Harbour,2027-02-15,20,3.5
Basic,Harbour,2027-02-15,18,4.4
"""


@pytest.fixture
def export(tmp_path):
    file = tmp_path / "clusters.csv"
    file.write_text(EXPORT)
    return file


def test_it_cannot_know_that_clusters_are_customers(export, team, capsys):
    with pytest.raises(CommandError):
        call_command("import_metrics", str(export))
    assert "Answer with --person COLUMN" in capsys.readouterr().out


def test_segments_are_said_to_be_segments(export, team, capsys):
    call_command("import_metrics", str(export), "--segments", "--person", "Cluster")
    told = capsys.readouterr().out
    assert "one row is one customer segment and period" in told
    assert "2 new segments" in told
    assert set(Person.objects.values_list("key", "kind", "team__name")) == {
        ("Premium", "segment", "Harbour"),
        ("Basic", "segment", "Harbour"),
    }
    assert Reading.objects.count() == 2


def test_without_the_option_they_are_people(export, team, capsys):
    call_command("import_metrics", str(export), "--person", "Cluster", "--dry-run")
    assert "0 known people, 2 new." in capsys.readouterr().out
    assert not Person.objects.exists()
