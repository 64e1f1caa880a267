"""Who is away, by day: days are those where the person is."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Q

from coaching.models import Leave, Person


def away_on(people: Iterable[Person], day: date) -> set[int]:
    """Row numbers of those of `people` who are away on `day`; one query."""
    leaves = Leave.objects.filter(
        Q(last_day__isnull=True) | Q(last_day__gte=day), person__in=list(people), first_day__lte=day
    )
    return set(leaves.order_by().values_list("person", flat=True))


def away_for_long(people: Iterable[Person], day: date, *, longer_than: timedelta) -> set[int]:
    """Row numbers of those who are away on `day` and for longer than that in all; one query."""
    leaves = Leave.objects.filter(
        Q(last_day__isnull=True) | Q(last_day__gte=day), person__in=list(people), first_day__lte=day
    )
    return {
        leave.person_id
        for leave in leaves
        if leave.last_day is None or leave.last_day - leave.first_day >= longer_than
    }


def spans(person: Person) -> tuple[tuple[date, date | None], ...]:
    """First and last day of each leave; without a query when they were fetched before."""
    return tuple((leave.first_day, leave.last_day) for leave in person.leaves.all())


def back_on(person: Person, day: date) -> date | None:
    """
    The first day from `day` on at which a person is not away; None while they are away
    until further notice.
    """
    from_here = sorted(spans(person), key=lambda span: span[0])
    for first, last in from_here:
        if first > day:
            break
        if last is None or last == date.max:
            return None
        if last >= day:
            day = date.fromordinal(last.toordinal() + 1)
    return day
