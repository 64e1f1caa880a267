"""A problem read from, and a plan written as, plain values that JSON can carry."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

from coaching.domain.matching.explain import Shortages
from coaching.domain.matching.problem import Plan, Problem, Refused
from coaching.domain.matching.solver import solve

REQUIRED = ("learners", "coaches", "capacity", "edges")
OPTIONAL = ("forbidden", "pinned", "demand")


def answer(text: str) -> dict[str, Any]:
    """
    Return the plan, or the reasons for refusing, for a problem written as JSON.

    The problem is ``{"learners": n, "coaches": m, "capacity": [m], "edges": [[learner, coach,
    score], ...]}`` with optional ``forbidden`` and ``pinned`` ([[learner, coach], ...]) and
    ``demand`` ([n]).

    >>> answer('{"learners": 1, "coaches": 1, "capacity": [1], "edges": [[0, 0, 7]]}')["pairs"]
    [[0, 0, 7]]
    >>> answer("hello")["status"]
    'refused'
    """
    try:
        problem = read_problem(text)
        plan = solve(problem)
    except Refused as refused:
        return refusal(refused.reasons)
    return {"status": "ok", "reasons": [], **describe(problem, plan)}


def refusal(reasons: list[str]) -> dict[str, Any]:
    """Return the answer without a plan; every key is there so that readers need no exceptions."""
    return {
        "status": "refused",
        "reasons": reasons,
        "pairs": [],
        "matched": 0,
        "total": 0,
        "worst": None,
        "sum_sq_load": 0,
        "unmatched": [],
    }


def read_problem(text: str) -> Problem:
    """
    Read a problem from JSON.

    :raises Refused: with every reason found
    """
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused([f"This is not JSON: {error}."]) from None
    if not isinstance(asked, dict):
        raise Refused(["The problem must be a JSON object with the keys learners, coaches, …"])
    reasons = [f'The key "{key}" is missing.' for key in REQUIRED if key not in asked]
    for key in asked.keys() - {*REQUIRED, *OPTIONAL}:
        # Notes of the writer's own are welcome; a rule lost to a slip of the pen is not.
        for meant in get_close_matches(key, OPTIONAL, n=1):
            reasons.append(f'The key "{key}" is not known; did you mean "{meant}"?')
    if reasons:
        raise Refused(sorted(reasons))
    rows = _given(asked, "edges")
    if not isinstance(rows, list):
        reasons.append("The edges are not a list of [learner, coach, score].")
        rows = []
    for at, row in enumerate(rows):
        if not (isinstance(row, list) and len(row) == 3):
            reasons.append(f"Edge {at} is {_show(row)}; give [learner, coach, score].")
    if reasons:
        # Filled up, so that the other edges keep their numbers in the reasons that follow.
        rows = [([*row] if isinstance(row, list) else []) + [None] * 3 for row in rows]
    try:
        problem = Problem(
            learners=asked["learners"],
            coaches=asked["coaches"],
            capacity=_given(asked, "capacity"),
            learner=[row[0] for row in rows],
            coach=[row[1] for row in rows],
            score=[row[2] for row in rows],
            forbidden=_given(asked, "forbidden"),
            pinned=_given(asked, "pinned"),
            demand=asked.get("demand"),
        )
    except Refused as refused:
        raise Refused(reasons + refused.reasons) from None
    if reasons:
        raise Refused(reasons)
    return problem


def describe(problem: Problem, plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values, with the reason for every open wish."""
    short = (plan.unfilled > 0).nonzero()[0].tolist()
    shortages = Shortages(problem, plan) if short else None
    missing = [shortages.why(learner) for learner in short] if shortages else []
    return {
        "pairs": [
            [*pair, score] for pair, score in zip(plan.pairs, plan.score.tolist(), strict=True)
        ],
        "matched": plan.matched,
        "total": plan.total,
        "worst": plan.worst,
        "sum_sq_load": plan.sum_sq_load,
        "unmatched": [
            {
                "learner": why.learner,
                "reason": why.reason,
                "competing_learners": why.competing_learners,
                "contested_coaches": why.contested_coaches,
                "seats": why.seats,
            }
            for why in missing
        ],
    }


def _given(asked: dict[str, Any], key: str) -> Any:
    """Optional lists may be left out or null."""
    return [] if asked.get(key) is None else asked[key]


def _show(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
