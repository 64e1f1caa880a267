from django.db.models import QuerySet

from coaching.models import HandRaise, Metric, Person
from coaching.queries import access


def visible_to(person: Person) -> QuerySet[Metric]:
    """The names of skills are no secret among people who sign in."""
    return Metric.objects.all()


def hands_visible_to(person: Person) -> QuerySet[HandRaise]:
    """One's own hand, and the hands raised in the teams one manages."""
    own = HandRaise.objects.filter(person=person)
    managed = HandRaise.objects.filter(access.managed(person, "person__team__path"))
    people = (own | managed).filter(person__kind=Person.Kind.PERSON)
    return people.select_related("person", "metric").distinct()
