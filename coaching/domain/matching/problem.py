"""What is asked (``Problem``), what is answered (``Plan``), and refusal in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from coaching.domain.said import counted

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Naming = Callable[[Literal["learner", "coach"], int], str]

# A count beyond this is a slip of the pen, and would ask for memory before anything is checked.
MOST_PEOPLE = 10_000_000


class Refused(ValueError):
    """The problem contradicts itself; ``reasons`` says where and what to do, one sentence each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = list(reasons)


def by_number(role: Literal["learner", "coach"], index: int) -> str:
    """
    Name a person by role and position.

    >>> by_number("learner", 3)
    'learner 3'
    """
    return f"{role} {index}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """
    Learners, coaches with seats, and the pairs that may be formed.

    learners, coaches : how many there are; a person is a position 0 … count - 1
    capacity : (coaches,), seats of each coach
    learner, coach, score : (edges,), the candidate pairs; a score is a whole number, 0 or more,
        and higher is better; 0 is a legal pair
    forbidden, pinned : (k, 2), pairs of positions that must not, or must, be formed
    demand : (learners,), how many different coaches each learner wants; 1 unless given
    learner_ids, coach_ids : stable whole-number ids that break ties; the position unless given
    one_directory : the two kinds of id come from one list of people, so that equal ids are one
        person, who cannot be their own coach
    name : says who a position is, for the reasons

    :raises Refused: with every reason found, not only the first

    >>> lunch = Problem(learners=2, coaches=1, capacity=[2],
    ...                 learner=[0, 1], coach=[0, 0], score=[7, 5])
    >>> lunch.demand.tolist()
    [1, 1]
    """

    learners: int
    coaches: int
    capacity: Ints
    learner: Ints
    coach: Ints
    score: Ints
    forbidden: Ints = ()  # type: ignore[assignment]
    pinned: Ints = ()  # type: ignore[assignment]
    demand: Ints = None  # type: ignore[assignment]
    learner_ids: Ints = None  # type: ignore[assignment]
    coach_ids: Ints = None  # type: ignore[assignment]
    one_directory: bool = False
    name: InitVar[Naming] = by_number

    def __post_init__(self, name: Naming) -> None:
        check = _Check(name)
        learners = check.count("learners", self.learners)
        coaches = check.count("coaches", self.coaches)
        check.stop_if_refused()  # nothing else can be read without the two counts
        demand = np.ones(learners, dtype=np.int64) if self.demand is None else self.demand
        own = {
            "learners": learners,
            "coaches": coaches,
            "capacity": check.amounts("capacity", self.capacity, "coach", coaches),
            "demand": check.amounts("demand", demand, "learner", learners),
            "learner_ids": check.ids("learner", self.learner_ids, learners),
            "coach_ids": check.ids("coach", self.coach_ids, coaches),
        }
        check.stop_if_refused()
        own |= check.edges(self.learner, self.coach, self.score, own)
        own |= check.rules(self.forbidden, self.pinned, own, one_directory=self.one_directory)
        check.stop_if_refused()
        for key, value in own.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, key, value)

    @cached_property
    def network(self) -> Network:
        """What is left to decide once pins are seated and forbidden pairs are gone."""
        return Network.of(self)


class _Check:
    """Collects the reasons for which a problem is refused."""

    def __init__(self, name: Naming) -> None:
        self.name = name
        self.reasons: list[str] = []

    def stop_if_refused(self) -> None:
        if self.reasons:
            raise Refused(self.reasons)

    def count(self, field_name: str, value: Any) -> int:
        if not _is_whole(value) or not 0 <= value <= MOST_PEOPLE:
            self.reasons.append(
                f"The number of {field_name} is {_show(value)}; "
                f"give a whole number from 0 to {MOST_PEOPLE}."
            )
            return 0
        return int(value)

    def amounts(
        self, field_name: str, values: Any, role: Literal["learner", "coach"], expected: int
    ) -> Ints:
        raw = _as_list(values)
        if raw is None or len(raw) != expected:
            found = "not a list" if raw is None else f"{len(raw)} long"
            self.reasons.append(
                f"{field_name.capitalize()} is {found}; "
                f"give one whole number for each of the {expected} {_many(role)}."
            )
            return np.zeros(0, dtype=np.int64)
        whole, bad = _whole(raw)
        for index in np.flatnonzero(bad | (whole < 0)).tolist():
            self.reasons.append(
                f"The {field_name} of {self.name(role, index)} is {_show(raw[index])}; "
                "it must be a whole number, 0 or more."
            )
        return whole

    def ids(self, role: Literal["learner", "coach"], values: Any, expected: int) -> Ints:
        if values is None:
            return np.arange(expected, dtype=np.int64)
        raw = _as_list(values)
        if raw is None or len(raw) != expected:
            self.reasons.append(f"Give one id for each of the {expected} {_many(role)}.")
            return np.zeros(0, dtype=np.int64)
        whole, bad = _whole(raw)
        for index in np.flatnonzero(bad).tolist():
            self.reasons.append(
                f"The id of {self.name(role, index)} is {_show(raw[index])}; "
                "it must be a whole number."
            )
        order = np.argsort(whole, kind="stable")
        for at in np.flatnonzero(np.diff(whole[order]) == 0).tolist():
            one, other = int(order[at]), int(order[at + 1])
            if not bad[one] and not bad[other]:
                self.reasons.append(
                    f"{upper(self.name(role, one))} and {self.name(role, other)} have the same "
                    f"id {whole[one]}; ids must differ."
                )
        return whole

    def edges(self, learner: Any, coach: Any, score: Any, own: dict[str, Any]) -> dict[str, Any]:
        columns = [_as_list(column) for column in (learner, coach, score)]
        if any(c is None for c in columns) or len({len(c) for c in columns if c is not None}) > 1:
            self.reasons.append(
                "Learner, coach and score of the edges must be lists of one length."
            )
            empty = np.zeros(0, dtype=np.int64)
            return {"learner": empty, "coach": empty, "score": empty}
        (who, bad_who), (whom, bad_whom), (worth, bad_worth) = map(_whole, columns)
        n, m = own["learners"], own["coaches"]
        strange_learner = bad_who | (who < 0) | (who >= n)
        strange_coach = bad_whom | (whom < 0) | (whom >= m)
        for edge in np.flatnonzero(strange_learner).tolist():
            self._unknown(f"Edge {edge}", "learner", columns[0][edge], n)
        for edge in np.flatnonzero(strange_coach).tolist():
            self._unknown(f"Edge {edge}", "coach", columns[1][edge], m)
        known = ~(strange_learner | strange_coach)
        for edge in np.flatnonzero(known & (bad_worth | (worth < 0))).tolist():
            self.reasons.append(
                f"The score of {self.pair(who[edge], whom[edge])} is {_show(columns[2][edge])}; "
                "a score is a whole number, 0 or more."
            )
        for edge in np.flatnonzero(~known & (bad_worth | (worth < 0))).tolist():
            self.reasons.append(
                f"The score of edge {edge} is {_show(columns[2][edge])}; "
                "a score is a whole number, 0 or more."
            )
        self._twice(who, whom, worth, known)
        limit = largest_score(
            learners=n, coaches=m, seats=_most_pairs(own["demand"], own["capacity"], n, m)
        )
        for edge in np.flatnonzero(known & ~bad_worth & (worth > limit)).tolist():
            self.reasons.append(
                f"The score of {self.pair(who[edge], whom[edge])} is {worth[edge]}; with this many "
                f"people only scores up to {limit} can be planned exactly. Use a smaller scale."
            )
        return {"learner": who, "coach": whom, "score": worth}

    def rules(
        self, forbidden: Any, pinned: Any, own: dict[str, Any], *, one_directory: bool
    ) -> dict[str, Any]:
        n, m = own["learners"], own["coaches"]
        barred = np.unique(self._pairs("forbidden", forbidden, n, m), axis=0)
        pins = self._pairs("pinned", pinned, n, m)
        pin_key, times = np.unique(pins[:, 0] * m + pins[:, 1], return_counts=True)
        for key in pin_key[times > 1].tolist():
            self.reasons.append(
                f"{upper(self.pair(key // m, key % m))} are pinned twice; pin once."
            )
        pins = np.stack([pin_key // max(m, 1), pin_key % max(m, 1)], axis=1)
        barred_key = barred[:, 0] * m + barred[:, 1]
        for key in np.intersect1d(pin_key, barred_key).tolist():
            self.reasons.append(
                f"{upper(self.pair(key // m, key % m))} are both pinned and forbidden; "
                "lift one of the two rules."
            )
        edge_key = own["learner"] * m + own["coach"]
        strangers = pin_key[~np.isin(pin_key, edge_key)] if pin_key.size else pin_key
        for key in strangers.tolist():
            self.reasons.append(
                f"{upper(self.pair(key // m, key % m))} are pinned but are not a candidate pair; "
                "give them a score or lift the pin."
            )
        self._too_many_pins("coach", pins[:, ::-1], own["capacity"], m)
        self._too_many_pins("learner", pins, own["demand"], n)
        # Looking through all pairs is dear; mostly nobody is on both sides.
        if one_directory and np.intersect1d(own["learner_ids"], own["coach_ids"]).size:
            self._own_coach(np.setdiff1d(np.union1d(edge_key, pin_key), barred_key), own)
        return {"forbidden": barred, "pinned": pins}

    def pair(self, learner: int, coach: int) -> str:
        return f"{self.name('learner', int(learner))} and {self.name('coach', int(coach))}"

    def _pairs(self, rule: str, values: Any, n: int, m: int) -> Ints:
        raw = _as_list(values)
        if raw is None:
            self.reasons.append(f"The {rule} pairs are not a list of [learner, coach].")
            raw = []
        good = []
        for row, item in enumerate(raw):
            both = _as_list(item)
            if both is None or len(both) != 2:
                self.reasons.append(
                    f"Row {row} of the {rule} pairs is {_show(item)}; give [learner, coach]."
                )
                continue
            where = f"Row {row} of the {rule} pairs"
            fine_learner = _is_whole(both[0]) and 0 <= both[0] < n
            fine_coach = _is_whole(both[1]) and 0 <= both[1] < m
            if not fine_learner:
                self._unknown(where, "learner", both[0], n)
            if not fine_coach:
                self._unknown(where, "coach", both[1], m)
            if fine_learner and fine_coach:
                good.append((int(both[0]), int(both[1])))
        return np.array(good, dtype=np.int64).reshape(-1, 2)

    def _unknown(self, where: str, role: str, value: Any, count: int) -> None:
        known = f"{_many(role)} are numbered 0 to {count - 1}"
        if count == 0:
            known = f"there are no {_many(role)}"
        self.reasons.append(f"{where} names an unknown {role}, {_show(value)}; {known}.")

    def _twice(self, who: Ints, whom: Ints, worth: Ints, known: Bools) -> None:
        edge = np.flatnonzero(known)
        key = np.sort(who[edge] * (int(whom[edge].max(initial=0)) + 1) + whom[edge])
        if not (key[1:] == key[:-1]).any():
            return  # the usual case, told by the cheapest sort
        edge = edge[np.lexsort((edge, whom[edge], who[edge]))]
        same = (np.diff(who[edge]) == 0) & (np.diff(whom[edge]) == 0)
        for at in np.flatnonzero(same).tolist():
            one, other = edge[at], edge[at + 1]
            self.reasons.append(
                f"{upper(self.pair(who[one], whom[one]))} are listed twice (edges {one} and "
                f"{other}, scores {worth[one]} and {worth[other]}); keep one."
            )

    def _too_many_pins(
        self, role: Literal["learner", "coach"], own_first: Ints, allowed: Ints, count: int
    ) -> None:
        if not own_first.size:
            return
        used = np.bincount(own_first[:, 0], minlength=count)
        other = "learner" if role == "coach" else "coach"
        for person in np.flatnonzero(used > allowed).tolist():
            others = own_first[own_first[:, 0] == person, 1].tolist()
            names = in_words([self.name(other, index) for index in others])
            has = (
                f"has {plural(int(allowed[person]), 'seat')}"
                if role == "coach"
                else f"wants {plural(int(allowed[person]), 'coach')}"
            )
            cure = "Lift a pin or add a seat." if role == "coach" else "Lift a pin or ask for more."
            self.reasons.append(
                f"{upper(self.name(role, person))} {has} but "
                f"{plural(int(used[person]), 'pin')}: {names}. {cure}"
            )

    def _own_coach(self, keys: Ints, own: dict[str, Any]) -> None:
        m = own["coaches"]
        self_pair = own["learner_ids"][keys // max(m, 1)] == own["coach_ids"][keys % max(m, 1)]
        for key in keys[self_pair].tolist():
            self.reasons.append(
                f"{upper(self.pair(key // m, key % m))} are the same person; "
                "nobody can be their own coach."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Network:
    """
    The open part of a problem, people renumbered by stable id so that input order cannot matter.

    learner, coach, score, edge : (open edges,), sorted by learner, then coach; ``edge`` is the
        position in the problem's own list
    first : (learners + 1,), where each learner's edges begin
    demand, capacity : what is left after the pins
    base : (coaches,), pinned learners each coach already holds
    pinned_worst : the lowest pinned score, or None
    seat_value : what filling one more seat is worth in score: more than twice any plan's total,
        so that (seats, score) compares as one number and a loss in it can be read back as two
    learner_at, coach_at : the problem's position of a renumbered person
    learner_rank, coach_rank : the reverse
    """

    learner: Ints
    coach: Ints
    score: Ints
    edge: Ints
    first: Ints
    demand: Ints
    capacity: Ints
    base: Ints
    pinned_edge: Ints
    pinned_worst: int | None
    seat_value: int
    learner_at: Ints
    coach_at: Ints
    learner_rank: Ints
    coach_rank: Ints

    @cached_property
    def value(self) -> Ints:
        return self.score + self.seat_value

    @classmethod
    def of(cls, problem: Problem) -> Network:
        n, m = problem.learners, problem.coaches
        learner_at = np.argsort(problem.learner_ids, kind="stable")
        coach_at = np.argsort(problem.coach_ids, kind="stable")
        learner_rank, coach_rank = _inverse(learner_at), _inverse(coach_at)
        key = problem.learner * m + problem.coach
        pinned_edge = np.flatnonzero(np.isin(key, problem.pinned[:, 0] * m + problem.pinned[:, 1]))
        closed = np.isin(key, problem.forbidden[:, 0] * m + problem.forbidden[:, 1])
        closed[pinned_edge] = True
        pins_of_learner = np.bincount(problem.learner[pinned_edge], minlength=n)
        pins_of_coach = np.bincount(problem.coach[pinned_edge], minlength=m)
        demand = np.minimum(problem.demand - pins_of_learner, m)
        capacity = np.minimum(problem.capacity - pins_of_coach, n)
        # People with nothing left to give or take only slow the flow down.
        closed |= (demand[problem.learner] == 0) | (capacity[problem.coach] == 0)
        edge = np.flatnonzero(~closed)
        learner, coach = learner_rank[problem.learner[edge]], coach_rank[problem.coach[edge]]
        # Mostly in order already, which a stable sort of one key notices.
        order = np.argsort(learner * m + coach, kind="stable")
        edge, learner, coach = edge[order], learner[order], coach[order]
        score = problem.score[edge]
        pinned_score = problem.score[pinned_edge]
        return cls(
            learner=learner,
            coach=coach,
            score=score,
            edge=edge,
            first=np.searchsorted(learner, np.arange(n + 1)),
            demand=demand[learner_at],
            capacity=capacity[coach_at],
            base=pins_of_coach[coach_at],
            pinned_edge=pinned_edge,
            pinned_worst=int(pinned_score.min()) if pinned_score.size else None,
            seat_value=seat_value(
                score.max(initial=0), _most_pairs(problem.demand, problem.capacity, n, m)
            ),
            learner_at=learner_at,
            coach_at=coach_at,
            learner_rank=learner_rank,
            coach_rank=coach_rank,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """
    The chosen pairs, sorted by learner, then coach.

    learner, coach, score, pinned : (pairs,)
    load : (coaches,), learners each coach holds
    unfilled : (learners,), wishes left open
    price : (coaches,), what one seat is worth, in score plus seat_value per filled seat
    seat_value : what filling one more seat counts in those prices
    """

    learner: Ints
    coach: Ints
    score: Ints
    pinned: Bools
    load: Ints
    unfilled: Ints
    price: Ints = field(repr=False)
    seat_value: int = field(repr=False)

    @property
    def matched(self) -> int:
        """Seats filled."""
        return int(self.learner.size)

    @property
    def total(self) -> int:
        return int(self.score.sum())

    @property
    def worst(self) -> int | None:
        """The lowest score of a pair; None without pairs."""
        return int(self.score.min()) if self.score.size else None

    @property
    def sum_sq_load(self) -> int:
        return int((self.load**2).sum())

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.learner.tolist(), self.coach.tolist(), strict=True))


def seat_value(highest_score: int, most_pairs: int) -> int:
    return 2 * int(highest_score) * int(most_pairs) + 1


def largest_score(*, learners: int, coaches: int, seats: int) -> int:
    """
    Return the highest score that can be planned exactly.

    The flow needs cost x nodes below 2**62, a plan's value (seats x seat_value) the same, and
    shortest paths, which are computed in doubles, whole numbers below 2**53.

    >>> largest_score(learners=10_000, coaches=3_000, seats=10_000)
    2881727387
    """
    nodes = learners + coaches + 4
    return min(2**62 // (nodes + 1) - 1, 2**58 // (seats + 1) ** 2, 2**50 // (seats + nodes))


def plural(count: int, noun: str) -> str:
    """
    Count something in words.

    >>> plural(1, "coach"), plural(4, "seat"), plural(0, "pin")
    ('one coach', 'four seats', 'no pins')
    """
    return counted(count, f"{noun},{noun}{'es' if noun.endswith('ch') else 's'}")


def in_words(items: Sequence[str]) -> str:
    """
    List things as a sentence does.

    >>> in_words(["a", "b", "c"])
    'a, b and c'
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _many(role: str) -> str:
    return "coaches" if role == "coach" else f"{role}s"


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _inverse(order: Ints) -> Ints:
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return rank


def _most_pairs(demand: Ints, capacity: Ints, learners: int, coaches: int) -> int:
    wishes = int(np.clip(demand, 0, coaches).sum())
    return min(wishes, int(np.clip(capacity, 0, learners).sum()))


def _show(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _as_list(values: Any) -> Any:
    if isinstance(values, list | tuple):
        return values
    return values if isinstance(values, np.ndarray) and values.ndim > 0 else None


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, int | np.integer):
        return abs(int(value)) < 2**62
    # 3.0 is how some writers of JSON spell 3.
    if isinstance(value, float | np.floating):
        return math.isfinite(value) and abs(value) < 2**53 and float(value).is_integer()
    return False


def _whole(values: Any) -> tuple[Ints, Bools]:
    """Return the values as int64 and which of them are not whole numbers (0 in their place)."""
    none_bad = np.zeros(len(values), dtype=bool)
    if isinstance(values, np.ndarray):
        plain = values.ndim == 1 and values.dtype.kind in "iu"
        if plain and int(values.max(initial=0)) < 2**62:
            return values.astype(np.int64), none_bad
    elif set(map(type, values)) <= {int} and max(map(abs, values), default=0) < 2**62:
        return np.array(values, dtype=np.int64), none_bad
    good = np.array([_is_whole(value) for value in values], dtype=bool)
    whole = [int(value) if fine else 0 for value, fine in zip(values, good, strict=True)]
    return np.array(whole, dtype=np.int64), ~good
