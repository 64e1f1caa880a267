"""Logins become people, and people raise their hands."""

import pytest
from django.contrib.auth import get_user_model

from coaching.errors import CoachingError
from coaching.models import Event, HandRaise, Person
from coaching.queries import access
from coaching.services import people
from tests import factories
from tests.conftest import NOW


def superuser(name: str = "admin"):
    return get_user_model().objects.create_superuser(name, email="root@example.com")


def test_a_login_is_its_person(lea):
    assert people.person_for(lea.user) == lea
    stranger = get_user_model().objects.create_user("stranger")
    assert people.person_for(stranger) is None


def test_who_has_left_is_nobody(lea):
    Person.objects.update(active=False)
    assert people.person_for(lea.user) is None


def test_who_set_up_the_server_becomes_a_person_at_first_sight(db):
    user = superuser()
    person = people.person_for(user)
    assert (person.key, person.name, person.email) == ("admin", "admin", "root@example.com")
    assert access.sees_everything(person)
    assert people.person_for(user) == person
    assert Person.objects.count() == 1


def test_a_person_known_in_another_case_is_not_made_twice(db):
    known = factories.make_person(key="ADMIN")
    assert people.person_for(superuser()) == known


def test_nobody_takes_over_somebody_elses_person(lea):
    Person.objects.filter(pk=lea.pk).update(key="admin", key_folded="admin")
    assert people.person_for(superuser()) is None
    lea.refresh_from_db()
    assert lea.user.get_username() == "lea"


def test_asking_again_changes_the_note_only(lea, csat):
    for note in ("The closing part", "The opening part"):
        people.raise_hand(person=lea, metric=csat, note=note, now=NOW)
    hand = HandRaise.objects.get()
    assert (hand.note, hand.raised_at) == ("The opening part", NOW)
    assert Event.objects.filter(verb="hand raised").count() == 2


def test_a_hand_is_lowered_once_and_can_be_raised_again(lea, csat):
    hand = people.raise_hand(person=lea, metric=csat, note="", now=NOW)
    people.lower_hand(hand=hand, by=lea, now=NOW)
    with pytest.raises(CoachingError, match="not raised any more"):
        people.lower_hand(hand=hand, by=lea, now=NOW)
    assert people.raise_hand(person=lea, metric=csat, note="", now=NOW) != hand
