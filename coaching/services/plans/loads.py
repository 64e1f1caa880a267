"""What coaching asks of each coach, over all running cohorts and this plan."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from coaching.models import Pair, Person, Plan

# One hour together, and half an hour around it: looking at the worksheet, and a note afterwards.
HOURS_A_WEEK = 1.5


@dataclass(frozen=True, slots=True)
class Load:
    """
    seats : learners at a time, in this plan
    busy : learners in running cohorts
    here : learners this plan gives them
    free : seats left after both
    hours : a week, for all of them together
    """

    seats: int
    busy: int
    here: int
    free: int
    hours: float


def of(coaches: Iterable[Person], *, plan: Plan) -> dict[int, Load]:
    """{person id: Load}; two queries for any number of coaches."""
    coaches = list(coaches)
    running = Pair.objects.active().filter(coach__in=[coach.pk for coach in coaches])
    busy = Counter(running.order_by().values_list("coach_id", flat=True))
    # After the launch the plan's own pairs are among the running ones.
    draft = plan.state == Plan.State.DRAFT
    here = Counter(plan.draft_pairs.order_by().values_list("coach_id", flat=True))
    found = {}
    for coach in coaches:
        seats = plan.capacities.get(coach.public_id, coach.capacity)
        before = busy[coach.pk] if draft else max(busy[coach.pk] - here[coach.pk], 0)
        taken = before + here[coach.pk]
        found[coach.pk] = Load(
            seats=seats,
            busy=before,
            here=here[coach.pk],
            free=max(seats - taken, 0),
            hours=HOURS_A_WEEK * taken,
        )
    return found
