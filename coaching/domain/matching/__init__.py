"""
Who coaches whom: one optimal plan for everybody, with a reason for every pair and omission.

``Problem`` states it and refuses in words what cannot be; ``solve`` plans exactly;
``solve_dense`` plans large complete tables without storing them; ``certify`` proves a plan
without trusting the solver; ``regret``, ``runner_up`` and ``why_unmatched`` explain it.
"""

from coaching.domain.matching.certificate import Certificate, certify
from coaching.domain.matching.dense import DenseAnswer, solve_dense
from coaching.domain.matching.exchange import answer
from coaching.domain.matching.explain import Shortages, Unmatched, why_unmatched
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
    "Scores",
    "Shortages",
    "Unmatched",
    "answer",
    "build_scores",
    "certify",
    "focus_metric",
    "regret",
    "regret_dense",
    "runner_up",
    "runner_up_learner",
    "solve",
    "solve_dense",
    "why_unmatched",
]
