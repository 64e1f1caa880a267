"""
What happens to people in the simulated contact centre: they leave, are away, wait and help.

Everything follows from the centre's own people and days, so that the same
seed gives the same weeks.
"""

from datetime import datetime, timedelta

from coaching.models import Cohort, Leave, Pair, Person, Plan, Waiting
from coaching.queries import helping as helping_queries
from coaching.services import departures, helping, plans, thanks, waiting

# Learners of the first cohort for whom no seat is free at the launch.
SHORT_BY = 2
# Days after the launch on which one coach leaves, and another one goes on a long leave.
ONE_LEAVES = 16
ONE_IS_AWAY = 51
# So long a proposal lies before the head of the centre looks at it.
PATIENCE = timedelta(days=3)
THANKS = (
    "Listening to your calls helped most.",
    "You never made me feel slow.",
    "Your three questions are still beside my screen.",
    "I ask back now before I answer. Thank you.",
)


def make_seats_scarce(plan: Plan, *, by: Person, now: datetime) -> None:
    """Coaches have as many seats as the plan uses, and some of them one fewer."""
    loads: dict[Person, int] = {}
    for draft in plan.draft_pairs.select_related("coach").order_by("-score", "pk"):
        loads[draft.coach] = loads.get(draft.coach, 0) + 1
    idle = plan.cohort.members.filter(side="coach").exclude(person__in=loads)
    tight = [coach for coach, load in loads.items() if load > 1][-SHORT_BY:]
    seats = {row.person: 0 for row in idle.select_related("person")} | loads
    for coach in tight:
        seats[coach] -= 1
    for coach, number in seats.items():
        if number != plan.capacities.get(coach.public_id, coach.capacity):
            plans.set_capacity(plan=plan, coach=coach, seats=number, by=by, now=now)


def happen(*, now: datetime, head: Person) -> None:
    """One morning's events in the cohorts that run."""
    for cohort in Cohort.objects.filter(state=Cohort.State.LIVE).order_by("pk"):
        day = (now - cohort.launched_at).days
        if day == ONE_LEAVES:
            _leave(cohort, head, now=now)
        if day == ONE_IS_AWAY:
            _go_away(cohort, now=now)
        _give_coaches(cohort, head, now=now)
        _help(cohort, head, now=now)
        _thank(cohort, now=now)


def _swimming(cohort: Cohort) -> list[Pair]:
    """Active pairs of people without a login, so that nobody's own page is emptied."""
    rows = Pair.objects.active().filter(cohort=cohort, learner__user=None, coach__user=None)
    return list(rows.select_related("learner__team", "coach", "metric").order_by("coach", "pk"))


def _leave(cohort: Cohort, head: Person, *, now: datetime) -> None:
    pairs = _swimming(cohort)
    if pairs:
        departures.leaves(person=pairs[0].coach, by=head, now=now)


def _go_away(cohort: Cohort, *, now: datetime) -> None:
    pairs = _swimming(cohort)
    away = set(Leave.objects.values_list("person", flat=True))
    asked = {pair.coach_id for pair in pairs if pair.state == Pair.State.STUCK}
    coaches = [pair.coach for pair in reversed(pairs) if pair.coach_id not in away | asked]
    coach = coaches[0] if coaches else None
    if coach:
        departures.away(
            person=coach,
            first_day=now.astimezone(coach.zone).date(),
            last_day=None,
            by=coach,
            now=now,
        )


def _give_coaches(cohort: Cohort, head: Person, *, now: datetime) -> None:
    """The head answers proposals that have waited; nobody is given a coach by a machine."""
    rows = Waiting.objects.filter(
        cohort=cohort, settled_at=None, proposal__isnull=False, proposed_at__lte=now - PATIENCE
    )
    for row in rows.select_related("learner", "cohort").order_by("place", "pk"):
        waiting.accept(waiting=row, by=head, now=now)


def _help(cohort: Cohort, head: Person, *, now: datetime) -> None:
    """Most graduates would help; whoever is stuck or at risk gets the first of them."""
    asked = Pair.objects.filter(cohort=cohort, state=Pair.State.PASSED, would_help=None)
    for pair in asked.filter(learner__user=None).select_related("learner__team").order_by("pk"):
        willing = int(pair.learner.key.encode().hex(), 16) % 5 > 0
        helping.offer(pair=pair, by=pair.learner, now=now, willing=willing)
    needy = [pair for pair in _swimming(cohort) if pair.state != Pair.State.ON_TRACK]
    for pair in needy:
        if helping_queries.helpers_of(pair):
            continue
        graduate = helping_queries.graduates_for(pair).filter(helps=None).first()
        if graduate:
            helping.invite(pair=pair, person=graduate, by=head, now=now)


def _thank(cohort: Cohort, *, now: datetime) -> None:
    """Whoever has passed says thank you, once."""
    silent = Pair.objects.filter(cohort=cohort, state=Pair.State.PASSED, thanks=None)
    for pair in silent.filter(learner__user=None).select_related("learner__team", "coach"):
        words = THANKS[int(pair.learner.key.encode().hex(), 16) % len(THANKS)]
        thanks.say(pair=pair, text=words, by=pair.learner, now=now)
