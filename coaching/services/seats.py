"""How many learners somebody coaches at a time, over all cohorts."""

from datetime import datetime

from django.db import transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Cohort, Member, Person, Plan, Waiting
from coaching.services import audit, departures

MOST_SEATS = 50


class OutOfRange(CoachingError):
    message = said("Somebody can take from 0 to %(most)s learners at a time.", most=MOST_SEATS)


class HasLeft(CoachingError):
    pass


@transaction.atomic
def change(*, person: Person, seats: int, by: Person | None, now: datetime) -> int:
    """
    Give somebody so many seats. Returns how many they had.

    1. running cohorts follow, also where their plan gave this coach another number,
    2. with more seats, whoever waits there without a proposal is looked at again at once,
    3. with fewer, nobody is proposed to them unseen; running pairs go on.

    Plans that are still drafts follow when they are solved again, unless they say otherwise.

    :raises OutOfRange, HasLeft:
    """
    if not 0 <= seats <= MOST_SEATS:
        raise OutOfRange
    # Locked until the end, as by whoever takes the last seat.
    before = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if not before.active:
        raise HasLeft(said("%(name)s has left and coaches nobody.", name=person.name))
    running = Plan.objects.filter(
        state=Plan.State.LAUNCHED,
        cohort__state=Cohort.State.LIVE,
        cohort__members__person=person,
        cohort__members__side=Member.Side.COACH,
    )
    differing = [
        plan
        for plan in running.select_for_update(of=("self",)).order_by("pk")
        if plan.capacities.get(person.public_id, seats) != seats
    ]
    if before.capacity == seats and not differing:
        return seats
    for plan in differing:
        plan.capacities = {**plan.capacities, person.public_id: seats}
        plan.save(update_fields=["capacities"])
    Person.objects.filter(pk=person.pk).update(capacity=seats)
    person.capacity = seats
    departures.forget_proposals(person)
    Waiting.objects.filter(
        settled_at=None, proposal__isnull=True, cohort__in=running.values("cohort")
    ).update(proposed_at=None)
    audit.record(
        "seats changed", person, by=by, now=now, team=person.team, old=before.capacity, new=seats
    )
    return before.capacity
