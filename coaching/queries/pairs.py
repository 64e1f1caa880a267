from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db.models import Case, IntegerField, Max, Min, Prefetch, Q, QuerySet, Value, When

from coaching.domain import cadence, progress
from coaching.domain.said import Dated, Said, said, said_many
from coaching.models import Cohort, Event, Helper, Look, Pair, Person, Reading, Session
from coaching.queries import access, leaves

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
    The pairs one is half of or helps, and the pairs of learners in teams one manages.

    The coach's manager does not see them: that X coaches Y says something about Y.
    """
    helped = Helper.objects.filter(person=person, until=None).values("pair")
    return Pair.objects.filter(
        Q(learner=person)
        | Q(coach=person)
        | Q(pk__in=helped)
        | access.managed(person, "learner__team__path")
    ).select_related("learner__team", "coach__team", "metric", "cohort")


def with_progress(pairs: QuerySet[Pair]) -> QuerySet[Pair]:
    """Pairs with their looks, last session and next planned one, in a fixed number of queries."""
    return pairs.annotate(
        last_session=Max("sessions__held_on"),
        planned_at=Min("sessions__starts_at", filter=Q(sessions__state=Session.State.PLANNED)),
    ).prefetch_related(Prefetch("looks", queryset=Look.objects.order_by("week")))


def with_record(pairs: QuerySet[Pair]) -> QuerySet[Pair]:
    """Pairs with all that `verdict_on` reads, in a fixed number of queries."""
    return pairs.select_related(
        "metric", "cohort__team", "coach__team", "learner__team__manager"
    ).prefetch_related(
        Prefetch("looks", queryset=Look.objects.order_by("week")),
        "sessions",
        "target_changes",
        "learner__leaves",
        "coach__leaves",
    )


def start_of(pair: Pair) -> progress.Start:
    return progress.Start(
        baseline=pair.baseline,
        baseline_se=pair.baseline_se,
        tau2=pair.tau2,
        sigma2=pair.sigma2,
        target=pair.target,
        sign=pair.metric.sign,
    )


def clocks_of(cohort: Cohort) -> progress.Clocks:
    return progress.Clocks(
        first_session_days=cohort.first_session_days,
        next_session_days=cohort.next_session_days,
        readings_days=cohort.readings_days,
        looks_without_movement=cohort.looks_without_movement,
    )


def away_of(pair: Pair) -> list[progress.Away]:
    """The days on which one of the two is away; both people's leaves are prefetched."""
    return [*leaves.spans(pair.learner), *leaves.spans(pair.coach)]


def somebody_away(pair: Pair, day: date) -> bool:
    return any(first <= day and (last is None or day <= last) for first, last in away_of(pair))


def judged_from(pair: Pair) -> int:
    """The number of the first look that counts for a pass: the target may have been moved."""
    changes = list(pair.target_changes.all())
    if not changes:
        return 1
    moved = cadence.week_of(changes[-1].at.astimezone(pair.learner.zone).date())
    return (moved - pair.counts_from).days // 7 + 1


def verdict_on(pair: Pair, *, looks: Sequence[Look], now: datetime) -> progress.Verdict:
    """What a pair of `with_record` comes to with these looks, oldest first."""
    return progress.judge(
        start_of(pair),
        looks=[progress.Look(look.number, look.level, look.p_reached) for look in looks],
        sessions=[session.held_on for session in pair.sessions.all() if session.held_on],
        started_on=pair.counts_from,
        clocks_from=pair.clocks_from,
        test_date=pair.test_date,
        today=now.astimezone(pair.learner.zone).date(),
        clocks=clocks_of(pair.cohort),
        away=away_of(pair),
        judged_from=judged_from(pair),
    )


def mine(person: Person) -> QuerySet[Pair]:
    """The pairs a person is half of, those still swimming first, with sessions and pages."""
    return (
        with_progress(
            Pair.objects.counted()
            .filter(Q(learner=person) | Q(coach=person))
            .select_related("learner__team", "coach__team", "metric", "cohort")
        )
        .prefetch_related("sessions__logged_by", "worksheets")
        .order_by("ended_at", "passed_at", "pk")
    )


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
    the coach and a helper get the way to the target.
    """
    since = pair.counts_from
    if side_of(reader, pair) in ("learner", "manager"):
        since -= WEEKS_BEFORE
    return list(
        Reading.objects.filter(
            person=pair.learner_id, metric=pair.metric_id, period__gte=since
        ).order_by("period")
    )


def side_of(reader: Person, pair: Pair) -> str:
    """As whom somebody who may see a pair sees it: learner, coach, helper or manager."""
    if reader.pk == pair.learner_id:
        return "learner"
    if reader.pk == pair.coach_id:
        return "coach"
    return "manager" if manages(reader, pair) else "helper"


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
        .exclude(verb__startswith="session ")
        .select_related("actor")
    )


def next_step(pair: Pair, reader: Person, *, today: date) -> Said:
    """The one thing to do next, in a sentence."""
    partner = pair.partner_of(reader).first_name
    if pair.state == Pair.State.PASSED:
        return said("Done. Thank %(partner)s, and keep it up.", partner=partner)
    if not pair.is_active:
        return said("Nothing: this pair has ended.")
    planned = getattr(pair, "planned_at", None)
    if planned:
        local = planned.astimezone(reader.zone)
        at = {"day": Dated(local, "weekday"), "time": Dated(local, "time")}
        if local.date() >= today:
            return said("You meet %(partner)s on %(day)s at %(time)s.", partner=partner, **at)
        return said("Say whether your session on %(day)s at %(time)s took place.", **at)
    if pair.last_session is None:
        return said("Agree on a first session with %(partner)s.", partner=partner)
    days = (today - pair.last_session).days
    if days >= 7:
        return said_many(
            "Your last session was %(number)s day ago: agree on the next one with %(partner)s.",
            "Your last session was %(number)s days ago: agree on the next one with %(partner)s.",
            days,
            partner=partner,
        )
    return said("Try what you agreed with %(partner)s, and note how it went.", partner=partner)
