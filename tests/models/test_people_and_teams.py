"""Names in any alphabet, and teams in a tree that may be rearranged."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from coaching.models import Person, Team
from coaching.models.base import folded, new_public_id
from tests import factories


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Łucja Nowak", "łucja  nowak"),
        ("ÉMILE", "émile"),
        ("Straße 7", "STRASSE 7"),
        ("A1", " a1 "),
    ],
)
def test_another_case_is_the_same_person(db, one, other):
    factories.make_person(key=one)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_person(key=other)
    assert Person.objects.get(key_folded=folded(other)).key == one


def test_another_letter_is_another_person(db):
    factories.make_person(key="Łucja")
    factories.make_person(key="Lucja")
    assert Person.objects.count() == 2


def test_the_folded_name_follows_the_name(db):
    team = factories.make_team("Hafen")
    team.name = "HÄFEN"
    team.save()
    assert Team.objects.get(name_folded="häfen") == team
    Person.objects.bulk_create([Person(key="ŻANETA", name="Żaneta")])
    assert Person.objects.get(key_folded="żaneta").name == "Żaneta"


def test_somebody_without_a_name_goes_by_the_key(db):
    assert factories.make_person("Lea Brandt").first_name == "Lea"
    nameless = factories.make_person(key="A 17")
    nameless.name = "   "
    assert nameless.first_name == "A 17"


def test_public_ids_cannot_be_counted():
    ids = {new_public_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(one) == 12 and not set(one) & set("aeiou01l") for one in ids)


@pytest.fixture
def tree(db) -> dict[str, Team]:
    """World > (North > Harbour > Quay), South"""
    teams: dict[str, Team] = {}
    for name, parent in [
        ("World", None), ("North", "World"), ("South", "World"), ("Harbour", "North"),
        ("Quay", "Harbour"),
    ]:  # fmt: skip
        teams[name] = factories.make_team(name, parent=teams.get(parent))
    return teams


def names_under(team: Team) -> set[str]:
    path = Team.objects.get(pk=team.pk).path
    return set(Team.objects.under([path]).values_list("name", flat=True))


def test_a_path_leads_from_the_root(tree):
    assert tree["Quay"].path == "".join(
        f"{tree[name].pk}/" for name in ("World", "North", "Harbour", "Quay")
    )
    assert names_under(tree["North"]) == {"North", "Harbour", "Quay"}
    assert not Team.objects.under([]).exists()


def test_a_team_that_moves_takes_its_teams_along(tree):
    harbour = tree["Harbour"]
    harbour.parent = tree["South"]
    harbour.save()
    assert names_under(tree["South"]) == {"South", "Harbour", "Quay"}
    assert names_under(tree["North"]) == {"North"}


def test_a_number_is_not_the_beginning_of_another(db):
    teams = [factories.make_team() for _ in range(12)]
    for team in teams:
        assert list(Team.objects.under([team.path])) == [team]


@pytest.mark.parametrize("below", ["Harbour", "Quay"])
def test_a_team_cannot_lie_below_itself(tree, below):
    harbour = tree["Harbour"]
    harbour.parent = tree[below]
    with pytest.raises(ValidationError, match="Harbour would lie below itself"):
        harbour.save()
    assert names_under(tree["North"]) == {"North", "Harbour", "Quay"}


def test_a_team_with_people_is_not_deleted(team, lea):
    with pytest.raises(Exception, match="protected foreign keys"):
        team.delete()
