"""Somebody leaves, is away, or ends a pair: the partner is freed, told and looked after at once."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import (
    Case,
    Cohort,
    HandRaise,
    Helper,
    Leave,
    Letter,
    Pair,
    Person,
    Waiting,
)
from coaching.models.base import in_english
from coaching.notifications import messages, outbox
from coaching.queries import waiting as waiting_queries
from coaching.services import audit, cohorts, sessions

# A coach who is away for longer than this gives the learner free.
LONG = timedelta(days=14)
# Letters that make no sense once a pair has ended; what was decided is told all the same.
OF_SWIMMERS = (
    Letter.Kind.INVITATION,
    Letter.Kind.REMINDER,
    Letter.Kind.ESCALATION,
    Letter.Kind.HELPER,
)
# Why the learner waits, by how the pair ended; after other endings nobody does.
WAITS = {
    Pair.Ending.LEFT: Waiting.Why.LEFT,
    Pair.Ending.AWAY: Waiting.Why.AWAY,
    Pair.Ending.DECLINED: Waiting.Why.DECLINED,
    Pair.Ending.REDIRECTED: Waiting.Why.REDIRECTED,
}
# Endings of which both are told by the decision itself.
DECIDED = (Pair.Ending.ACCEPTED, Pair.Ending.REDIRECTED)


class NotActive(CoachingError):
    message = said("This pair has come to its end already.")


class NotYours(CoachingError):
    message = said(
        "Only the two of a pair can end it here; a manager decides it on the pair's case."
    )


class WrongWay(CoachingError):
    message = said("The last day lies before the first. Turn them round.")


class Over(CoachingError):
    message = said("These days are over already; only days to come can be noted.")


class Noted(CoachingError):
    pass


# -- one pair ----------------------------------------------------------------------------


@transaction.atomic
def release(
    *, pair: Pair, ending: str, why: str, by: Person | None, now: datetime
) -> Waiting | None:
    """
    End an active pair other than by a pass. Returns the place in line of its learner, who
    keeps metric, target and progress; None when they do not go on.

    1. the pair ends and its seat is free,
    2. letters and planned sessions are withdrawn, helpers step back, an open case closes,
    3. the learner waits for another coach, if they are there and this was not the end of it,
    4. the other side is told in neutral words, unless a decision tells both.

    why : one sentence for the audit trail; nobody else reads it

    :raises NotActive:
    """
    # The cohort first, as everywhere: taking a launch back holds it while it ends its pairs.
    Cohort.objects.select_for_update().get(pk=pair.cohort_id)
    ended = Pair.objects.active().filter(pk=pair.pk)
    if (
        ended.update(
            state=Pair.State.ENDED,
            ending=ending,
            ended_at=now,
            ended_by=by,
            state_since=now,
            revision=F("revision") + 1,
        )
        != 1
    ):
        raise NotActive
    pair.refresh_from_db()
    outbox.withdraw(pair.letters.filter(kind__in=OF_SWIMMERS), why="The pair has ended.")
    sessions.withdraw_all(pair, said("The pair has ended."), now)
    Helper.objects.filter(pair=pair, until=None).update(until=now)
    place = _in_line(pair, now=now) if ending in WAITS and pair.learner.active else None
    Case.objects.filter(pair=pair, decided_at=None).update(
        decision=Case.Decision.REDIRECT if place else Case.Decision.ACCEPT,
        decided_at=now,
        decided_by=by,
        note=why,
    )
    if ending not in DECIDED:
        others = [person for person in (pair.learner, pair.coach) if person != by and person.active]
        outbox.promise(
            [messages.left(pair, reader, waits=place is not None) for reader in others], now=now
        )
        if place:
            _tell_deciders(place, now=now)
    audit.record(
        f"pair ended: {in_english(Pair.Ending(pair.ending).label).lower()}",
        pair, by=by, now=now, team=pair.learner.team, why=why,
    )  # fmt: skip
    if place is None:
        cohorts.close_if_finished(pair.cohort, now=now)
    return place


def _in_line(pair: Pair, *, now: datetime) -> Waiting:
    last = pair.cohort.waiting.aggregate(last=Max("place"))["last"] or 0
    place, _ = Waiting.objects.get_or_create(
        cohort=pair.cohort,
        learner=pair.learner,
        metric=pair.metric,
        settled_at=None,
        defaults={"why": WAITS[pair.ending], "after": pair, "place": last + 1, "since": now},
    )
    return place


def _tell_deciders(place: Waiting, *, now: datetime) -> None:
    outbox.tell(
        [
            messages.notice_of(
                reader,
                said("%(learner)s waits for a coach.", learner=place.learner.name),
                link=f"/cohorts/{place.cohort.public_id}/waiting/",
                key=f"wai:{place.pk}:{reader.public_id}",
            )
            for reader in waiting_queries.deciders(place.cohort)
        ],
        now=now,
    )


@transaction.atomic
def end_pair(*, pair: Pair, by: Person, now: datetime) -> None:
    """
    One of the two ends the pair. Nobody asks why; the learner is found another coach.

    :raises NotYours, NotActive:
    """
    if by.pk not in (pair.learner_id, pair.coach_id):
        raise NotYours
    release(
        pair=pair, ending=Pair.Ending.DECLINED, why=said("Ended by one of the two."), by=by, now=now
    )


# -- a person ----------------------------------------------------------------------------


@transaction.atomic
def leaves(*, person: Person, by: Person | None, now: datetime) -> int:
    """
    Somebody has left for good: everything they were part of goes on without them. Returns how
    many pairs that ended. Doing it twice is doing it once.
    """
    here = Person.objects.filter(pk=person.pk, active=True).update(active=False, calendar_key="")
    person.active, person.calendar_key = False, ""
    gone = said("%(name)s has left.", name=person.name)
    ended = _release_all(_pairs_of(person), Pair.Ending.LEFT, gone, by=by, now=now)
    _stop_waiting(person, gone, now=now)
    forget_proposals(person)
    Helper.objects.filter(person=person, until=None).update(until=now)
    HandRaise.objects.filter(person=person, lowered_at=None).update(lowered_at=now)
    outbox.withdraw(Letter.objects.filter(recipient=person), why=gone)
    if here or ended:
        audit.record("person left", person, by=by, now=now, team=person.team, pairs=ended)
    return ended


def _pairs_of(person: Person, *, as_coach_only: bool = False) -> list[Pair]:
    mine = Q(coach=person) if as_coach_only else Q(coach=person) | Q(learner=person)
    # By cohort, so that two departures wait for each other and not both at once.
    return list(Pair.objects.active().filter(mine).order_by("cohort", "pk"))


def _release_all(
    pairs: Iterable[Pair], ending: str, why: str, *, by: Person | None, now: datetime
) -> int:
    count = 0
    for pair in pairs:
        try:
            release(pair=pair, ending=ending, why=why, by=by, now=now)
        except NotActive:
            # Passed or ended in this very moment: all the better.
            continue
        count += 1
    return count


def _stop_waiting(person: Person, why: str, *, now: datetime) -> None:
    rows = Waiting.objects.filter(learner=person, settled_at=None)
    touched = list(Cohort.objects.filter(pk__in=rows.values("cohort")).select_related("team"))
    rows.update(settled_at=now, outcome=Waiting.Outcome.DROPPED, note=why)
    for cohort in touched:
        cohorts.close_if_finished(cohort, now=now)


def forget_proposals(coach: Person) -> None:
    """A coach cannot be had any more: whoever they were proposed to is proposed another one."""
    Waiting.objects.filter(settled_at=None, proposal__coach=coach.public_id).update(
        proposal=None, proposed_at=None
    )


# -- days away ---------------------------------------------------------------------------


@transaction.atomic
def away(
    *, person: Person, first_day: date, last_day: date | None, by: Person, now: datetime
) -> Leave:
    """
    Note days on which somebody is away: the clocks of their pairs stand still and their letters
    wait. A coach who is away for more than 14 days gives the learner free on the first of them.

    last_day : None until further notice

    :raises WrongWay, Over, Noted:
    """
    if last_day is not None and last_day < first_day:
        raise WrongWay
    if last_day is not None and last_day < _today(person, now):
        raise Over
    # One at a time for a person, so that the same days are not noted twice.
    Person.objects.select_for_update().get(pk=person.pk)
    meanwhile = Q(last_day=None) | Q(last_day__gte=first_day)
    until = Q(first_day__lte=last_day) if last_day else Q()
    other = Leave.objects.filter(meanwhile, until, person=person).first()
    if other is not None:
        if (other.first_day, other.last_day) == (first_day, last_day):
            return other
        raise Noted(
            said(
                "%(name)s is away from %(first)s to %(last)s already. Take that back first.",
                name=person.name,
                first=other.first_day,
                last=other.last_day,
            )
            if other.last_day
            else said(
                "%(name)s is away from %(first)s until further notice already. Take that back "
                "first.",
                name=person.name,
                first=other.first_day,
            )
        )
    leave = Leave.objects.create(
        person=person, first_day=first_day, last_day=last_day, noted_by=by, noted_at=now
    )
    audit.record(
        "leave noted", person, by=by, now=now, team=person.team,
        first_day=str(first_day), last_day=str(last_day or ""),
    )  # fmt: skip
    _give_free(leave, by=by, now=now)
    return leave


@transaction.atomic
def back(*, leave: Leave, by: Person, now: datetime) -> None:
    """
    Somebody is back, or does not go: the leave ends yesterday, or has never been.

    Pairs that ended by it stay so; their learners may have another coach by now.

    :raises Over:
    """
    today = _today(leave.person, now)
    if leave.last_day is not None and leave.last_day < today:
        raise Over
    if leave.first_day >= today:
        leave.delete()
    else:
        Leave.objects.filter(pk=leave.pk).update(last_day=today - timedelta(days=1))
    person = leave.person
    audit.record(
        "leave taken back", person, by=by, now=now, team=person.team,
        first_day=str(leave.first_day), last_day=str(leave.last_day or ""),
    )  # fmt: skip


def is_long(leave: Leave) -> bool:
    return leave.last_day is None or leave.last_day - leave.first_day >= LONG


def _today(person: Person, now: datetime) -> date:
    return now.astimezone(person.zone).date()


def _give_free(leave: Leave, *, by: Person | None, now: datetime) -> int:
    """End the pairs a coach cannot look after, once the long leave has begun."""
    coach, today = leave.person, _today(leave.person, now)
    over = leave.last_day is not None and leave.last_day < today
    if not is_long(leave) or leave.first_day > today or over:
        return 0
    forget_proposals(coach)
    return _release_all(
        _pairs_of(coach, as_coach_only=True),
        Pair.Ending.AWAY,
        said("%(name)s is away for more than %(days)s days.", name=coach.name, days=LONG.days),
        by=by,
        now=now,
    )


def follow_up(*, now: datetime) -> int:
    """
    The drill for whatever nobody pressed a button for: long leaves that begin, and people who
    were made inactive some other way. Returns how many pairs ended.
    """
    gone = Person.objects.filter(active=False)
    halves = Pair.objects.active().filter(Q(learner__in=gone) | Q(coach__in=gone))
    waits = Waiting.objects.filter(learner__in=gone, settled_at=None)
    left = gone.filter(
        Q(pk__in=halves.values("learner"))
        | Q(pk__in=halves.values("coach"))
        | Q(pk__in=waits.values("learner"))
    )
    ended = sum(leaves(person=person, by=None, now=now) for person in left.order_by("pk"))
    # A day either way: it is another day elsewhere.
    nearly = now.date() + timedelta(days=1)
    begun = Leave.objects.filter(
        Q(last_day=None) | Q(last_day__gte=now.date() - timedelta(days=1)),
        first_day__lte=nearly,
        person__in=Pair.objects.active().values("coach"),
    )
    for leave in begun.select_related("person").order_by("pk"):
        with transaction.atomic():
            ended += _give_free(leave, by=None, now=now)
    return ended
