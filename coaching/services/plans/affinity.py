"""What two people have in common, as points on top of how well their skills fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.translation import gettext_noop

from coaching.domain import cadence
from coaching.models import Person

SAME = ("site", "shift", "language")
# In the order in which they are offered and told.
LABELS = {
    "site": gettext_noop("Same site"),
    "shift": gettext_noop("Same shift"),
    "language": gettext_noop("Same language"),
    "hours": gettext_noop("Common working hours"),
    "tenure": gettext_noop("Similar time in the job"),
    "contact": gettext_noop("Know each other"),
}
# As much again as a coach who is perfect in everything a learner needs.
MOST_POINTS = 1000
# Working hours are compared in quarters of an hour.
QUARTER = timedelta(minutes=15)
QUARTERS = timedelta(weeks=1) // QUARTER
YEAR = 365.25
ALIKE, UNALIKE = 1.0, 5.0  # years


@dataclass(frozen=True, eq=False)
class Affinity:
    """
    Preference points of every pair, each attribute on its own.

    points : asked-for points by key, only those above 0
    codes : key -> (learners,), (coaches,) numbers; equal ones earn the points, -1 never does
    shares : key -> array (learners, coaches), the share of the points that is earned
    """

    points: Mapping[str, int]
    codes: dict[str, tuple[np.ndarray, np.ndarray]]
    shares: dict[str, np.ndarray]

    @property
    def same(self) -> tuple[tuple[np.ndarray, np.ndarray, int], ...]:
        """For `matching.build_scores`."""
        return tuple((*codes, self.points[key]) for key, codes in self.codes.items())

    @property
    def table(self) -> np.ndarray | None:
        """Array (learners, coaches) of the points that are not all or nothing; None without."""
        tables = [self._earned(key, share) for key, share in self.shares.items()]
        return sum(tables[1:], start=tables[0]) if tables else None

    def parts(self, learner: np.ndarray, coach: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """(label, points (pairs,)) of single pairs; they add up to what the table and same give."""
        found = []
        for key in LABELS:
            if key in self.codes:
                mine, theirs = (
                    code[at] for code, at in zip(self.codes[key], (learner, coach), strict=True)
                )
                earned = ((mine == theirs) & (mine >= 0)) * self.points[key]
            elif key in self.shares:
                earned = self._earned(key, self.shares[key][learner, coach])
            else:
                continue
            found.append((LABELS[key], earned))
        return found

    def _earned(self, key: str, share: np.ndarray) -> np.ndarray:
        return np.floor(share * self.points[key] + 1e-6).astype(np.int64)


def affinity_of(
    asked: Mapping[str, int],
    learners: list[Person],
    coaches: list[Person],
    *,
    worked: set[tuple[int, int]],
    now: datetime,
) -> Affinity:
    """
    hours : the common working hours, as a share of the week of whoever works fewer, in the
        calendar week of `now` (so that summer time counts as it is)
    tenure : in full below a year between the two starts, nothing from five, evenly between
    contact : the same team, or a pair of the two before (`worked`, person ids both ways)

    What is not known of somebody earns nothing.
    """
    points = {key: int(asked[key]) for key in LABELS if asked.get(key)}
    shares = {}
    if "hours" in points:
        shares["hours"] = _common_hours(learners, coaches, cadence.week_of(now.date()))
    if "tenure" in points:
        shares["tenure"] = _similar_tenure(learners, coaches)
    if "contact" in points:
        shares["contact"] = _contact(learners, coaches, worked)
    return Affinity(
        points=points,
        codes={key: _codes(learners, coaches, key) for key in SAME if key in points},
        shares=shares,
    )


def _codes(
    learners: list[Person], coaches: list[Person], attribute: str
) -> tuple[np.ndarray, np.ndarray]:
    """The same number for the same value of an attribute, -1 where it is unknown."""
    values = sorted({getattr(person, attribute) for person in [*learners, *coaches]} - {""})
    code = {value: index for index, value in enumerate(values)}
    mine, theirs = (
        np.array([code.get(getattr(person, attribute), -1) for person in side], dtype=np.int64)
        for side in (learners, coaches)
    )
    return mine, theirs


Times = tuple[str, str, time, time]


def _common_hours(learners: list[Person], coaches: list[Person], monday: date) -> np.ndarray:
    def times(person: Person) -> Times:
        return person.time_zone, person.working_days, person.day_begins, person.day_ends

    # Few people have times of their own, so that few weeks are compared.
    kinds = sorted({times(person) for person in [*learners, *coaches]})
    number = {kind: index for index, kind in enumerate(kinds)}
    weeks = np.array([working_week(*kind, monday=monday) for kind in kinds], dtype=np.float32)
    common = weeks @ weeks.T if kinds else np.zeros((0, 0))
    length = weeks.sum(axis=1) if kinds else np.zeros(0)
    shorter = np.minimum(length[:, None], length[None, :])
    share = np.divide(common, shorter, out=np.zeros(common.shape), where=shorter > 0)
    rows, columns = (
        np.array([number[times(person)] for person in side], dtype=np.intp)
        for side in (learners, coaches)
    )
    return share[rows[:, None], columns[None, :]]


def working_week(zone: str, days: str, begins: time, ends: time, *, monday: date) -> np.ndarray:
    """
    Bool array (quarters of an hour of a week in UTC, from Monday on): when somebody works.

    A day that ends before it begins is a night. What lies beyond the week counts at its other
    end, for every week is like this one.

    >>> int(working_week("UTC", "12345", time(9), time(17), monday=date(2027, 3, 1)).sum())
    160
    """
    week = np.zeros(QUARTERS, dtype=bool)
    start = datetime.combine(monday, time(), ZoneInfo("UTC"))
    for day in days:
        first = datetime.combine(monday + timedelta(days=int(day) - 1), begins, ZoneInfo(zone))
        last = datetime.combine(first.date() + timedelta(days=int(ends <= begins)), ends)
        last = last.replace(tzinfo=ZoneInfo(zone))
        here = np.arange(round((first - start) / QUARTER), round((last - start) / QUARTER))
        week[here % QUARTERS] = True
    return week


def _similar_tenure(learners: list[Person], coaches: list[Person]) -> np.ndarray:
    mine, theirs = (
        np.array(
            [person.started_on.toordinal() if person.started_on else np.nan for person in side]
        ).reshape(-1)
        for side in (learners, coaches)
    )
    years = np.abs(mine[:, None] - theirs[None, :]) / YEAR
    return np.nan_to_num(np.clip((UNALIKE - years) / (UNALIKE - ALIKE), 0.0, 1.0), nan=0.0)


def _contact(
    learners: list[Person], coaches: list[Person], worked: set[tuple[int, int]]
) -> np.ndarray:
    mine, theirs = (
        np.array([person.team_id or -1 for person in side], dtype=np.int64)
        for side in (learners, coaches)
    )
    known = (mine[:, None] == theirs[None, :]) & (mine[:, None] >= 0)
    rows: dict[int, list[int]] = {}
    for row, person in enumerate(learners):
        rows.setdefault(person.pk, []).append(row)
    column = {person.pk: index for index, person in enumerate(coaches)}
    for learner, coach in worked:
        if learner in rows and coach in column:
            known[rows[learner], column[coach]] = True
    return known.astype(float)
