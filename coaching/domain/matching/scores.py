"""How good a coach is for a learner: strong in exactly what the learner lacks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coaching.domain.matching.problem import Bools, Ints

Floats = npt.NDArray[np.float64]

SCALE = 1000  # a coach who is perfect in everything a learner needs
# Skills are read to six decimals, needs to as many as leave every sum below exact in a double.
SKILL_DECIMALS = 6
EXACT = 2**52
SINGLE_THREAD = 2**18  # multiplications in one product
PAIRS_AT_A_TIME = 2**14


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores:
    """
    The scores of all pairs, computed block by block and never stored as a whole.

    share : (learners, metrics), weight x need in whole units
    skill : (coaches, metrics), in millionths
    points : (learners, coaches), whole preference points added to the score, or None
    same : (learner codes, coach codes, points) triples; equal codes earn the points,
        a negative code is equal to nothing

    All products and sums are whole numbers below 2**52, so doubles hold them exactly and a score
    does not depend on the block it was computed in.
    """

    share: Floats
    skill: Floats
    points: npt.NDArray[np.integer] | None
    same: tuple[tuple[Ints, Ints, int], ...]
    dtype: type[np.int16] | type[np.int32]

    @property
    def shape(self) -> tuple[int, int]:
        return self.share.shape[0], self.skill.shape[0]

    def block(self, start: int, stop: int) -> npt.NDArray[np.integer]:
        """
        Return the scores (stop - start, coaches) of learners start … stop - 1.

        S = floor(1000 x sum_m w_m need_lm skill_sm / sum_m w_m need_lm) + preference points;
        a learner who needs nothing scores 0 with everybody.
        """
        share = self.share[start:stop]
        raw = np.empty((share.shape[0], self.skill.shape[0]))
        # Larger products are handed to several threads, which costs more than it brings here.
        step = max(1, SINGLE_THREAD // max(self.skill.size, 1))
        for at in range(0, share.shape[0], step):
            np.matmul(share[at : at + step], self.skill.T, out=raw[at : at + step])
        raw /= self.unit(share)[:, None]
        scores = raw.astype(self.dtype)  # truncation is floor: nothing is negative
        if self.points is not None:
            scores += self.points[start:stop].astype(self.dtype)
        for learner_code, coach_code, points in self.same:
            wanted = learner_code[start:stop, None]
            scores += ((wanted == coach_code) & (wanted >= 0)) * self.dtype(points)
        return scores

    def pairs(self, learner: Ints, coach: Ints) -> Ints:
        """Return the scores (pairs,) of single pairs."""
        learner, coach = np.asarray(learner), np.asarray(coach)
        total = np.empty(learner.size, dtype=np.int64)
        for at in range(0, learner.size, PAIRS_AT_A_TIME):
            some = slice(at, at + PAIRS_AT_A_TIME)
            share = self.share[learner[some]]
            raw = np.einsum("pm,pm->p", share, self.skill[coach[some]])
            total[some] = raw / self.unit(share)  # truncation is floor, as in ``block``
        return total + self.preference(learner, coach)

    def preference(self, learner: Ints, coach: Ints) -> Ints:
        """Return the preference points (pairs,) within the scores of single pairs."""
        learner, coach = np.asarray(learner), np.asarray(coach)
        total = np.zeros(learner.size, dtype=np.int64)
        if self.points is not None:
            total += self.points[learner, coach]
        for learner_code, coach_code, points in self.same:
            wanted = learner_code[learner]
            total += ((wanted == coach_code[coach]) & (wanted >= 0)) * points
        return total

    def parts(self, learner: Ints, coach: Ints) -> Ints:
        """
        Return how much each metric contributes, (pairs, metrics), adding up to the score without
        its preference points (largest remainders; equal remainders favour the earlier metric).
        """
        share = self.share[np.asarray(learner)]
        raw = share * self.skill[np.asarray(coach)]
        unit = self.unit(share)
        whole = np.floor(raw.sum(axis=1) / unit).astype(np.int64)
        part = np.floor(raw / unit[:, None])
        remainder = raw - part * unit[:, None]
        missing = whole - part.sum(axis=1).astype(np.int64)
        rank = np.argsort(np.argsort(-remainder, axis=1, kind="stable"), axis=1, kind="stable")
        return part.astype(np.int64) + (rank < missing[:, None])

    def among(self, learners: Ints, coaches: Ints) -> Scores:
        """Return the scores of these people only, in this order."""
        return replace(
            self,
            share=self.share[learners],
            skill=self.skill[coaches],
            points=None if self.points is None else self.points[np.ix_(learners, coaches)],
            same=tuple((a[learners], b[coaches], points) for a, b, points in self.same),
        )

    @property
    def most(self) -> int:
        """No pair scores more."""
        return SCALE + _points(self.points, self.same, *self.shape)

    @staticmethod
    def unit(share: Floats) -> Floats:
        """What share x skill is divided by, (learners,)."""
        need = share.sum(axis=1) * (10**SKILL_DECIMALS // SCALE)
        return np.where(need > 0, need, 1.0)


def build_scores(
    need: npt.ArrayLike,
    skill: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    points: npt.NDArray[np.integer] | None = None,
    same: tuple[tuple[npt.ArrayLike, npt.ArrayLike, int], ...] = (),
) -> Scores:
    """
    Prepare the scores of all pairs.

    need : (learners, metrics), 0 or more, what a learner lacks
    skill : (coaches, metrics), from 0 to 1, what a coach is strong in
    weights : (metrics,), 0 or more
    points, same : preference points, see ``Scores``

    :raises ValueError: on wrong shapes or ranges

    >>> scores = build_scores([[1, 0.5]], [[0.9, 0.3], [0.6, 1]], [1, 1])
    >>> scores.block(0, 1)
    array([[700, 733]], dtype=int16)
    >>> scores.parts([0], [1])
    array([[400, 333]])
    """
    need, skill, weights = (np.asarray(a, dtype=np.float64) for a in (need, skill, weights))
    if need.ndim != 2 or skill.ndim != 2 or not (need.shape[1] == skill.shape[1] == weights.size):
        raise ValueError(
            "Need, skill and weights must speak of the same metrics: "
            f"shapes {need.shape}, {skill.shape} and {weights.shape}."
        )
    if not (np.isfinite(need).all() and (need >= 0).all()):
        raise ValueError("Every need must be a number, 0 or more.")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("Every weight must be a number, 0 or more.")
    if not ((skill >= 0) & (skill <= 1)).all():
        raise ValueError("Every skill must be a number from 0 to 1.")
    lacking = need * weights
    most = lacking.sum(axis=1).max(initial=0)
    decimals = 6
    while most * 10.0 ** (decimals + SKILL_DECIMALS) >= EXACT / 2:
        decimals -= 1  # very large weights; fewer decimals of them matter
    extra = _points(points, same, need.shape[0], skill.shape[0])
    return Scores(
        share=np.rint(lacking * 10.0**decimals),
        skill=np.rint(skill * 10.0**SKILL_DECIMALS),
        points=points,
        same=tuple((np.asarray(a), np.asarray(b), int(p)) for a, b, p in same),
        dtype=np.int16 if SCALE + extra <= np.iinfo(np.int16).max else np.int32,
    )


def focus_metric(parts: Ints, may_teach: Bools) -> Ints:
    """
    Return the metric (pairs,) to work on: the largest part among those the coach may teach.

    parts, may_teach : (pairs, metrics). Equal parts favour the earlier metric; -1 where the coach
    may teach none.

    >>> focus_metric(np.array([[400, 333]]), np.array([[False, True]]))
    array([1])
    """
    allowed = np.where(may_teach, parts, -1)
    if allowed.shape[1] == 0:
        return np.full(allowed.shape[0], -1)
    return np.where(np.any(may_teach, axis=1), allowed.argmax(axis=1), -1)


def _points(
    points: npt.NDArray[np.integer] | None,
    same: tuple[tuple[npt.ArrayLike, npt.ArrayLike, int], ...],
    learners: int,
    coaches: int,
) -> int:
    """Return the most points any pair can have."""
    most = 0
    if points is not None:
        if points.shape != (learners, coaches) or points.dtype.kind not in "iu":
            raise ValueError("Preference points must be whole numbers, one for each pair.")
        if points.min(initial=0) < 0:
            raise ValueError("Preference points must be 0 or more; reward instead of punishing.")
        most += int(points.max(initial=0))
    for learner_code, coach_code, reward in same:
        if np.shape(learner_code) != (learners,) or np.shape(coach_code) != (coaches,):
            raise ValueError("Give one code for each learner and one for each coach.")
        if reward < 0:
            raise ValueError("Preference points must be 0 or more; reward instead of punishing.")
        most += int(reward)
    if most + SCALE > np.iinfo(np.int32).max:
        raise ValueError("Preference points are too large.")
    return most
