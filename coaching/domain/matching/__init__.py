"""
Who coaches whom: one optimal plan for everybody, with a reason for every pair and omission.

``Problem`` states it and refuses in words what cannot be; ``solve`` plans exactly;
``solve_dense`` plans large complete tables without storing them, ``solve_people`` still
larger ones without looking at every pair; ``certify`` proves a plan
without trusting the solver; ``strata`` and ``solve_parts`` plan independent parts on their own;
``draw`` lets the lot decide who gets a scarce seat; ``regret``, ``runner_up`` and
``why_unmatched`` explain a plan.
"""

from coaching.domain.matching.certificate import Certificate, certify
from coaching.domain.matching.dense import DenseAnswer, solve_dense
from coaching.domain.matching.exchange import answer
from coaching.domain.matching.explain import Shortages, Unmatched, why_unmatched
from coaching.domain.matching.lot import draw
from coaching.domain.matching.parts import joined, part_of, solve_parts, strata
from coaching.domain.matching.people import SparseAnswer, solve_people
from coaching.domain.matching.problem import Plan, Problem, Refused
from coaching.domain.matching.regrets import (
    NOBODY,
    Exchanges,
    Move,
    Regret,
    regret,
    regret_dense,
    runner_up,
    runner_up_learner,
)
from coaching.domain.matching.runners import RunnersUp, runners_up
from coaching.domain.matching.scores import Scores, build_scores, focus_metric
from coaching.domain.matching.solver import solve

__all__ = [
    "NOBODY",
    "Certificate",
    "DenseAnswer",
    "Exchanges",
    "Move",
    "Plan",
    "Problem",
    "Refused",
    "Regret",
    "RunnersUp",
    "Scores",
    "Shortages",
    "SparseAnswer",
    "Unmatched",
    "answer",
    "build_scores",
    "certify",
    "draw",
    "focus_metric",
    "joined",
    "part_of",
    "regret",
    "regret_dense",
    "runner_up",
    "runner_up_learner",
    "runners_up",
    "solve",
    "solve_dense",
    "solve_parts",
    "solve_people",
    "strata",
    "why_unmatched",
]
