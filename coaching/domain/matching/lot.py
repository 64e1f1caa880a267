"""Who gets a seat when seats are scarce and the lot decides, not the score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coaching.domain.matching.flow import best_pairs
from coaching.domain.matching.problem import Bools, Problem


def draw(problem: Problem, order: npt.ArrayLike) -> Bools:
    """
    Return who gets a coach (learners,) if the lot decides.

    order : (learners,), the drawn places, smallest first; equal places favour the smaller id

    As many learners as possible get one coach, and among those choices the one that is first in
    the lot: nobody who could still have a seat beside everybody drawn before them goes without.
    Pinned learners are in before anybody is drawn. The sets of learners who can be seated
    together are a matroid, so the smallest sum of places is the first set in the lot too (Edmonds
    1971) and one flow finds it.

    >>> one_seat = Problem(learners=3, coaches=1, capacity=[1],
    ...                    learner=[0, 1, 2], coach=[0, 0, 0], score=[9, 5, 1])
    >>> draw(one_seat, [2, 0, 1])
    array([False,  True, False])
    """
    places = np.asarray(order)
    if places.shape != (problem.learners,):
        raise ValueError("Give every learner one place in the lot.")
    net = problem.network
    drawn = np.lexsort((problem.learner_ids, places))
    place = np.empty(problem.learners, dtype=np.int64)
    place[drawn] = np.arange(problem.learners)
    seated = np.zeros(problem.learners, dtype=bool)
    seated[problem.pinned[:, 0]] = True
    asking = (net.demand > 0) & ~seated[net.learner_at]
    edge = np.flatnonzero(asking[net.learner])
    held = best_pairs(
        net.learner[edge],
        net.coach[edge],
        -place[net.learner_at[net.learner[edge]]],
        demand=asking.astype(np.int64),
        capacity=net.capacity,
    )
    seated[net.learner_at[net.learner[edge[held]]]] = True
    return seated
