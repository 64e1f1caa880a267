"""Readings move pairs: looks are taken, states follow, cases open, cohorts close."""

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Prefetch, QuerySet

from coaching.domain import cadence, progress
from coaching.errors import CoachingError
from coaching.models import Case, Look, Pair, Person, Reading, Session
from coaching.notifications import messages, outbox
from coaching.queries import people
from coaching.services import audit, cohorts

logger = logging.getLogger(__name__)

BATCH = 500
NEXT_CHECK = timedelta(days=1)
MORE_TIME = timedelta(weeks=4)


def check_due(*, now: datetime) -> int:
    """
    Look at every pair that is due: at once after new readings, otherwise daily.

    Returns how many were looked at. Safe to run at any time, any number at once.

    :raises ExceptionGroup: at the end, when pairs could not be judged; they do not keep the
        others waiting
    """
    checked, failures = 0, []
    while True:
        due = list(
            Pair.objects.active()
            .filter(next_check_at__lte=now)
            .select_related("metric", "cohort__team", "coach__team", "learner__team__manager")
            .prefetch_related(Prefetch("looks", queryset=Look.objects.order_by("week")), "sessions")
            .order_by("next_check_at", "pk")[:BATCH]
        )
        if not due:
            break
        _take_looks(due, now=now)
        for pair in due:
            try:
                verdict = verdict_on(pair, looks=pair.all_looks, now=now)
                if verdict.state != pair.state:
                    _settle(pair, verdict, now=now)
            except Exception as failure:
                logger.exception("Pair %s could not be judged", pair.public_id)
                failures.append(failure)
        Pair.objects.filter(pk__in=[pair.pk for pair in due], next_check_at__lte=now).update(
            next_check_at=now + NEXT_CHECK
        )
        checked += len(due)
    if failures:
        raise ExceptionGroup("Some pairs could not be judged; the log has each of them.", failures)
    return checked


def readings_arrived(readings: QuerySet[Reading], *, now: datetime) -> None:
    """Have the pairs whose learners' numbers changed looked at by the next sweep."""
    for metric in set(readings.order_by().values_list("metric_id", flat=True)):
        learners = readings.filter(metric_id=metric).order_by().values("person_id")
        Pair.objects.active().filter(metric_id=metric, learner__in=learners).update(
            next_check_at=now
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


def _take_looks(pairs: list[Pair], *, now: datetime) -> None:
    """Store one look for each complete week with readings that has none; a look is never redone."""
    last_complete = cadence.week_of(now.date()) - cadence.WEEK
    readings = defaultdict(list)
    rows = Reading.objects.filter(
        person__in={pair.learner_id for pair in pairs},
        metric__in={pair.metric_id for pair in pairs},
        period__gte=min(pair.counts_from for pair in pairs),
        period__lte=last_complete,
    ).order_by("period")
    for row in rows:
        readings[row.person_id, row.metric_id].append(row)
    looks = []
    for pair in pairs:
        start, recent = start_of(pair), []
        known = {look.week for look in pair.looks.all()}
        newest = max(known, default=None)
        for row in readings[pair.learner_id, pair.metric_id]:
            if row.period < pair.counts_from:
                continue
            recent.append(row)
            # Readings that arrive late count from the next look on.
            if row.period in known or (newest and row.period < newest):
                continue
            oldest = row.period - cadence.WEEK * (progress.WINDOW_WEEKS - 1)
            counted = [old for old in recent if old.period >= oldest]
            n, total = sum(old.n for old in counted), sum(old.sum for old in counted)
            value = progress.working_value(kind=pair.metric.kind, n=n, total=total)
            level, se = progress.level_now(start, value=value, n=n)
            looks.append(
                Look(
                    pair=pair,
                    week=row.period,
                    number=(row.period - pair.counts_from).days // 7 + 1,
                    n=n,
                    level=level,
                    se=se,
                    p_reached=progress.p_at_target(
                        level=level, se=se, target=pair.target, sign=start.sign
                    ),
                    taken_at=now,
                )
            )
    Look.objects.bulk_create(looks, ignore_conflicts=True)
    added = defaultdict(list)
    for look in looks:
        added[look.pair_id].append(look)
    for pair in pairs:
        pair.all_looks = [*pair.looks.all(), *added[pair.pk]]


def verdict_on(pair: Pair, *, looks: list[Look], now: datetime) -> progress.Verdict:
    return progress.judge(
        start_of(pair),
        looks=[progress.Look(look.number, look.level, look.p_reached) for look in looks],
        sessions=[session.held_on for session in pair.sessions.all()],
        started_on=pair.counts_from,
        clocks_from=pair.clocks_from,
        test_date=pair.test_date,
        today=now.astimezone(pair.learner.zone).date(),
    )


@transaction.atomic
def _settle(pair: Pair, verdict: progress.Verdict, *, now: datetime) -> None:
    """Give a pair the state its looks and sessions say, with everything that follows from it."""
    changes = {"state": verdict.state, "state_since": now, "revision": pair.revision + 1}
    if verdict.state == Pair.State.PASSED:
        changes["passed_at"] = now
    # Whoever changed the pair since we read it has the better information.
    current = Pair.objects.active().filter(pk=pair.pk, revision=pair.revision)
    if current.update(**changes) != 1:
        return
    before = pair.state
    for field, value in changes.items():
        setattr(pair, field, value)
    if before == Pair.State.STUCK:
        _close_case(pair, Case.Decision.RECOVERED, by=None, note=verdict.why, now=now)
    if verdict.state == Pair.State.STUCK:
        _open_case(pair, clock=verdict.clock, why=verdict.why, now=now)
    audit.record(
        f"pair {verdict.state.replace('_', ' ')}",
        pair, by=None, now=now, team=pair.learner.team, why=verdict.why,
    )  # fmt: skip
    if verdict.state == Pair.State.PASSED:
        outbox.withdraw(pair.letters.all(), why="The pair has passed.")
        outbox.promise(
            [messages.passed(pair, reader) for reader in (pair.learner, pair.coach)], now=now
        )
        cohorts.close_if_finished(pair.cohort, now=now)


def _open_case(pair: Pair, *, clock: str, why: str, now: datetime) -> None:
    case = Case.objects.create(
        pair=pair, episode=pair.cases.count() + 1, clock=clock, opened_at=now
    )
    deciders = people.chain_above(pair.learner)[:1] or [pair.cohort.created_by]
    outbox.promise(
        [messages.escalation(case, reader, why=why) for reader in deciders if reader], now=now
    )


def _close_case(
    pair: Pair, decision: str, *, by: Person | None, note: str, now: datetime
) -> Case | None:
    open_cases = Case.objects.filter(pair=pair, decided_at=None)
    case = open_cases.first()
    if (
        case is None
        or open_cases.update(decision=decision, decided_at=now, decided_by=by, note=note) != 1
    ):
        return None
    case.refresh_from_db()
    case.pair = pair
    return case


class NoReason(CoachingError):
    message = "Say in a sentence why; both of them will read it."


class CaseDecided(CoachingError):
    message = "This case has been decided already."


class NoSuchDecision(CoachingError):
    message = "Choose either more time or to end it here."


@transaction.atomic
def decide(*, case: Case, decision: str, note: str, by: Person, now: datetime) -> None:
    """
    Decide a case and tell both sides.

    'everything' starts the clocks again and moves the test by four weeks;
    'accept' ends the pair, openly.

    :raises NoSuchDecision, NoReason, CaseDecided:
    """
    if decision not in (Case.Decision.EVERYTHING, Case.Decision.ACCEPT):
        raise NoSuchDecision
    if not note.strip():
        raise NoReason
    pair = case.pair
    decided = _close_case(pair, decision, by=by, note=note.strip(), now=now)
    if decided is None:
        raise CaseDecided
    if decision == Case.Decision.EVERYTHING:
        today = now.astimezone(pair.learner.zone).date()
        changes = {
            "state": Pair.State.AT_RISK,
            "clocks_from": today,
            "test_date": max(pair.test_date, today) + MORE_TIME,
        }
    else:
        changes = {"state": Pair.State.ENDED, "ended_at": now}
        outbox.withdraw(pair.letters.all(), why="The pair has ended.")
    if (
        Pair.objects.active()
        .filter(pk=pair.pk)
        .update(state_since=now, revision=F("revision") + 1, **changes)
        != 1
    ):
        raise CaseDecided
    for field, value in changes.items():
        setattr(pair, field, value)
    outbox.promise(
        [messages.decided(decided, reader) for reader in (pair.learner, pair.coach)], now=now
    )
    audit.record(
        f"case decided: {decided.get_decision_display().lower()}",
        pair, by=by, now=now, team=pair.learner.team, note=note.strip(),
    )  # fmt: skip
    cohorts.close_if_finished(pair.cohort, now=now)


class NotSwimming(CoachingError):
    message = "This pair is not active any more; there is nothing to log."


class NotYet(CoachingError):
    message = "A session can be logged once it has taken place, and not before the pair began."


@transaction.atomic
def log_session(*, pair: Pair, held_on, note: str, by: Person, now: datetime) -> Session:
    """
    Record a meeting; a second record for the same day only changes its note.

    :raises NotSwimming, NotYet:
    """
    if not pair.is_active:
        raise NotSwimming
    began_on = pair.started_at.astimezone(by.zone).date()
    if held_on > now.astimezone(by.zone).date() or held_on < began_on:
        raise NotYet
    session, _ = Session.objects.update_or_create(
        pair=pair,
        held_on=held_on,
        defaults={"note": note, "logged_by": by, "logged_at": now},
    )
    Pair.objects.active().filter(pk=pair.pk).update(next_check_at=now)
    audit.record(
        "session logged", pair, by=by, now=now, team=pair.learner.team, held_on=str(held_on)
    )
    return session
