from datetime import date, timedelta

from django.db.models import Case, IntegerField, Max, Prefetch, Q, QuerySet, Value, When

from coaching.models import Event, Look, Pair, Person, Reading, Session
from coaching.queries import access

WEEKS_BEFORE = timedelta(weeks=6)
BOARD_ORDER = (
    Pair.State.STUCK,
    Pair.State.AT_RISK,
    Pair.State.ON_TRACK,
    Pair.State.PASSED,
    Pair.State.ENDED,
)


def visible_to(person: Person) -> QuerySet[Pair]:
    """
    The pairs one is half of, and the pairs of learners in teams one manages.

    The coach's manager does not see them: that X coaches Y says something about Y.
    """
    return Pair.objects.filter(
        Q(learner=person) | Q(coach=person) | access.managed(person, "learner__team__path")
    ).select_related("learner__team", "coach__team", "metric", "cohort")


def with_progress(pairs: QuerySet[Pair]) -> QuerySet[Pair]:
    """Pairs with their looks and last session, in a fixed number of queries."""
    return pairs.annotate(last_session=Max("sessions__held_on")).prefetch_related(
        Prefetch("looks", queryset=Look.objects.order_by("week"))
    )


def mine(person: Person) -> QuerySet[Pair]:
    """The pairs a person is half of, those still swimming first."""
    return with_progress(
        Pair.objects.filter(Q(learner=person) | Q(coach=person)).select_related(
            "learner__team", "coach__team", "metric", "cohort"
        )
    ).order_by("ended_at", "passed_at", "pk")


def on_board(pairs: QuerySet[Pair]) -> QuerySet[Pair]:
    """As the live board reads them: who needs somebody first, then who waits longest."""
    urgency = Case(
        *(When(state=state, then=Value(place)) for place, state in enumerate(BOARD_ORDER)),
        output_field=IntegerField(),
    )
    return with_progress(pairs).order_by(urgency, "state_since", "pk")


def readings_of(pair: Pair, reader: Person) -> list[Reading]:
    """
    The weeks of a pair's progress picture, oldest first.

    Weeks before the launch are the learner's own affair and their managers';
    the coach gets the way to the target.
    """
    since = pair.counts_from
    if reader.pk != pair.coach_id:
        since -= WEEKS_BEFORE
    return list(
        Reading.objects.filter(
            person=pair.learner_id, metric=pair.metric_id, period__gte=since
        ).order_by("period")
    )


def sessions_of(pair: Pair) -> list[Session]:
    """Oldest first."""
    return list(pair.sessions.select_related("logged_by"))


def manages(reader: Person, pair: Pair) -> bool:
    """Whether the reader sees the pair as a manager and not as half of it."""
    if reader.pk in (pair.learner_id, pair.coach_id):
        return False
    if access.sees_everything(reader):
        return True
    team = pair.learner.team
    return team is not None and any(
        team.path.startswith(path) for path in access.managed_paths(reader)
    )


def history(pair: Pair) -> QuerySet[Event]:
    """What happened to a pair besides its sessions, newest first; for its managers."""
    return (
        Event.objects.filter(subject_type="pair", subject_id=pair.public_id)
        .exclude(verb="session logged")
        .select_related("actor")
    )


def next_step(pair: Pair, reader: Person, *, today: date) -> str:
    """The one thing to do next, in a sentence."""
    partner = pair.partner_of(reader).first_name
    if pair.state == Pair.State.PASSED:
        return f"Done. Thank {partner}, and keep it up."
    if not pair.is_active:
        return "Nothing: this pair has ended."
    if pair.last_session is None:
        return f"Agree on a first session with {partner}."
    days = (today - pair.last_session).days
    if days >= 7:
        return f"Your last session was {days} days ago: agree on the next one with {partner}."
    return f"Try what you agreed with {partner}, and note how it went."
