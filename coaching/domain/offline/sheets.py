"""A plan of a file as the sheets of a workbook, and as plain values for machines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from coaching.domain import tables
from coaching.domain.offline import words
from coaching.domain.offline.planning import Outcome, Pair, Skill
from coaching.domain.offline.reading import EVERYBODY, fact
from coaching.domain.ranking import Band, interval_in_units, to_units
from coaching.domain.selection import Policy

# A sheet of Excel ends there, its header included.
MOST_ROWS = 1_048_576
PERCENT, TWO, THREE = "0 %", "0.00", "0.000"
LEVEL = 0.95
_DIGITS = 9


class Figure(NamedTuple):
    """A number, and how a spreadsheet shows it."""

    value: float
    form: str


Cell = str | int | float | Figure | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Sheet:
    """
    A header and rows of plain cells.

    wide : columns of sentences, which are wrapped, and how many letters a line of them takes
    sections : rows whose first cell is a heading
    """

    title: str
    header: list[str]
    rows: list[list[Cell]]
    wide: Mapping[str, int] = field(default_factory=dict)
    sections: frozenset[int] = frozenset()


def sheets(outcome: Outcome) -> list[Sheet]:
    """Summary, Pairs, Unpaired, People and Problems, in this order."""
    return [
        _summary(outcome),
        _pairs(outcome),
        _unpaired(outcome),
        _people(outcome),
        problems_sheet(outcome.material.problems, outcome.material.problem_count),
    ]


# -- summary -----------------------------------------------------------------------------


def _summary(outcome: Outcome) -> Sheet:
    rows: list[list[Cell]] = []
    sections = set()
    for heading, lines in (
        ("This workbook", [["Confidential", None, words.CONFIDENTIAL]]),
        ("The plan", _result(outcome)),
        ("Warnings", [[None, None, told] for told in words.warnings(outcome)]),
        ("How sure it is", _certainty(outcome)),
        ("What was read", _read(outcome)),
        ("Metrics", _metrics(outcome)),
        ("How to read it", _reading_aid(outcome)),
    ):
        if lines:
            sections.add(len(rows))
            rows.append([heading, None, None])
            rows.extend(lines)
    return Sheet(
        title="Summary",
        header=["What", "Figure", "In words"],
        rows=rows,
        wide={"In words": 90},
        sections=frozenset(sections),
    )


def _result(outcome: Outcome) -> list[list[Cell]]:
    plan, learners = outcome.plan, len(outcome.learners)
    rows: list[list[Cell]] = []
    for at, told in enumerate(words.nobody(outcome)):
        rows.append(["No pairs" if at == 0 else "What would help", None, told])
    if learners:
        told = f"Of {learners:,} learners."
        if outcome.waiting:
            told += f" {len(outcome.waiting):,} without one: sheet Unpaired."
        rows.append(["Learners with a coach", plan.matched, told])
    else:
        rows.append(["Learners", 0, None])
    rows.append(["Coaches", len(outcome.coaches), words.load(outcome)])
    rows.append(["Seats", sum(outcome.seats), "Of these coaches together."])
    if outcome.pairs:
        mean = round(plan.total / plan.matched, _DIGITS)
        rows += [
            ["Total score", plan.total, "No other plan with as many learners has a higher one."],
            ["Mean score", Figure(mean, "0"), "Of 1000, where a coach is sure to be strong in all "
             "that a learner needs; shared site, shift or team on top."],
            ["Worst score", plan.worst, "The pair that fits least; among the best plans the one "
             "where this is highest."],
        ]  # fmt: skip
    return rows


def _certainty(outcome: Outcome) -> list[list[Cell]]:
    chosen, wishes = outcome.chosen, outcome.wishes
    rows: list[list[Cell]] = [["Policy", None, words.policy(outcome)]]
    for side, count, wrong in (
        ("Learners", chosen.learners, chosen.learners_wrong),
        ("Coaches", chosen.coaches, chosen.coaches_wrong),
    ):
        rows.append([f"{side} chosen by the ranking", count, None])
        if count:
            told = "Expected, from the chances on the sheet People."
            rows.append(["of them wrongly", Figure(round(wrong, 6), "0.0"), told])
    if outcome.raised or outcome.both:
        rows.append(["Raised hands added", len(outcome.raised), "They replace nobody."])
    for name in Policy:
        mark = "This plan. " if name == wishes.policy else ""
        rows.append([f"Policy {name}", None, f"{mark}{words.costs(outcome, name)}"])
    counts = np.bincount(outcome.overall.band, minlength=len(Band)).tolist()
    for band in Band:
        if counts[band]:
            rows.append([f"Overall: {band.words}", counts[band], None])
    return rows


def _read(outcome: Outcome) -> list[list[Cell]]:
    material, mapping = outcome.material, outcome.material.meaning.mapping
    shape = {
        "events": "One row is one call, survey or case.",
        "aggregated": "One row is a total of one person and period.",
    }[mapping.shape]
    where = f"Sheet “{material.sheet}”. {shape}" if material.sheet else shape
    rows: list[list[Cell]] = [
        ["Rows read", material.rows_read, where],
        ["Rows used", material.rows_used, None],
        ["Person", len(material.people), f"Column “{mapping.person}”."],
    ]
    days = material.readings.period
    if mapping.date is None:
        rows.append(["Weeks", None, "No dates: everything counts as one period."])
    else:
        weeks = np.unique(days)
        told = f"Column “{mapping.date}”: weeks of {weeks[0]} to {weeks[-1]}; all of them count."
        rows.append(["Weeks", len(weeks), told])
    group = material.meaning.group_by
    told = "Everybody is compared with everybody."
    if group is not None:
        column = mapping.team if group == "team" else mapping.attributes[group]
        told = f"Column “{column}”: people are compared, and paired, within their group."
    rows.append(["Peer groups", len(material.groups), told])
    for label, column in (
        ("Name", mapping.name),
        ("Team", mapping.team),
        ("Site", mapping.attributes.get("site")),
        ("Shift", mapping.attributes.get("shift")),
        ("Seats", mapping.attributes.get("capacity")),
        ("Raised hands", material.meaning.hand),
        ("Manager", mapping.manager),
    ):
        if column:
            rows.append([label, None, f"Column “{column}”."])
    if material.rules_sheet:
        told = f"Sheet “{material.rules_sheet}”."
        rows.append(["Rules", len(material.rules), told])
    for ignored in mapping.ignored:
        rows.append(["Not read", None, f"Column “{ignored.column}”: {ignored.why}"])
    return rows


def _metrics(outcome: Outcome) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for skill in outcome.skills:
        metric = skill.metric
        columns = ", ".join(f"“{name}”" for name in metric.columns)
        rows.append([
            metric.name,
            Figure(round(skill.weight, 6), "0.##"),
            f"Weight. Column {columns}: a {metric.kind}, {metric.direction} is better. "
            f"{words.how_sure(skill)}",
        ])  # fmt: skip
    return rows


def _reading_aid(outcome: Outcome) -> list[list[Cell]]:
    part = words.part(outcome.wishes.q)
    return [
        ["Estimate", None, "Own value drawn toward the peers' mean by as much as it is luck."],
        ["Low, High", None, f"Where the true value lies, {100 * LEVEL:.0f} times in 100."],
        ["Worst, Best", None, f"The chance of truly being in the worst or best {part} of the "
         "peers."],
        ["Band", None, "What may be said: a label needs a chance of 80 % and a reliability of "
         "0.50; “cannot tell” means just that."],
    ]  # fmt: skip


# -- pairs -------------------------------------------------------------------------------


def _pairs(outcome: Outcome) -> Sheet:
    material, names = outcome.material, outcome.material.names
    grouped = material.meaning.group_by is not None
    rows = []
    for pair in outcome.pairs:
        learner, coach = outcome.learners[pair.learner], outcome.coaches[pair.coach]
        best = pair.next_best
        rows.append([
            names[learner],
            names[coach],
            *([material.groups[material.group[learner]]] if grouped else []),
            outcome.counted[pair.skill].metric.name,
            pair.score,
            _parts(pair),
            words.why(outcome, pair),
            None if best is None else names[outcome.coaches[best]],
            None if best is None else pair.next_score,
            None if best is None or pair.lost_seats else pair.lost_score,
            words.insisting(outcome, pair),
            pair.candidates,
            words.few(pair),
            _source(outcome, learner),
        ])  # fmt: skip
    header = ["Learner", "Coach", *(["Peer group"] if grouped else []), "Skill", "Score", "Parts",
              "Why", "Next best coach", "Their score", "Price of insisting",
              "What insisting does", "Possible coaches", "Few coaches", "Learner by"]  # fmt: skip
    return Sheet(
        title="Pairs",
        header=header,
        rows=rows or _only("No pairs; the sheet Summary says why, and what would help.", header),
        wide={"Parts": 30, "Why": 52, "What insisting does": 28},
    )


def _only(note: str, header: Sequence[str]) -> list[list[Cell]]:
    """An empty sheet that says why it is empty."""
    return [[note, *[None] * (len(header) - 1)]]


def _parts(pair: Pair) -> str:
    return ", ".join(f"{name} {points}" for name, points in pair.parts)


def _source(outcome: Outcome, at: int) -> str:
    return "ranking" if outcome.chosen.learner[at] else "raised hand"


def _unpaired(outcome: Outcome) -> Sheet:
    names = outcome.material.names
    header = ["Learner", "Learner by", "Reason", "Smallest cure"]
    rows: list[list[Cell]] = [
        [
            names[outcome.learners[one.learner]],
            _source(outcome, outcome.learners[one.learner]),
            one.reason,
            one.cure,
        ]
        for one in outcome.waiting
    ]
    return Sheet(
        title="Unpaired",
        header=header,
        rows=rows or _only("Every learner has a coach.", header),
        wide={"Reason": 70, "Smallest cure": 60},
    )


# -- people ------------------------------------------------------------------------------


def _people(outcome: Outcome) -> Sheet:
    material = outcome.material
    facts = [
        (label, name)
        for label, name, column in (
            ("Team", "team", material.meaning.mapping.team),
            ("Site", "site", material.meaning.mapping.attributes.get("site")),
            ("Shift", "shift", material.meaning.mapping.attributes.get("shift")),
        )
        if column and name != material.meaning.group_by
    ]
    header = ["Person", "Identifier", "Peer group", *(label for label, _ in facts), "Skill", "n",
              "Raw", "Estimate", "Low", "High", "Reliability", "Worst", "Best", "Band",
              "In the plan", "Seats", "Learners"]  # fmt: skip
    rows: list[list[Cell]] = []
    columns = [_overall(outcome), *(_figures(skill) for skill in outcome.skills)]
    roles = _roles(outcome)
    for at, person in enumerate(material.people):
        group = material.groups[material.group[at]]
        about: list[Cell] = [material.names[at], person.key,
                             "" if group == EVERYBODY else group]  # fmt: skip
        about += [fact(person, name) for _, name in facts]
        for place, column in enumerate(columns):
            part = roles.get(at, ["", None, None]) if place == 0 else [None] * 3
            rows.append([*about, *column[at], *part])
    if len(rows) >= MOST_ROWS:
        rows = rows[: MOST_ROWS - 2]
        rows.append(["A sheet of Excel ends here; --json tells about everybody."])
    return Sheet(title="People", header=header, rows=rows)


def _roles(outcome: Outcome) -> dict[int, list[Cell]]:
    roles: dict[int, list[Cell]] = {at: ["learner", None, None] for at in outcome.learners}
    for at, seats, held in zip(
        outcome.coaches, outcome.seats, outcome.plan.load.tolist(), strict=True
    ):
        roles[at] = ["coach", seats, held]
    return roles


def _overall(outcome: Outcome) -> list[list[Cell]]:
    """Overall scores are in spreads from the peers' mean, higher is better."""
    overall = outcome.overall
    half = float(ndtri((1 + LEVEL) / 2)) * overall.se
    return _lines(
        "Overall",
        n=np.full(overall.score.shape, np.nan),
        raw=np.full(overall.score.shape, np.nan),
        middle=overall.score,
        ends=(overall.score - half, overall.score + half),
        ranking=overall,
        form=TWO,
    )


def _figures(skill: Skill) -> list[list[Cell]]:
    ranking, kind = skill.ranking, skill.metric.kind
    ends = interval_in_units(kind=kind, value=ranking.theta, se=ranking.se, level=LEVEL)
    limits = {"proportion": (0.0, 1.0), "rate": (0.0, np.inf)}.get(kind, (-np.inf, np.inf))
    return _lines(
        skill.metric.name,
        n=ranking.n,
        raw=to_units(kind=kind, value=ranking.raw),
        middle=to_units(kind=kind, value=ranking.theta),
        ends=tuple(np.clip(end, *limits) for end in ends),
        ranking=ranking,
        form={"proportion": "0.0 %", "rate": THREE, "duration": "0.0"}.get(kind, TWO),
    )


def _lines(
    name: str,
    *,
    n: np.ndarray,
    raw: np.ndarray,
    middle: np.ndarray,
    ends: Sequence[np.ndarray],
    ranking: Any,
    form: str,
) -> list[list[Cell]]:
    columns = [
        _column(n, "#,##0.##"),
        _column(raw, form),
        _column(middle, form),
        _column(ends[0], form),
        _column(ends[1], form),
        _column(ranking.reliability, TWO),
        _column(ranking.p_low, PERCENT),
        _column(ranking.p_high, PERCENT),
        [Band(code).words for code in ranking.band.tolist()],
    ]
    return [[name, *line] for line in zip(*columns, strict=True)]


def _column(values: np.ndarray, form: str) -> list[Figure | None]:
    return [
        Figure(round(value, _DIGITS), form) if math.isfinite(value) else None
        for value in np.asarray(values, float).tolist()
    ]


# -- problems ----------------------------------------------------------------------------


def problems_sheet(problems: Sequence[tables.Problem], count: int) -> Sheet:
    rows: list[list[Cell]] = [
        [one.sheet, one.row, one.column, one.letter, one.value, one.message, one.hint]
        for one in problems
    ]
    if not rows:
        rows = [[None, None, None, None, None, "No problems: every row was used.", None]]
    elif count > len(problems):
        more = f"and {count - len(problems):,} more"
        rows.append([None, None, None, None, None, more, None])
    return Sheet(
        title="Problems",
        header=["Sheet", "Row", "Column", "Letter", "Value", "What is wrong", "What to do"],
        rows=rows,
        wide={"What is wrong": 52, "What to do": 52},
    )


# -- for machines ------------------------------------------------------------------------


def plain(outcome: Outcome) -> dict[str, Any]:
    """The same as values that JSON can carry."""
    material, names = outcome.material, outcome.material.names
    keys = [person.key for person in material.people]
    return {
        "status": "ok",
        "reasons": [],
        "read": {
            "sheet": material.sheet,
            "rows": material.rows_read,
            "rows_used": material.rows_used,
            "people": len(keys),
            "groups": material.groups,
            "mapping": material.meaning.mapping.to_json(),
        },
        "metrics": [
            {
                "name": skill.metric.name,
                "kind": skill.metric.kind,
                "direction": skill.metric.direction,
                "weight": skill.weight,
                "reliability": round(skill.reliability, _DIGITS),
                "chance_alone": skill.chance_alone,
            }
            for skill in outcome.skills
        ],
        "policy": {
            "name": str(outcome.wishes.policy),
            "q": outcome.wishes.q,
            "quota": outcome.wishes.quota,
            "learners": outcome.chosen.learners,
            "learners_wrong": round(outcome.chosen.learners_wrong, _DIGITS),
            "coaches": outcome.chosen.coaches,
            "coaches_wrong": round(outcome.chosen.coaches_wrong, _DIGITS),
        },
        "learners": [keys[at] for at in outcome.learners],
        "coaches": [keys[at] for at in outcome.coaches],
        "raised_hands": [keys[at] for at in outcome.raised],
        "matched": outcome.plan.matched,
        "total": outcome.plan.total,
        "worst": outcome.plan.worst,
        "sum_sq_load": outcome.plan.sum_sq_load,
        "pairs": [_plain_pair(outcome, pair, keys) for pair in outcome.pairs],
        "unpaired": [
            {"learner": keys[outcome.learners[one.learner]], "reason": one.reason,
             "cure": one.cure}
            for one in outcome.waiting
        ],
        "people": [
            {"person": key, "name": name, "group": material.groups[material.group[at]],
             "band": Band(outcome.overall.band[at]).words}
            for at, (key, name) in enumerate(zip(keys, names, strict=True))
        ],
        "advice": list(words.nobody(outcome)),
        "warnings": list(words.warnings(outcome)),
        "problems": plain_problems(material.problems),
        "problem_count": material.problem_count,
    }  # fmt: skip


def plain_problems(problems: Sequence[tables.Problem]) -> list[dict[str, Any]]:
    return [
        {
            "sheet": one.sheet,
            "row": one.row,
            "column": one.column,
            "value": one.value,
            "message": one.message,
            "hint": one.hint,
        }
        for one in problems
    ]


def _plain_pair(outcome: Outcome, pair: Pair, keys: Sequence[str]) -> dict[str, Any]:
    best = pair.next_best
    return {
        "learner": keys[outcome.learners[pair.learner]],
        "coach": keys[outcome.coaches[pair.coach]],
        "skill": outcome.counted[pair.skill].metric.name,
        "score": pair.score,
        "parts": [{"name": name, "points": points} for name, points in pair.parts],
        "pinned": pair.pinned,
        "why": words.why(outcome, pair),
        "candidates": pair.candidates,
        "next_best": None
        if best is None
        else {
            "coach": keys[outcome.coaches[best]],
            "score": pair.next_score,
            "lost_seats": pair.lost_seats,
            "lost_score": pair.lost_score,
        },
    }


def text_of(outcome: Outcome) -> Iterator[str]:
    """A few lines for whoever sits at the command line."""
    plan = outcome.plan
    yield (
        f"{outcome.material.rows_used:,} of {outcome.material.rows_read:,} rows, "
        f"{words.people(len(outcome.material.people))}, "
        f"{', '.join(skill.metric.name for skill in outcome.counted)}."
    )
    yield (
        f"{plan.matched:,} of {len(outcome.learners):,} learners have a coach; "
        f"{len(outcome.coaches):,} coaches."
    )
    yield from words.nobody(outcome)
    for told in words.warnings(outcome):
        yield f"Note: {told}"
