"""Matching: one plan for many people, its proof, and what a change costs."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from scipy.optimize import linear_sum_assignment

from coaching.domain.matching import (
    Exchanges,
    Problem,
    Scores,
    build_scores,
    certify,
    regret_dense,
    solve,
    solve_dense,
    solve_people,
)
from coaching.management.benchmarks import Benchmark, Lines, peak_mb, some

SEED = 20_250_106
METRICS = 6
SEATS = 4
CHANGES = 5  # of which the median counts


class Clock:
    """
    Seconds of processor and of wall, once the block is left.

    On a busy machine the wall says how busy it is, and even a processor second does less.
    """

    cpu = wall = 0.0

    def __str__(self) -> str:
        return f"{self.cpu:.2f} s CPU, {self.wall:.2f} s wall"


@contextmanager
def clock() -> Iterator[Clock]:
    taken = Clock()
    cpu, wall = time.process_time(), time.perf_counter()
    yield taken
    taken.cpu, taken.wall = time.process_time() - cpu, time.perf_counter() - wall


def skills(learners: int, coaches: int) -> Scores:
    """
    Scores from skills: learners lack some of six metrics, coaches are anywhere from 0 to 1.

    Both are rounded to two decimals, so the scores have a low rank and many ties.
    """
    rng = np.random.default_rng(SEED)
    need = np.round(np.maximum(rng.standard_normal((learners, METRICS)), 0) + 0.01, 2)
    skill = np.round(np.clip(0.5 + 0.2 * rng.standard_normal((coaches, METRICS)), 0, 1), 2)
    return build_scores(need, skill, np.ones(METRICS))


def _dense(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """From skills to a proven plan over all pairs."""
    with clock() as ours:
        scores = skills(learners, coaches)
        capacity = np.full(coaches, SEATS)
        found = solve_dense(scores, capacity=capacity)
    lines = [
        ("pairs", f"{learners * coaches:,} ({learners:,} x {coaches:,} x {SEATS} seats)"),
        ("scores, plan and proof", str(ours)),
        ("gap", f"{found.gap} of {found.plan.total:,}, after {found.rounds} rounds"),
        ("pairs in the flow", f"{found.candidates:,}"),
        ("peak memory", f"{peak_mb():,.0f} MB"),
    ]
    if scipy:
        with clock() as theirs:
            table = np.repeat(scores.block(0, learners).astype(np.float64), SEATS, axis=1)
            rows, columns = linear_sum_assignment(table, maximize=True)
            total = int(table[rows, columns].sum())
        lines += [
            ("SciPy on the full matrix", f"{theirs}, total {total:,}"),
            ("ours / SciPy", f"{ours.cpu / theirs.cpu:.3f} of its CPU time"),
            ("same total", "yes" if total == found.plan.total else "NO"),
        ]
    return lines


def _huge(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """Every pair looked at in every round, none stored; as good as proven to 0.01 %."""
    with clock() as taken:
        scores = skills(learners, coaches)
        found = solve_dense(
            scores,
            capacity=np.full(coaches, SEATS),
            tolerance=0.0001,
            fair=False,
        )
    return [
        ("pairs", f"{learners * coaches:,} ({learners:,} x {coaches:,} x {SEATS} seats)"),
        ("scores, plan and proof", str(taken)),
        ("proven gap by round", ", ".join(f"{gap / found.plan.total:.5%}" for gap in found.gaps)),
        ("matched", f"{found.plan.matched:,}"),
        ("pairs in the flow", f"{found.candidates:,}"),
        ("peak memory", f"{peak_mb():,.0f} MB"),
    ]


def _given(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """Candidates are given: thirty for each learner, by chance. Exact over these."""
    rng = np.random.default_rng(SEED)
    each = min(30, coaches)
    # Steps through the coaches from anywhere, so that the thirty are different.
    step = max(1, coaches // each)
    start = rng.integers(0, coaches, (learners, 1))
    coach = np.sort((start + np.arange(each) * step) % coaches, axis=1).ravel()
    learner = np.repeat(np.arange(learners), each)
    score = skills(learners, coaches).pairs(learner, coach)
    with clock() as stated:
        problem = Problem(
            learners=learners,
            coaches=coaches,
            capacity=np.full(coaches, SEATS),
            learner=learner,
            coach=coach,
            score=score,
        )
    with clock() as planned:
        plan = solve(problem)
    with clock() as proven:
        proof = certify(problem, plan)
    return [
        ("pairs", f"{learner.size:,} given ({learners:,} learners, {coaches:,} coaches)"),
        ("checking the input", str(stated)),
        ("plan, all four objectives", str(planned)),
        ("proof", str(proven)),
        ("gap", f"{proof.gap} of {plan.total:,}, {plan.matched:,} matched"),
        ("peak memory", f"{peak_mb():,.0f} MB"),
    ]


def _million(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """From people to a plan, cut apart by lot."""
    with clock() as taken:
        scores = skills(learners, coaches)
        found = solve_people(scores, capacity=np.full(coaches, SEATS))
    total = found.plan.total
    return [
        ("people", f"{learners:,} x {coaches:,} x {SEATS} seats"),
        ("scores, plan and estimate", str(taken)),
        ("estimated gap", f"{found.gap / total:.4%}, standard error {found.gap_error / total:.4%}"),
        ("matched", f"{found.plan.matched:,} in {found.rounds} rounds"),
        ("pairs in the flow", f"{found.candidates:,}"),
        ("peak memory", f"{peak_mb():,.0f} MB"),
    ]


def _change(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """One pin, one ban, one ban more ...: each time the whole plan again, from the last one."""
    scores, capacity = skills(learners, coaches), np.full(coaches, SEATS)
    last = solve_dense(scores, capacity=capacity)
    rng = np.random.default_rng(SEED)
    taken = {"pin": [], "forbid": []}
    for _ in range(CHANGES):
        learner = int(rng.integers(learners))
        now = int(last.plan.coach[last.plan.learner == learner][0])
        other = (now + 1 + int(rng.integers(coaches - 1))) % coaches
        for rule, what in (
            ("pin", {"pinned": [(learner, other)]}),
            ("forbid", {"forbidden": [(learner, now)]}),
        ):
            with clock() as one:
                found = solve_dense(scores, capacity=capacity, start=last, **what)
            if not found.optimal:
                raise RuntimeError("A change ended without proof.")
            taken[rule].append(one.cpu)
    return [
        ("people", f"{learners:,} x {coaches:,} x {SEATS} seats"),
        *(
            (f"{rule}, with proof", f"{np.median(cpu):.3f} s CPU, at most {max(cpu):.3f}")
            for rule, cpu in taken.items()
        ),
    ]


def _prices(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """What insisting on each of all coaches would cost, for one learner after another."""
    scores, capacity = skills(learners, coaches), np.full(coaches, SEATS)
    plan = solve_dense(scores, capacity=capacity).plan
    rng = np.random.default_rng(SEED)
    seconds = []
    for learner in rng.integers(0, learners, CHANGES).tolist():
        with clock() as one:
            regret_dense(scores.block, plan, learner, capacity=capacity)
        seconds.append(one.cpu)
    return [
        ("people", f"{learners:,} x {coaches:,} x {SEATS} seats"),
        ("all prices for a learner", f"{np.median(seconds):.3f} s CPU, at most {max(seconds):.3f}"),
    ]


def _small_change(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """As the plan page does it: a pin, the whole plan anew, and all reasons beside it."""
    score = skills(learners, coaches).block(0, learners).astype(np.int64)
    learner, coach = np.indices(score.shape).reshape(2, -1)
    people = {"learners": learners, "coaches": coaches, "capacity": np.full(coaches, SEATS)}
    edges = {"learner": learner, "coach": coach, "score": score.ravel()}
    with clock() as planned:
        problem = Problem(**people, **edges, pinned=[(0, coaches - 1)])
        plan = solve(problem)
    with clock() as explained:
        Exchanges(problem, plan).regret(1)
    return [
        ("people", f"{learners:,} x {coaches:,} x {SEATS} seats, every pair in the flow"),
        ("a pin, planned anew", str(planned)),
        ("all prices for a learner", str(explained)),
    ]


def _growth(learners: int, coaches: int, *, scipy: bool) -> Lines:
    """Ten times the people, and again, up to so many."""
    lines: Lines = []
    size = 1_000
    while size <= learners:
        with clock() as taken:
            found = solve_people(
                skills(size, size * 3 // 10), capacity=np.full(size * 3 // 10, SEATS)
            )
        gap, error = (100 * x / found.plan.total for x in (found.gap, found.gap_error))
        lines.append(
            (f"{size:,}", f"{taken}, {peak_mb():,.0f} MB so far, gap {gap:.3f} % +- {error:.3f} %")
        )
        size *= 10
    return lines


# name: what it does, learners, coaches, whether it is quick
CASES: dict[str, tuple[Callable[..., Lines], int, int, bool]] = {
    "dense": (_dense, 10_000, 3_000, True),
    "tight": (_dense, 10_000, 2_500, True),
    "change": (_change, 10_000, 3_000, True),
    "page": (_small_change, 500, 200, True),
    "prices": (_prices, 10_000, 3_000, True),
    "huge": (_huge, 100_000, 30_000, False),
    "given": (_given, 1_000_000, 300_000, False),
    "million": (_million, 1_000_000, 300_000, False),
    "growth": (_growth, 1_000_000, 300_000, False),
}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--case",
        choices=[*CASES, "quick", "all"],
        default="quick",
        help="; ".join(f"{name}: {n:,} x {m:,}" for name, (_, n, m, _) in CASES.items()),
    )
    parser.add_argument("--learners", type=some, help="other than the case has")
    parser.add_argument("--coaches", type=some, help="other than the case has")
    parser.add_argument(
        "--scipy", action="store_true", help="also SciPy on the full matrix (minutes, 2 GB)"
    )


def measure_matching(*, case: str, learners: int | None, coaches: int | None, scipy: bool) -> Lines:
    """Measure one case, the quick ones, or all; peak memory is that of the program so far."""
    lines: Lines = []
    for name, (measure, n, m, quick) in CASES.items():
        if case in (name, "all") or (case == "quick" and quick):
            found = measure(learners or n, coaches or m, scipy=scipy)
            lines += [(f"{name}: {what}", figure) for what, figure in found]
    return lines


BENCHMARKS = {
    "matching": Benchmark(
        "plans, proofs, changes and prices", _arguments, measure_matching, stores=False
    ),
}
