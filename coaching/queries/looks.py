"""What readings say about a pair, week by week; the looks that are stored come from here."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from coaching.domain import cadence, progress
from coaching.models import Look, Pair, Reading
from coaching.queries import pairs


def readings_of(among: Sequence[Pair], *, now: datetime) -> dict[tuple[int, int], list[Reading]]:
    """Weekly readings since the launches, by learner and metric, oldest first; one query."""
    readings = defaultdict(list)
    rows = Reading.objects.filter(
        person__in={pair.learner_id for pair in among},
        metric__in={pair.metric_id for pair in among},
        period__gte=min(pair.counts_from for pair in among),
        # Weeks may be over earlier in the east than here.
        period__lte=now.date() + timedelta(days=1) - cadence.WEEK,
    )
    for row in rows.order_by("period"):
        readings[row.person_id, row.metric_id].append(row)
    return readings


def looks_from(pair: Pair, readings: Sequence[Reading], *, now: datetime) -> list[Look]:
    """What a pair's readings come to, week by week, unsaved; `readings` oldest first."""
    start = pairs.start_of(pair)
    counted = [row for row in readings if row.period >= pair.counts_from]
    looks = []
    for row in counted:
        oldest = first_week(row.period)
        window = [old for old in counted if oldest <= old.period <= row.period]
        n, total = sum(old.n for old in window), sum(old.sum for old in window)
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
    return looks


def first_week(week: date) -> date:
    """The oldest week that a look of `week` reads."""
    return week - cadence.WEEK * (progress.WINDOW_WEEKS - 1)
