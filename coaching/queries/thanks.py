"""What learners thanked their coaches for; between the two of them."""

from django.db.models import Q, QuerySet

from coaching.models import Pair, Person, Thanks


def visible_to(person: Person) -> QuerySet[Thanks]:
    """What one has said and what one was told; nobody else reads it, managers neither."""
    return Thanks.objects.filter(Q(pair__learner=person) | Q(pair__coach=person)).select_related(
        "pair__learner", "pair__coach", "pair__metric"
    )


def of_pair(pair: Pair, reader: Person) -> list[Thanks]:
    """What was said in a pair, newest first; empty for everybody but the two."""
    return list(visible_to(reader).filter(pair=pair))


def received_by(person: Person) -> QuerySet[Thanks]:
    return visible_to(person).filter(pair__coach=person)
