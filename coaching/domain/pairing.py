"""
Needs and skills -> who could coach whom on what, and the matching problem that follows.

One definition for plans in the application and for plans of a file: what a coach may teach,
what a learner lacks, and which skill a pair works on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coaching.domain import matching
from coaching.domain.matching.problem import Bools, Ints, Naming, by_number
from coaching.domain.matching.scores import Floats

# A coach teaches only what they are more likely than not to be among the best two fifths in,
# and a learner learns only what they are more likely than not among the worst two fifths in.
MAY_TEACH = 0.5
LACKS = 0.5
# With fewer possible coaches than this a learner's place hangs on single people.
FEW_COACHES = 3
# Points on top of a score from 0 to 1000 for what two people share.
DEFAULT_PREFERENCES = {"site": 100, "shift": 50}
NOTHING = -1
ROWS = 512  # learners looked at together


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairing:
    """
    Learners and coaches with everything that decides whom the plan may put together.

    need : (learners, metrics), from 0 to 1, with raised hands in place
    skill : (coaches, metrics), from 0 to 1
    lacks : bool (learners, metrics), what each learner may work on
    focus : (learners, coaches), the metric a pair would work on, NOTHING where there is none
    possible : bool (learners, coaches), pairs that no rule of the house excludes
    """

    need: Floats
    skill: Floats
    lacks: Bools
    scores: matching.Scores
    focus: Ints
    possible: Bools

    @property
    def candidates(self) -> tuple[Ints, Ints]:
        """Positions (learner, coach) of all pairs that may be formed, by learner, then coach."""
        return np.nonzero(self.possible & (self.focus != NOTHING))

    def _scores_of(self, learner: Ints, coach: Ints) -> Ints:
        """Scores (pairs,) of pairs sorted by learner; read row by row, never all pairs at once."""
        found = np.empty(learner.size, dtype=np.int64)
        for start in range(0, self.possible.shape[0], ROWS):
            at = slice(*np.searchsorted(learner, (start, start + ROWS)))
            block = self.scores.block(start, start + ROWS)
            found[at] = block[learner[at] - start, coach[at]]
        return found

    def problem(
        self,
        *,
        seats: ArrayLike,
        forbidden: Sequence[tuple[int, int]] = (),
        pinned: Sequence[tuple[int, int]] = (),
        demand: ArrayLike | None = None,
        floor: int = 0,
        learner_ids: Sequence[int] | None = None,
        coach_ids: Sequence[int] | None = None,
        name: Naming = by_number,
    ) -> matching.Problem:
        """
        The problem to solve; `learner_ids` and `coach_ids` are numbers of one list of people.

        seats : (coaches,), free seats of each coach
        floor : pairs below this score are not formed, unless they are pinned

        :raises matching.Refused: when the rules contradict each other or the seats
        """
        learner, coach = self.candidates
        score = self._scores_of(learner, coach)
        if floor > 0:
            key = learner * self.possible.shape[1] + coach
            kept = [one * self.possible.shape[1] + other for one, other in pinned]
            high = (score >= floor) | np.isin(key, np.array(kept, dtype=np.int64))
            learner, coach, score = learner[high], coach[high], score[high]
        return matching.Problem(
            learners=self.possible.shape[0],
            coaches=self.possible.shape[1],
            capacity=np.asarray(seats, dtype=np.int64),
            learner=learner,
            coach=coach,
            score=score,
            forbidden=forbidden,
            pinned=pinned,
            demand=None if demand is None else np.asarray(demand, dtype=np.int64),
            learner_ids=learner_ids,
            coach_ids=coach_ids,
            one_directory=learner_ids is not None,
            name=name,
        )


def pairing(
    *,
    need: ArrayLike,
    skill: ArrayLike,
    weights: ArrayLike,
    possible: ArrayLike,
    asks: ArrayLike | None = None,
    taken: ArrayLike | None = None,
    same: Sequence[tuple[Ints, Ints, int]] = (),
    points: Ints | None = None,
) -> Pairing:
    """
    Say what each learner may work on, and with whom.

    need : (learners, metrics), chance of truly being in the worst two fifths; NaN counts as 0
    skill : (coaches, metrics), chance of truly being in the best two fifths; NaN counts as 0
    weights : (metrics,), 0 or more
    possible : bool (learners, coaches)
    asks : (learners,), the metric for which a hand was raised, NOTHING for none. It alone
        counts then; the ranking has no say in it
    taken : bool (learners, metrics), what a learner has a coach for already
    same : (learner codes, coach codes, points) per attribute; see `codes`
    points : (learners, coaches), whole preference points besides

    Somebody below the others overall without one clear weakness works on the largest one.

    >>> found = pairing(need=[[0.9, 0.2], [0.4, 0.3]], skill=[[0.8, 0.7]], weights=[1, 1],
    ...                 possible=[[True], [True]], asks=[-1, 1])
    >>> found.focus.tolist(), found.lacks.tolist()
    ([[0], [1]], [[True, False], [False, True]])
    """
    skill = _chances(skill)
    need, lacks = lacking(need, asks=asks, taken=taken)
    possible = np.asarray(possible, dtype=bool).reshape(need.shape[0], skill.shape[0])
    scores = matching.build_scores(need, skill, weights, points=points, same=tuple(same))
    return Pairing(
        need=need,
        skill=skill,
        lacks=lacks,
        scores=scores,
        focus=_focus(scores, lacks, skill >= MAY_TEACH),
        possible=possible,
    )


def lacking(
    need: ArrayLike, *, asks: ArrayLike | None = None, taken: ArrayLike | None = None
) -> tuple[Floats, Bools]:
    """Needs with raised hands in place, and what each learner may work on; see `pairing`."""
    need = _chances(need)
    lacks = need >= LACKS
    asked = np.zeros(need.shape[0], dtype=bool)
    if asks is not None:
        metric = np.asarray(asks, dtype=np.int64)
        asked = metric != NOTHING
        need[asked], lacks[asked] = 0, False
        need[asked, metric[asked]] = 1
        lacks[asked, metric[asked]] = True
    unclear = np.flatnonzero(~asked & ~lacks.any(axis=1) & need.any(axis=1))
    if unclear.size:
        lacks[unclear, need[unclear].argmax(axis=1)] = True
    if taken is not None:
        lacks &= ~np.asarray(taken, dtype=bool)
    return need, lacks


def _focus(scores: matching.Scores, lacks: Bools, may_teach: Bools) -> Ints:
    """
    The metric (learners, coaches) that carries most of the score among those that the learner
    lacks and the coach may teach; the earlier of two equal ones, NOTHING without any.
    """
    focus = np.full(scores.shape, NOTHING)
    most = np.full(scores.shape, -1.0)
    for metric in range(lacks.shape[1]):
        rows, columns = np.flatnonzero(lacks[:, metric]), np.flatnonzero(may_teach[:, metric])
        here = np.ix_(rows, columns)
        part = np.outer(scores.share[rows, metric], scores.skill[columns, metric])
        better = part > most[here]
        focus[here] = np.where(better, metric, focus[here])
        most[here] = np.where(better, part, most[here])
    return focus


def codes(
    learners: Sequence[str], coaches: Sequence[str], *, unknown: str = ""
) -> tuple[Ints, Ints]:
    """
    The same number for the same value on both sides, -1 where it is unknown.

    >>> codes(["north", ""], ["south", "north"])
    (array([ 0, -1]), array([1, 0]))
    """
    values = sorted({*learners, *coaches} - {unknown})
    number = {value: index for index, value in enumerate(values)}
    one, other = (
        np.array([number.get(value, NOTHING) for value in side], dtype=np.int64)
        for side in (learners, coaches)
    )
    return one, other


def parts_of(
    found: Pairing,
    learner: int,
    coach: int,
    *,
    metrics: Sequence[str],
    shared: Mapping[str, int],
) -> list[tuple[str, int]]:
    """
    What the score of a pair is made of, the largest first; the points add up to the score.

    metrics : the names of the metrics
    shared : label -> points of what these two share
    """
    points = found.scores.parts(np.array([learner]), np.array([coach]))[0].tolist()
    parts = [(name, value) for name, value in zip(metrics, points, strict=True) if value]
    parts += [(label, value) for label, value in shared.items() if value]
    return sorted(parts, key=lambda part: -part[1])


def _chances(values: ArrayLike) -> Floats:
    """A copy, from 0 to 1."""
    return np.clip(np.nan_to_num(np.array(values, dtype=np.float64), nan=0.0), 0.0, 1.0)
