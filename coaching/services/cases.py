"""
Stuck pairs: put before somebody, taken one level up when nobody answers, decided openly.

A case is open once for each time a pair gets stuck. It ends by a decision with a reason that
both of the pair read, or by the pair moving again; never in silence.
"""

import logging
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F

from coaching.domain import progress
from coaching.domain.said import Said, said
from coaching.errors import CoachingError
from coaching.models import Case, Clinic, Cohort, Letter, Metric, Pair, Person, TargetChange
from coaching.models.base import in_english
from coaching.notifications import messages, outbox
from coaching.queries import cases as case_queries
from coaching.services import audit, clinics, cohorts, departures, helping, waiting

logger = logging.getLogger(__name__)

FEWEST_WEEKS, USUAL_WEEKS, MOST_WEEKS = 1, 4, 26
# Nobody could be asked: look again for somebody so much later.
ASK_AGAIN = timedelta(days=1)
LONGEST_NOTE = 2000


# -- opening, and one level up ---------------------------------------------------------------


def open(pair: Pair, clock: str, why: str, now: datetime) -> Case:
    """
    Put a stuck pair before its nearest manager, in the caller's transaction.

    A manager who is half of the pair, or away, is passed over; above the last one is HR.
    """
    case = Case.objects.create(
        pair=pair, episode=pair.cases.count() + 1, clock=clock, opened_at=now
    )
    _ask(case, why=why, now=now)
    return case


def escalate_due(*, now: datetime) -> int:
    """Take cases that nobody answered in three working days one level up; returns how many."""
    due = Case.objects.filter(decided_at=None, escalates_at__lte=now).select_related(
        "pair__learner__team", "pair__coach", "pair__metric", "pair__cohort"
    )
    return sum(_escalate(case, now=now) for case in due.order_by("escalates_at", "pk"))


@transaction.atomic
def _escalate(case: Case, *, now: datetime) -> bool:
    mine = Case.objects.filter(
        pk=case.pk, decided_at=None, level=case.level, escalates_at=case.escalates_at
    )
    # Only the sweep that still sees the old level may raise it.
    if mine.update(level=F("level") + 1, escalates_at=None) != 1:
        return False
    case.refresh_from_db(fields=["level", "escalates_at"])
    why = said("%(verdict)s Nobody has answered so far.", verdict=_why(case))
    asked = _ask(case, why=why, now=now)
    audit.record(
        "case escalated", case.pair, by=None, now=now, team=case.pair.learner.team,
        level=case.level, to=[person.name for person in asked],
    )  # fmt: skip
    return bool(asked)


def _why(case: Case) -> Said:
    return {
        Case.Clock.ACTIVITY: said("No sessions."),
        Case.Clock.OUTCOME: said("Sessions, but no movement."),
        Case.Clock.READINGS: said("No readings."),
    }[Case.Clock(case.clock)]


def _ask(case: Case, *, why: str, now: datetime) -> list[Person]:
    """Write to the next one who has not been asked in this episode; to all of HR at the end."""
    pair = case.pair
    letters = Letter.objects.filter(dedupe_key__startswith=f"esc:{pair.public_id}:{case.episode}:")
    known = set(letters.values_list("recipient_id", flat=True))
    left = [person for person in case_queries.deciders_of(pair, now=now) if person.pk not in known]
    asked = left[:1]
    last = bool(left) and left[0].access == Person.Access.HR
    if last:
        asked = [person for person in left if person.access == Person.Access.HR]
    if not left:
        logger.error("Nobody can decide about pair %s; there is no HR.", pair.public_id)
    # HR is the last; when there was nobody at all, somebody may be hired.
    case.escalates_at = None
    if asked and not last:
        case.escalates_at = case_queries.answers_by(asked[0], now=now)
    elif not asked and not known:
        case.escalates_at = now + ASK_AGAIN
    case.save(update_fields=["escalates_at"])
    outbox.promise(
        [
            messages.escalation(case, reader, why=why, urgent_at=now if last else None)
            for reader in asked
        ],
        now=now,
    )
    return asked


def asked_in(case: Case) -> list[Letter]:
    """The letters of a case, to whom it has gone so far, oldest first."""
    letters = Letter.objects.filter(
        dedupe_key__startswith=f"esc:{case.pair.public_id}:{case.episode}:"
    )
    return list(letters.select_related("recipient").order_by("created_at", "pk"))


def recovered(pair: Pair, *, why: str, now: datetime) -> None:
    """The pair moves again by itself; in the caller's transaction."""
    _close(pair, Case.Decision.RECOVERED, by=None, note=why, now=now)


def _close(
    pair: Pair, decision: str, *, by: Person | None, note: str, now: datetime
) -> Case | None:
    open_cases = Case.objects.filter(pair=pair, decided_at=None)
    case = open_cases.first()
    if case is None or (
        open_cases.filter(pk=case.pk).update(
            decision=decision, decided_at=now, decided_by=by, note=note, escalates_at=None
        )
        != 1
    ):
        return None
    letters = Letter.objects.filter(dedupe_key__startswith=f"esc:{pair.public_id}:{case.episode}:")
    outbox.withdraw(letters, why="The case is decided.")
    case.refresh_from_db()
    case.pair = pair
    return case


# -- deciding ----------------------------------------------------------------------------------


class NoReason(CoachingError):
    message = said("Say in a sentence why; both of them will read it.")


class CaseDecided(CoachingError):
    message = said("This case has been decided already.")


class NoSuchDecision(CoachingError):
    message = said("Choose everything we have, another way, or to end it here.")


class OwnPair(CoachingError):
    message = said("Nobody decides about a pair they are half of. It lies with the next one up.")


class MeansRefused(CoachingError):
    """`field` names what has to change."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class NewClinic:
    """A clinic to be planned with a decision; the case's own pair always joins."""

    led_by: Person
    starts_at: datetime
    minutes: int = 60
    place: str = ""
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Means:
    """
    What a decision does, besides starting the clocks again.

    weeks : by which the test moves, for everything
    helper, clinic, new_clinic : for everything, as many of them as wanted
    other_coach : for another way; `coach` when it is known who, otherwise the next best is
        proposed
    target : for another way, on the working scale
    """

    weeks: int = USUAL_WEEKS
    helper: Person | None = None
    clinic: Clinic | None = None
    new_clinic: NewClinic | None = None
    other_coach: bool = False
    coach: Person | None = None
    target: float | None = None


@transaction.atomic
def decide(
    *,
    case: Case,
    decision: str,
    note: str,
    by: Person,
    now: datetime,
    means: Means = Means(),
) -> Case:
    """
    Decide a case, once, and tell both sides.

    'everything' starts the clocks again, moves the test, and brings a helper or a clinic;
    'redirect' goes on with another coach or with another target;
    'accept' ends the pair, openly.

    :raises NoSuchDecision, NoReason, OwnPair, MeansRefused, CaseDecided:
    :raises CoachingError: what the helper, the clinic or the coach refuse
    """
    if decision not in (
        Case.Decision.EVERYTHING, Case.Decision.REDIRECT, Case.Decision.ACCEPT
    ):  # fmt: skip
        raise NoSuchDecision
    note = note.strip()[:LONGEST_NOTE]
    if not note:
        raise NoReason
    if by.pk in (case.pair.learner_id, case.pair.coach_id):
        raise OwnPair
    # The cohort, the pair, then the case, as the sweeps do: who comes second waits, then sees.
    Cohort.objects.select_for_update().get(pk=case.pair.cohort_id)
    changed = Pair.objects.active().filter(pk=case.pair_id).update(revision=F("revision") + 1)
    if changed != 1:
        raise CaseDecided
    pair = (
        Pair.objects.select_related("learner__team", "coach__team", "metric", "cohort__team")
        .prefetch_related("looks")
        .get(pk=case.pair_id)
    )
    decided = _close(pair, decision, by=by, note=note, now=now)
    if decided is None or decided.pk != case.pk:
        raise CaseDecided
    does = {
        Case.Decision.EVERYTHING: _everything,
        Case.Decision.REDIRECT: _redirect,
        Case.Decision.ACCEPT: _accept,
    }[decision]
    outcome = does(decided, means, by=by, now=now)
    Case.objects.filter(pk=decided.pk).update(means=outcome.stored)
    decided.means = outcome.stored
    outbox.promise(
        [
            messages.decided(decided, reader, **outcome.told)
            for reader in (pair.learner, pair.coach)
        ],
        now=now,
    )
    audit.record(
        f"case decided: {in_english(Case.Decision(decided.decision).label).lower()}",
        pair, by=by, now=now, team=pair.learner.team, note=note, **outcome.stored,
    )  # fmt: skip
    cohorts.close_if_finished(pair.cohort, now=now)
    return decided


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a decision did: as it is stored with the case, and in words for both."""

    stored: dict = field(default_factory=dict)
    told: dict = field(default_factory=dict)


def _today(pair: Pair, now: datetime) -> date:
    return now.astimezone(pair.learner.zone).date()


def _go_on(pair: Pair, *, weeks: int, now: datetime, **changes: object) -> None:
    """The clocks start again, and the test moves."""
    today = _today(pair, now)
    changes |= {
        "state": Pair.State.AT_RISK,
        "state_since": now,
        "clocks_from": today,
        "next_check_at": now + timedelta(days=1),
        "test_date": max(pair.test_date, today) + timedelta(weeks=weeks),
    }
    Pair.objects.filter(pk=pair.pk).update(**changes)
    for name, value in changes.items():
        setattr(pair, name, value)


def _check_weeks(weeks: int) -> None:
    if not FEWEST_WEEKS <= weeks <= MOST_WEEKS:
        raise MeansRefused(
            "weeks",
            said("Give from %(least)s to %(most)s weeks.", least=FEWEST_WEEKS, most=MOST_WEEKS),
        )


def _everything(case: Case, means: Means, *, by: Person, now: datetime) -> _Outcome:
    pair = case.pair
    _check_weeks(means.weeks)
    _go_on(pair, weeks=means.weeks, now=now)
    outcome = _Outcome({"weeks": means.weeks}, {"weeks": means.weeks})
    if means.helper:
        helping.invite(pair=pair, person=means.helper, by=by, now=now)
        outcome.stored["helper"] = means.helper.public_id
        outcome.told["helper"] = means.helper.name
    clinic = means.clinic
    if clinic:
        clinics.join(clinic=clinic, pair=pair, by=by, now=now)
    elif means.new_clinic:
        new = means.new_clinic
        others = [other for other in new.pairs if other.pk != pair.pk]
        clinic = clinics.plan(
            cohort=pair.cohort, metric=pair.metric, led_by=new.led_by, pairs=[pair, *others],
            starts_at=new.starts_at, minutes=new.minutes, place=new.place, by=by, now=now,
        )  # fmt: skip
    if clinic:
        outcome.stored["clinic"] = clinic.public_id
        outcome.told["clinic"] = clinic.starts_at.astimezone(pair.learner.zone).date()
    return outcome


def _redirect(case: Case, means: Means, *, by: Person, now: datetime) -> _Outcome:
    if means.target is not None and (means.coach or means.other_coach):
        raise MeansRefused("target", said("Choose another coach or another target; one at a time."))
    if means.target is not None:
        return _to_target(case, means, by=by, now=now)
    if means.coach or means.other_coach:
        return _to_coach(case, means, by=by, now=now)
    raise MeansRefused("target", said("Say which other way: another coach, or another target."))


def _to_target(case: Case, means: Means, *, by: Person, now: datetime) -> _Outcome:
    pair, target = case.pair, means.target
    _check_weeks(means.weeks)
    refusal = why_no_target(pair, target)
    if refusal:
        raise MeansRefused("target", refusal)
    TargetChange.objects.create(
        pair=pair, old=pair.target, new=target, reason=case.note, by=by, at=now
    )
    told = {"old_target": pair.target_text, "weeks": means.weeks}
    stored = {"target": target, "old_target": pair.target, "weeks": means.weeks}
    _go_on(
        pair,
        weeks=means.weeks,
        now=now,
        target=target,
        stretch=progress.stretch_line(baseline=pair.baseline, target=target),
    )
    return _Outcome(stored, {**told, "new_target": pair.target_text})


def why_no_target(pair: Pair, target: float) -> str:
    """Why a value of the working scale cannot be a pair's target; empty when it can."""
    sign, metric = pair.metric.sign, pair.metric
    if target == pair.target:
        return said("That is the target they have.")
    if sign * (target - pair.baseline) <= 0:
        return said("The target must lie beyond the start, %(start)s.", start=pair.baseline_text)
    value = metric.in_units(target)
    top = 1.0 if metric.kind == Metric.Kind.PROPORTION else metric.upper
    bottom = 0.0 if metric.kind != Metric.Kind.MEAN else metric.lower
    if (top is not None and value > top) or (bottom is not None and value < bottom):
        return said("%(metric)s has no such value.", metric=metric.name)
    looks = sorted(pair.looks.all(), key=lambda look: look.week)
    if looks:
        last = looks[-1]
        chance = progress.p_at_target(level=last.level, se=last.se, target=target, sign=sign)
        if chance >= progress.REACHED:
            return said(
                "At %(level)s they are very likely there already. To end it here, say so openly "
                "instead.",
                level=pair.read(last.level),
            )
    return ""


def _to_coach(case: Case, means: Means, *, by: Person, now: datetime) -> _Outcome:
    pair = case.pair
    if means.coach and means.coach.pk in (pair.coach_id, pair.learner_id):
        raise MeansRefused(
            "coach", said("%(name)s is half of this pair already.", name=means.coach.name)
        )
    place = departures.release(
        pair=pair, ending=Pair.Ending.REDIRECTED, why=case.note, by=by, now=now
    )
    stored: dict = {"other_coach": True}
    told: dict = {"coach_now": ""}
    if means.coach and place:
        waiting.accept(waiting=place, coach=means.coach, by=by, now=now)
        stored["coach"] = means.coach.public_id
        told["coach_now"] = means.coach.name
    return _Outcome(stored, told)


def _accept(case: Case, means: Means, *, by: Person, now: datetime) -> _Outcome:
    departures.release(pair=case.pair, ending=Pair.Ending.ACCEPTED, why=case.note, by=by, now=now)
    return _Outcome()


# -- asking for help -----------------------------------------------------------------------------


class NotSwimming(CoachingError):
    message = said("This pair is not active any more.")


class NotYours(CoachingError):
    message = said("Only the two of a pair ask for help with it.")


class NobodyToAsk(CoachingError):
    message = said("There is nobody above this pair who could help. Ask whoever runs Lanemate.")


@transaction.atomic
def ask_for_help(*, pair: Pair, by: Person, note: str, now: datetime) -> Person:
    """
    Tell the nearest manager that one of the two would like help; returns who was asked.

    Nothing else changes, and the other one is not told. Asking again on the same day is asking
    once.

    :raises NotSwimming, NotYours, NobodyToAsk:
    """
    if by.pk not in (pair.learner_id, pair.coach_id):
        raise NotYours
    if not pair.is_active:
        raise NotSwimming
    deciders = case_queries.deciders_of(pair, now=now)
    if not deciders:
        raise NobodyToAsk
    note = note.strip()[:LONGEST_NOTE]
    outbox.promise([messages.help_asked(pair, deciders[0], by=by, note=note, now=now)], now=now)
    # What was written is for the one who was asked, and stands in no log.
    audit.record("help asked", pair, by=by, now=now, team=pair.learner.team)
    return deciders[0]
