"""Readings move pairs: looks are taken, states follow, cases open, cohorts close."""

import logging
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Least

from coaching.domain import cadence, progress
from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Cohort, Look, Pair, Person, Reading
from coaching.notifications import messages, outbox
from coaching.queries import looks
from coaching.queries import pairs as pair_queries
from coaching.services import audit, cases, cohorts, departures, reviews, sessions

logger = logging.getLogger(__name__)

BATCH = 500
NEXT_CHECK = timedelta(days=1)
# A week whose readings came before it was over may be a part of it: so long we wait for the rest.
GRACE = timedelta(days=2)
SHORTEST = timedelta(microseconds=1)
# What the clocks can be set to.
FEWEST_DAYS, MOST_DAYS = 3, 90
FEWEST_LOOKS, MOST_LOOKS = 3, 26


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
            pair_queries.with_record(Pair.objects.active().filter(next_check_at__lte=now)).order_by(
                "next_check_at", "pk"
            )[:BATCH]
        )
        if not due:
            break
        take_looks(due, arrived=(), now=now)
        for pair in due:
            try:
                verdict = pair_queries.verdict_on(pair, looks=pair.all_looks, now=now)
                if verdict.state != pair.state:
                    _settle(pair, verdict, now=now)
            except Exception as failure:
                logger.exception("Pair %s could not be judged", pair.public_id)
                failures.append(failure)
        _looked_at(due, now=now)
        checked += len(due)
    if failures:
        raise ExceptionGroup("Some pairs could not be judged; the log has each of them.", failures)
    return checked


def _looked_at(pairs: list[Pair], *, now: datetime) -> None:
    """Look at these tomorrow, but at once at those of which something arrived meanwhile."""
    seen = defaultdict(list)
    for pair in pairs:
        seen[pair.next_check_at].append(pair.pk)
    for moment, keys in seen.items():
        Pair.objects.filter(pk__in=keys, next_check_at=moment).update(
            next_check_at=now + NEXT_CHECK
        )


def readings_arrived(readings: QuerySet[Reading], *, now: datetime) -> None:
    """
    Take in readings that were just stored, in the transaction that stored them.

    Weeks that are over are looked at now, and their pairs judged by the next sweep. A pass that
    rested on other numbers is put before its manager.
    """
    for metric in set(readings.order_by().values_list("metric_id", flat=True)):
        rows = readings.filter(metric_id=metric).order_by()
        learners = rows.values("person_id")
        active = Pair.objects.active().filter(metric_id=metric, learner__in=learners)
        keys = list(active.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(keys), BATCH):
            part = list(
                pair_queries.with_record(Pair.objects.filter(pk__in=keys[start : start + BATCH]))
            )
            fresh = rows.filter(person__in=[pair.learner_id for pair in part])
            take_looks(part, arrived=fresh.values_list("person_id", "metric_id", "period"), now=now)
        # Never the moment that a sweep may have read just now: it would take these for looked at.
        active.update(next_check_at=Least(F("next_check_at"), Value(now)) - SHORTEST)
        passed = Pair.objects.filter(
            state=Pair.State.PASSED, metric_id=metric, learner__in=learners
        )
        reviews.compare(passed, now=now)


def take_looks(
    pairs: list[Pair], *, arrived: Iterable[tuple[int, int, date]], now: datetime
) -> None:
    """
    Have one look for each week with readings that is over where the learner is, and no other.

    A look says what the readings say: a correction, or a week that comes late, changes it for
    as long as the pair is active. A week whose readings were there before its end waits two
    days for the rest of them; `arrived` are those stored just now, as (person, metric, week).

    Sets `all_looks` on each pair, oldest first. The pairs come from `with_record`.
    """
    if not pairs:
        return
    fresh, readings = set(arrived), looks.readings_of(pairs, now=now)
    new, changed = [], []
    for pair in pairs:
        known = {look.week: look for look in pair.looks.all()}
        today = now.astimezone(pair.learner.zone).date()
        for look in looks.looks_from(pair, readings[pair.learner_id, pair.metric_id], now=now):
            old = known.get(look.week)
            over = look.week + cadence.WEEK
            came = (pair.learner_id, pair.metric_id, look.week) in fresh
            if old is None and (today >= over + GRACE or (came and today >= over)):
                new.append(look)
                known[look.week] = look
            elif old is not None and _differs(old, look):
                old.n, old.level, old.se = look.n, look.level, look.se
                old.p_reached, old.taken_at = look.p_reached, now
                changed.append(old)
        pair.all_looks = [known[week] for week in sorted(known)]
    Look.objects.bulk_create(new, ignore_conflicts=True)
    Look.objects.bulk_update(changed, ["n", "level", "se", "p_reached", "taken_at"], batch_size=500)


def _differs(old: Look, new: Look) -> bool:
    """Whether the readings of a look were corrected; not because its target has moved since."""
    same = math.isclose(old.level, new.level, rel_tol=1e-9) and math.isclose(old.n, new.n)
    return not same


@transaction.atomic
def _settle(pair: Pair, verdict: progress.Verdict, *, now: datetime) -> None:
    """Give a pair the state its looks and sessions say, with everything that follows from it."""
    changes = {"state": verdict.state, "state_since": now, "revision": pair.revision + 1}
    if verdict.state == Pair.State.PASSED:
        changes |= {"passed_at": now, "evidence": reviews.evidence_of(pair, pair.all_looks)}
    # The cohort first, as everywhere. Whoever changed the pair since we read it knows better.
    Cohort.objects.select_for_update().get(pk=pair.cohort_id)
    current = Pair.objects.active().filter(pk=pair.pk, revision=pair.revision)
    if current.update(**changes) != 1:
        return
    before = pair.state
    for field, value in changes.items():
        setattr(pair, field, value)
    if before == Pair.State.STUCK:
        cases.recovered(pair, why=verdict.why, now=now)
    if verdict.state == Pair.State.STUCK:
        cases.open(pair, clock=verdict.clock, why=verdict.why, now=now)
    audit.record(
        f"pair {verdict.state.replace('_', ' ')}",
        pair, by=None, now=now, team=pair.learner.team, why=verdict.why,
    )  # fmt: skip
    if verdict.state == Pair.State.PASSED:
        sessions.withdraw_all(pair, said("You have reached the target."), now)
        over = pair.letters.filter(kind__in=departures.OF_SWIMMERS)
        outbox.withdraw(over, why="The pair has passed.")
        outbox.promise(
            [messages.passed(pair, reader) for reader in (pair.learner, pair.coach)], now=now
        )
        cohorts.close_if_finished(pair.cohort, now=now)


class ClocksRefused(CoachingError):
    pass


@transaction.atomic
def set_clocks(
    *,
    cohort: Cohort,
    first_session_days: int,
    next_session_days: int,
    readings_days: int,
    looks_without_movement: int,
    by: Person,
    now: datetime,
) -> None:
    """
    Set how long this cohort's pairs may go on before somebody has to decide.

    Pairs that run are judged by them from now on.

    :raises ClocksRefused:
    """
    clocks = {
        "first_session_days": first_session_days,
        "next_session_days": next_session_days,
        "readings_days": readings_days,
        "looks_without_movement": looks_without_movement,
    }
    for name, value in clocks.items():
        looks = name == "looks_without_movement"
        least, most = (FEWEST_LOOKS, MOST_LOOKS) if looks else (FEWEST_DAYS, MOST_DAYS)
        if not least <= value <= most:
            raise ClocksRefused(
                said("Choose from %(least)s to %(most)s weekly looks.", least=least, most=most)
                if looks
                else said("Choose from %(least)s to %(most)s days.", least=least, most=most)
            )
    if cohort.state == Cohort.State.CLOSED:
        raise ClocksRefused(said("This cohort has closed; its clocks have run."))
    before = {name: getattr(cohort, name) for name in clocks}
    changed = {name: value for name, value in clocks.items() if value != before[name]}
    if not changed:
        return
    Cohort.objects.filter(pk=cohort.pk).update(**changed)
    for name, value in changed.items():
        setattr(cohort, name, value)
    Pair.objects.active().filter(cohort=cohort).update(next_check_at=now)
    audit.record("clocks set", cohort, by=by, now=now, team=cohort.team, **changed)
