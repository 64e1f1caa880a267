from datetime import date

from django.db.models import QuerySet

from coaching.domain import cadence
from coaching.models import Pair, Person, Worksheet
from coaching.queries import pairs


def visible_to(person: Person) -> QuerySet[Worksheet]:
    """The pages of the pairs one sees."""
    return Worksheet.objects.filter(pair__in=pairs.visible_to(person).order_by().values("pk"))


def of_pair(pair: Pair) -> list[Worksheet]:
    """Newest first."""
    return list(pair.worksheets.order_by("-week"))


def of_week(pair: Pair, day: date) -> Worksheet:
    """The page of the week in which `day` lies; an empty one that is not stored, when there is
    none yet."""
    week = cadence.week_of(day)
    return pair.worksheets.filter(week=week).first() or Worksheet(pair=pair, week=week)
