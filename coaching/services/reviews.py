"""
What a pass rests on, and what happens when those readings are corrected.

A pass is never taken back by a number that arrives later. Its manager is asked to look: they
keep it, or openly reopen the work as a new pair. Until then the two of them hear nothing.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from coaching.domain import cadence, progress, reminders
from coaching.domain.said import Said, said, said_many
from coaching.errors import CoachingError
from coaching.models import Cohort, Look, Pair, Person, Reading
from coaching.notifications import messages, outbox
from coaching.queries import cases as case_queries
from coaching.queries import looks as look_queries
from coaching.queries import pairs as pair_queries
from coaching.services import audit

BATCH = 500
NAMED = 2
LONGEST_NOTE = 300
MORE_TIME = timedelta(weeks=4)

# One week of evidence, as it is stored: Monday, n, sum.
Week = list


class NothingToReview(CoachingError):
    message = said("This pass does not wait for anybody; somebody may have looked at it just now.")


class NoReason(CoachingError):
    message = said("Say in a sentence why; it stays with the pass.")


class CannotReopen(CoachingError):
    pass


def evidence_of(pair: Pair, looks: Sequence[Look]) -> list[Week]:
    """The readings that the newest looks rest on, [[Monday, n, sum], ...], oldest first."""
    last = list(looks)[-progress.LOOKS_IN_A_ROW :]
    if not last:
        return []
    rows = Reading.objects.filter(
        person=pair.learner_id,
        metric=pair.metric_id,
        period__gte=max(look_queries.first_week(last[0].week), pair.counts_from),
        period__lte=last[-1].week,
    )
    return [_week(row) for row in rows.order_by("period")]


def _week(row: Reading) -> Week:
    return [row.period.isoformat(), row.n, row.sum]


def compare(passed: QuerySet[Pair], *, now: datetime) -> int:
    """
    Put those passes before their managers whose readings are no longer what they were; in the
    caller's transaction. Returns how many.
    """
    found = 0
    rows = passed.exclude(evidence=[]).order_by("pk")
    keys = list(rows.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        pairs = list(
            pair_queries.with_record(Pair.objects.filter(pk__in=keys[start : start + BATCH]))
        )
        readings = look_queries.readings_of(pairs, now=now)
        for pair in pairs:
            found += _compare(pair, readings[pair.learner_id, pair.metric_id], now=now)
    return found


def _compare(pair: Pair, readings: list[Reading], *, now: datetime) -> bool:
    first, last = (date.fromisoformat(pair.evidence[at][0]) for at in (0, -1))
    present = {row.period.isoformat(): row for row in readings if first <= row.period <= last}
    stored = {week: (n, total) for week, n, total in pair.evidence}
    changed = [
        week
        for week in sorted(stored | present)
        if week not in stored or week not in present or not _same(stored[week], present[week])
    ]
    if not changed:
        return False
    note = _note(pair, changed, stored, present, holds=_still_carries(pair, readings, last, now))
    if note[:LONGEST_NOTE] == pair.review_note and pair.review_since:
        return False
    waiting = Pair.objects.filter(pk=pair.pk, state=Pair.State.PASSED)
    if waiting.update(review_since=pair.review_since or now, review_note=note[:LONGEST_NOTE]) != 1:
        return False
    deciders = case_queries.deciders_of(pair, now=now)[:1]
    outbox.tell(
        [messages.pass_to_review(pair, reader, note=note, now=now) for reader in deciders],
        now=now,
    )
    audit.record(
        "pass to review", pair, by=None, now=now, team=pair.learner.team, why=note[:LONGEST_NOTE]
    )
    return True


def _same(stored: tuple[float, float], row: Reading) -> bool:
    return math.isclose(stored[0], row.n) and math.isclose(stored[1], row.sum)


def _still_carries(pair: Pair, readings: list[Reading], last: date, now: datetime) -> bool:
    """Whether the looks up to the pass would be one with the readings as they are now."""
    known = [row for row in readings if row.period <= last]
    first = pair_queries.judged_from(pair)
    return progress.carries(
        [
            progress.Look(look.number, look.level, look.p_reached)
            for look in look_queries.looks_from(pair, known, now=now)
            if look.number >= first
        ]
    )


def _note(
    pair: Pair,
    changed: list[str],
    stored: dict[str, tuple[float, float]],
    present: dict[str, Reading],
    *,
    holds: bool,
) -> Said:
    """What was corrected, in a sentence or two that fit the field."""

    def told(row: tuple[float, float] | None) -> Said:
        if row is None:
            return said("nothing")
        n, total = row
        return said("%(mean)s in %(number)s", mean=pair.metric.show(total / n), number=f"{n:g}")

    def of(week: str) -> dict:
        row = present.get(week)
        return {
            "week": date.fromisoformat(week),
            "was": told(stored.get(week)),
            "now": told((row.n, row.sum) if row else None),
        }

    what = said("Week of %(week)s: %(was)s, now %(now)s", **of(changed[0]))
    for week in changed[1:NAMED]:
        what = said("%(before)s; week of %(week)s: %(was)s, now %(now)s", before=what, **of(week))
    more = len(changed) - NAMED
    if more > 0:
        what = said_many(
            "%(before)s; and %(number)s more week",
            "%(before)s; and %(number)s more weeks",
            more,
            before=what,
        )
    if holds:
        return said("%(what)s. With these numbers it would still be a pass.", what=what)
    return said("%(what)s. With these numbers it would not be a pass.", what=what)


@transaction.atomic
def confirm(*, pair: Pair, note: str, by: Person, now: datetime) -> None:
    """
    Keep a pass although what it rested on was corrected; it now rests on the readings of today.

    :raises NoReason, NothingToReview:
    """
    _settle(pair, note, "pass confirmed", by=by, now=now)


@transaction.atomic
def reopen(*, pair: Pair, note: str, by: Person, now: datetime) -> Pair:
    """
    Take the work up again after a correction, openly: a new pair of the same two, for the same
    target, judged by the weeks from now on. The pass stays in the record.

    :raises NoReason, NothingToReview, CannotReopen:
    """
    _settle(pair, note, "pass reopened", by=by, now=now)
    learner, coach = pair.learner, pair.coach
    for person in (learner, coach):
        if not person.active:
            raise CannotReopen(said("%(name)s has left; the two cannot go on.", name=person.name))
    taken = set(Pair.objects.active().filter(coach=coach).values_list("slot", flat=True))
    if len(taken) >= coach.capacity:
        raise CannotReopen(
            said(
                "%(coach)s has no free seat. Free one, or keep the pass and take %(learner)s into "
                "the next cohort.",
                coach=coach.name,
                learner=learner.first_name,
            )
        )
    today = now.astimezone(learner.zone).date()
    again = Pair(
        cohort=pair.cohort,
        learner=learner,
        coach=coach,
        metric=pair.metric,
        slot=next(slot for slot in range(1, len(taken) + 2) if slot not in taken),
        score=pair.score,
        parts=pair.parts,
        **{
            name: getattr(pair, name)
            for name in (
                "baseline", "baseline_se", "peer_mean", "tau2", "sigma2", "target", "stretch",
                "target_formula",
            )
        },
        counts_from=cadence.week_of(today) + cadence.WEEK,
        clocks_from=today,
        test_date=max(pair.test_date, today + MORE_TIME),
        started_at=now,
        state_since=now,
        next_check_at=now + timedelta(days=1),
        next_reminder_at=reminders.next_morning(learner.zone, now),
        follows=pair,
    )  # fmt: skip
    try:
        with transaction.atomic():
            again.save()
    except IntegrityError as clash:
        raise CannotReopen(
            said(
                "%(learner)s works on %(metric)s with somebody else by now.",
                learner=learner.name,
                metric=pair.metric.name,
            )
        ) from clash
    Cohort.objects.filter(pk=pair.cohort_id, state=Cohort.State.CLOSED).update(
        state=Cohort.State.LIVE, closed_at=None
    )
    outbox.promise(
        [messages.reopened(again, reader, by=by, note=note.strip()) for reader in (learner, coach)],
        now=now,
    )
    audit.record(
        "pair reopened", again, by=by, now=now, team=learner.team,
        note=note.strip(), follows=pair.public_id,
    )  # fmt: skip
    return again


def _settle(pair: Pair, note: str, verb: str, *, by: Person, now: datetime) -> None:
    if not note.strip():
        raise NoReason
    looks = list(pair.looks.order_by("week"))
    waiting = Pair.objects.filter(pk=pair.pk, state=Pair.State.PASSED, review_since__isnull=False)
    if waiting.update(review_since=None, evidence=evidence_of(pair, looks)) != 1:
        raise NothingToReview
    pair.review_since = None
    audit.record(verb, pair, by=by, now=now, team=pair.learner.team, note=note.strip())
