"""Customer segments: imported and ranked like people, never paired, counted or written to."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from coaching.models import HandRaise, Import, Person, Reading
from coaching.queries import digests, metrics, people, teams
from coaching.services import imports, readings
from coaching.services import people as people_services
from tests import factories
from tests.conftest import NOW

EXPORT = """Customer segment,Site,Week,CSAT n,CSAT mean,CSAT sd
Premium,Bern,2027-02-15,20,3.5,0.5
Premium,Bern,2027-02-22,22,3.6,0.5
Basic,Genf,2027-02-22,18,4.4,0.4
"""


@pytest.fixture
def bring(mara, team):
    """Mara imports a file as it is proposed, perhaps about others than it seems."""

    def receive(content: str, *, who: str = "", good_rows_only: bool = False) -> Import:
        source = imports.receive(
            filename="segments.csv", content=content.encode(), by=mara, team=team, now=NOW
        )
        imports.work_off(now=NOW)
        source.refresh_from_db()
        if who:
            imports.remap(source=source, mapping={**source.mapping, "who": who}, by=mara, now=NOW)
            imports.work_off(now=NOW)
            source.refresh_from_db()
        if not source.problem_count or good_rows_only:
            imports.confirm(source=source, good_rows_only=good_rows_only, by=mara, now=NOW)
            imports.work_off(now=NOW)
            source.refresh_from_db()
        return source

    return receive


@pytest.fixture
def premium(bring) -> Person:
    bring(EXPORT)
    return Person.objects.get(key="Premium")


def test_a_file_of_groups_becomes_segments_with_readings(bring, team):
    source = bring(EXPORT)
    assert (source.state, source.preview["who"]) == (Import.State.DONE, "segments")
    assert source.preview["people"]["new"] == 2
    premium, basic = people.segments_of(team).order_by("-key")
    assert (premium.kind, premium.team, premium.site) == (Person.Kind.SEGMENT, team, "Bern")
    assert (premium.email, premium.user, premium.capacity) == ("", None, 0)
    assert premium.readings.count() == 2
    assert basic.readings.get().n == 18
    assert not people.of_team(team).filter(pk__in=[premium.pk, basic.pk]).exists()


def test_the_same_segments_again_change_nothing(bring):
    bring(EXPORT)
    again = bring(EXPORT)
    assert again.result["readings"] == {"new": 0, "changed": 0, "same": 3}
    assert Person.objects.filter(kind=Person.Kind.SEGMENT).count() == 2


def test_a_reader_may_know_better_who_the_rows_are_about(bring):
    source = bring(EXPORT, who="people")
    assert source.state == Import.State.DONE
    assert Person.objects.get(key="Premium").kind == Person.Kind.PERSON


def test_a_person_does_not_become_a_segment(bring, team):
    anna = factories.make_person("Anna Premium", key="premium", team=team)
    source = bring(EXPORT)
    (problem,) = source.problems
    assert problem["message"] == ("“Anna Premium” is known as a person, not as a customer segment.")
    assert "a name that nobody bears" in problem["hint"]
    written = bring(EXPORT, good_rows_only=True)
    assert written.result["people"] == 1
    anna.refresh_from_db()
    assert anna.kind == Person.Kind.PERSON
    assert not anna.readings.exists()


def test_a_segment_does_not_become_a_person(bring, premium):
    agents = EXPORT.replace("Customer segment", "Agent").replace("Basic", "Nils")
    source = bring(agents)
    assert [problem["message"] for problem in source.problems] == [
        "“Premium” is known as a customer segment, not as a person."
    ]
    assert not Person.objects.filter(key="Nils").exists()


def test_segments_of_another_team_are_not_told(bring, otto):
    """Not even that it is a segment: the answer is that of any other team."""
    Person.objects.create(key="Premium", name="P", kind=Person.Kind.SEGMENT, team=otto.team)
    source = bring(EXPORT.replace("Customer segment", "Agent"))
    assert {problem["message"] for problem in source.problems} == {
        "Premium belongs to a team that you do not manage."
    }


def test_the_interface_takes_their_readings(premium, mara):
    row = {"person": "premium", "metric": "csat", "period": "2027-02-08", "n": 9, "sum": 36.0}
    outcome = readings.ingest(rows=[row], by=mara, now=NOW)
    assert outcome.new == 1
    assert Reading.objects.filter(person=premium).count() == 3


def test_they_are_in_no_list_of_people(premium, mara, hanna):
    for reader in (mara, hanna):
        assert not people.visible_to(reader).contains(premium)
        assert people.subjects_visible_to(reader).contains(premium)


def test_they_do_not_make_a_team_larger(premium, mara, team):
    assert teams.with_counts(mara).get(pk=team.pk).size == 1


def test_they_raise_no_hands(premium, mara, csat_of):
    HandRaise.objects.create(person=premium, metric=csat_of, raised_at=NOW)
    assert not metrics.hands_visible_to(mara).exists()


def test_they_get_no_digest(premium, team):
    """Not even when somebody has made one a manager by hand."""
    team.manager = premium
    team.save()
    assert not digests.readers(since=NOW - timedelta(days=14), until=NOW).contains(premium)


def test_nobody_signs_in_as_one(premium):
    """A server's first login becomes a person of its name; not if a segment bears it."""
    login = get_user_model().objects.create_superuser("premium", password="swim-lane-7")
    assert people_services.person_for(login) is None
    premium.refresh_from_db()
    assert premium.user is None


@pytest.mark.parametrize("values", [{"email": "premium@example.com"}, {"access": "hr"}])
def test_the_database_keeps_to_it(premium, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=premium.pk).update(**values)


@pytest.fixture
def csat_of(premium):
    return premium.readings.first().metric
