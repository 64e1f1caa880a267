"""One strong coach before several learners of one skill, once."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Clinic, Cohort, Metric, Pair, Person
from coaching.notifications import messages, outbox
from coaching.services import audit

FURTHEST = timedelta(weeks=26)
SHORTEST, LONGEST = 15, 480
MOST_PAIRS = 30


class ClinicRefused(CoachingError):
    """`field` names what has to change."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@transaction.atomic
def plan(
    *,
    cohort: Cohort,
    metric: Metric,
    led_by: Person,
    pairs: Iterable[Pair],
    starts_at: datetime,
    by: Person,
    now: datetime,
    minutes: int = 60,
    place: str = "",
    note: str = "",
) -> Clinic:
    """
    Fix a clinic and invite who leads it and who learns there; nobody is told who else comes.

    :raises ClinicRefused:
    """
    pairs = list(pairs)
    if not now < starts_at <= now + FURTHEST:
        raise ClinicRefused(
            "starts_at", said("Choose a time that is still to come, within half a year.")
        )
    if not SHORTEST <= minutes <= LONGEST:
        raise ClinicRefused(
            "minutes",
            said(
                "A clinic lasts from %(shortest)s to %(longest)s minutes.",
                shortest=SHORTEST,
                longest=LONGEST,
            ),
        )
    if not led_by.active:
        raise ClinicRefused("led_by", said("%(name)s has left.", name=led_by.name))
    if not 1 <= len(pairs) <= MOST_PAIRS:
        raise ClinicRefused("pairs", said("Invite from one to %(most)s pairs.", most=MOST_PAIRS))
    for pair in pairs:
        if (pair.cohort_id, pair.metric_id) != (cohort.pk, metric.pk) or not pair.is_active:
            raise ClinicRefused(
                "pairs",
                said(
                    "%(learner)s does not work on %(metric)s in this cohort.",
                    learner=pair.learner.name,
                    metric=metric.name,
                ),
            )
        if pair.learner_id == led_by.pk:
            raise ClinicRefused(
                "led_by",
                said("%(name)s would lead a clinic they learn in.", name=led_by.name),
            )
    clinic = Clinic.objects.create(
        cohort=cohort,
        metric=metric,
        led_by=led_by,
        starts_at=starts_at,
        minutes=minutes,
        place=place.strip()[:200],
        note=note.strip()[:300],
        made_by=by,
        made_at=now,
    )
    clinic.pairs.set(pairs)
    invited = [messages.clinic(clinic, led_by, what="planned", pair=None, now=now)]
    invited += [
        messages.clinic(clinic, pair.learner, what="planned", pair=pair, now=now) for pair in pairs
    ]
    outbox.promise(invited, now=now)
    audit.record(
        "clinic planned", clinic, by=by, now=now, team=cohort.team,
        metric=metric.key, learners=len(pairs), starts_at=starts_at.isoformat(),
    )  # fmt: skip
    return clinic


@transaction.atomic
def join(*, clinic: Clinic, pair: Pair, by: Person, now: datetime) -> None:
    """
    One learner more at a clinic that is planned already; joining twice is joining once.

    :raises ClinicRefused:
    """
    if clinic.withdrawn_at or clinic.starts_at <= now:
        raise ClinicRefused("clinic", said("This clinic is over, or was called off."))
    if (pair.cohort_id, pair.metric_id) != (clinic.cohort_id, clinic.metric_id):
        raise ClinicRefused(
            "clinic", said("This clinic is about another skill, or of another cohort.")
        )
    if pair.learner_id == clinic.led_by_id:
        raise ClinicRefused("clinic", said("%(name)s leads this clinic.", name=clinic.led_by.name))
    clinic.pairs.add(pair)
    outbox.promise(
        [messages.clinic(clinic, pair.learner, what="planned", pair=pair, now=now)], now=now
    )
    audit.record(
        "clinic joined", clinic, by=by, now=now, team=clinic.cohort.team, pair=pair.public_id
    )


@transaction.atomic
def withdraw(*, clinic: Clinic, by: Person, now: datetime) -> None:
    """Call a clinic off and take it out of the calendars; calling it off twice is harmless."""
    planned = Clinic.objects.filter(pk=clinic.pk, withdrawn_at=None)
    if planned.update(withdrawn_at=now, sequence=clinic.sequence + 1) != 1:
        return
    clinic.refresh_from_db()
    invited = [messages.clinic(clinic, clinic.led_by, what="withdrawn", pair=None, now=now)]
    invited += [
        messages.clinic(clinic, pair.learner, what="withdrawn", pair=pair, now=now)
        for pair in clinic.pairs.active().select_related("learner")
    ]
    outbox.promise(invited, now=now)
    audit.record("clinic withdrawn", clinic, by=by, now=now, team=clinic.cohort.team)
