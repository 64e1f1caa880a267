"""A file -> people with their readings, peer groups, seats, raised hands and rules."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import python_calamine

from coaching.domain import tables
from coaching.domain.matching.problem import in_words
from coaching.domain.offline.wishes import Meaning, Refused, Wishes, closest, folded, meaning_of
from coaching.domain.pairing import NOTHING
from coaching.domain.tables.cells import Cell, CellError, is_missing, parse_text, shown
from coaching.domain.tables.headers import Column, Row
from coaching.domain.tables.people import parse_key
from coaching.domain.tables.reading import CHUNK_ROWS, Chunk

RULES, HANDS = "rules", "hands"
EVERYBODY = "everybody"
NO_GROUP = "–"
_KINDS = {"pin": "pin", "forbid": "forbid"}
_PERSON = ("person", "name", "learner", "who", "agent", "employee")
_SKILL = ("hand", "skill", "metric")
# A header stands in the first rows of a sheet, below a title at most.
_HEADER_WITHIN = 20
_MOST_PROBLEMS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A wish about two people; positions in `Material.people`."""

    kind: Literal["pin", "forbid"]
    learner: int
    coach: int
    row: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Material:
    """
    What a file says.

    people : in the order of their keys; `name` tells two of one name apart
    group, groups : each one's peer group, a place in `groups`
    seats : (people,), learners each could take
    asks : (people,), place of the metric for which a hand was raised, NOTHING for none
    rows_read, rows_used : of the readings
    other_sheets : that were not read
    problem_count : all of them; `problems` holds the first ones
    """

    meaning: Meaning
    sheet: str
    header_row: int
    columns: tuple[Column, ...]
    people: Sequence[tables.FoundPerson]
    names: list[str]
    readings: tables.Readings
    group: list[int]
    groups: list[str]
    seats: list[int]
    asks: list[int]
    rules: list[Rule]
    rows_read: int
    rows_used: int
    other_sheets: list[str]
    rules_sheet: str
    problems: list[tables.Problem]
    problem_count: int


class InOrder(tables.Table):
    """
    The rows of a table in an order that does not depend on the file's.

    Sums of floating-point numbers, ties and "the last one counts" then come out the same
    whatever the order of the rows. Each row keeps its number. All named columns are held in
    memory.
    """

    def __init__(self, table: tables.Table, names: Sequence[str]) -> None:
        self.sheet, self.header_row, self.columns = table.sheet, table.header_row, table.columns
        self._names = list(names)
        rows: list[int] = []
        columns: list[list[Cell]] = [[] for _ in names]
        self._overlong: dict[int, str] = {}
        for chunk in table.chunks(self._names):
            rows.extend(chunk.rows)
            for column, cells in zip(columns, chunk.cells, strict=True):
                column.extend(cells)
            self._overlong |= chunk.overlong
        keys = list(zip(*(map(_sortable, column) for column in columns), strict=True))
        order = sorted(range(len(rows)), key=keys.__getitem__)
        self._rows = [rows[at] for at in order]
        self._cells = {
            name: [column[at] for at in order]
            for name, column in zip(self._names, columns, strict=True)
        }

    def chunks(self, names: Sequence[str] | None = None) -> Iterator[Chunk]:
        wanted = [self._cells[name] for name in (self._names if names is None else names)]
        for start in range(0, len(self._rows), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            rows = self._rows[part]
            overlong = {row: self._overlong[row] for row in rows if row in self._overlong}
            yield Chunk(rows, [cells[part] for cells in wanted], overlong)


def _sortable(cell: Cell) -> tuple[str, str]:
    return type(cell).__name__, str(cell)


def read(content: bytes, filename: str, wishes: Wishes, *, today: dt.date) -> Material:
    """
    Read a file as it is wished.

    today : later dates are refused

    :raises Refused, tables.TableError:
    """
    book = tables.open_table(io.BytesIO(content), filename)
    extra = _extra_sheets(content, book)
    table, others = _table(book, wishes)
    meaning = meaning_of(table, wishes)
    _refuse_split_tables(table, others, meaning, wishes)
    ordered = InOrder(table, meaning.columns)
    tallied = tables.aggregate(ordered, meaning.mapping, today=today)
    notes = _Notes(list(tallied.problems), sum(tallied.problem_counts.values()))
    group, groups = _groups(tallied.people, meaning)
    _disagreements(ordered, meaning, notes)
    at = {folded(person.key): index for index, person in enumerate(tallied.people)}
    by_name = _by_name(tallied.people)
    directory = _Directory(at, by_name, [person.key for person in tallied.people])
    asks = _hands(ordered, extra.get(HANDS), meaning, directory, notes)
    rules = _rules(extra.get(RULES), directory, notes)
    if notes.count and not wishes.good_rows:
        raise Refused(_too_bad(notes.count), notes.kept)
    if not len(tallied.readings):
        raise Refused(
            "No row of readings is left, so nobody can be ranked. Correct the file first.",
            notes.kept,
        )
    return Material(
        meaning=meaning,
        sheet=table.sheet,
        header_row=table.header_row,
        columns=table.columns,
        people=tallied.people,
        names=_display(tallied.people),
        readings=tallied.readings,
        group=group,
        groups=groups,
        seats=[int(person.attributes.get("capacity", wishes.seats)) for person in tallied.people],
        asks=asks,
        rules=rules,
        rows_read=tallied.rows_read,
        rows_used=tallied.rows_used,
        other_sheets=[other.sheet for other in others],
        rules_sheet=extra[RULES].name if RULES in extra else "",
        problems=notes.kept,
        problem_count=notes.count,
    )


def _too_bad(count: int) -> str:
    if count == 1:
        return "One row has a problem. Correct it in the file, or go on without it: --good-rows."
    return (
        f"There are {count:,} problems. Correct these rows in the file, or go on without them: "
        "--good-rows."
    )


class _Notes:
    """Problems that come together from several places."""

    def __init__(self, kept: list[tables.Problem], count: int) -> None:
        self._kept, self.count = kept, count

    def add(self, sheet: str, row: int, column: Column | None, value: object, told: CellError):
        self.count += 1
        if len(self._kept) < _MOST_PROBLEMS:
            self._kept.append(
                tables.Problem(
                    sheet=sheet,
                    row=row,
                    column=column.name if column else "",
                    letter=column.letter if column else "",
                    value=shown(value),
                    message=told.message,
                    hint=told.hint,
                    rule=told.rule,
                )
            )

    @property
    def kept(self) -> list[tables.Problem]:
        return sorted(self._kept, key=lambda one: (one.sheet.casefold(), one.row, one.letter))


# -- sheets ------------------------------------------------------------------------------


_Line = tuple[int, list[Cell]]


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A small sheet as it is: rows from the first one on."""

    name: str
    rows: list[Row]

    def under(self, wanted: Sequence[Sequence[str]]) -> tuple[list[Column], list[_Line]]:
        """
        The wanted columns, and the cells below them with their row numbers; no empty rows.

        wanted : per column, the names it may have; the first one is what it is called

        :raises Refused: when they do not stand in one row
        """
        for at, row in enumerate(self.rows[:_HEADER_WITHIN]):
            names = [folded(cell) for cell in row]
            places = [next((names.index(n) for n in any_of if n in names), -1) for any_of in wanted]
            if min(places) >= 0:
                columns = [Column(p, any_of[0]) for p, any_of in zip(places, wanted, strict=True)]
                return columns, list(self._below(at, places))
        needed = in_words([f"“{any_of[0]}”" for any_of in wanted])
        raise Refused(
            f"Sheet “{self.name}”: no row holds the names of its columns. Give it the columns "
            f"{needed}."
        )

    def _below(self, header: int, places: list[int]) -> Iterator[_Line]:
        for number, row in enumerate(self.rows[header + 1 :], start=header + 2):
            cells = [row[place] if place < len(row) else "" for place in places]
            if not all(is_missing(cell) for cell in cells):
                yield number, cells


def _extra_sheets(content: bytes, book: tables.Workbook) -> dict[str, _Sheet]:
    """The sheets Rules and Hands, read as they are: they are too small to look like tables."""
    if not any(table.sheet for table in book.tables):
        return {}
    workbook = python_calamine.load_workbook(io.BytesIO(content))
    found = {}
    for name in workbook.sheet_names:
        if folded(name) in (RULES, HANDS):
            sheet = workbook.get_sheet_by_name(name)
            pad: Row = [""] * (sheet.start[1] if sheet.start else 0)
            found[folded(name)] = _Sheet(name, [pad + row for row in sheet.iter_rows()])
    return found


def _table(book: tables.Workbook, wishes: Wishes) -> tuple[tables.Table, list[tables.Table]]:
    """The table with the readings, and the other ones."""
    readable = [table for table in book.tables if folded(table.sheet) not in (RULES, HANDS)]
    if not readable:
        raise Refused("The workbook holds rules or raised hands, but no sheet with readings.")
    if wishes.sheet is not None:
        named = [table for table in readable if folded(table.sheet) == folded(wishes.sheet)]
        if not named:
            names = [table.sheet for table in readable]
            told = in_words([f"“{name}”" for name in names if name])
            raise Refused(
                f"--sheet: there is no table on a sheet “{wishes.sheet}”."
                f"{closest(wishes.sheet, names)} " + (f"There is {told}." if told else
                "A CSV file has no sheets: leave --sheet out.")
            )  # fmt: skip
        chosen = named[0]
    else:
        chosen = tables.Workbook(readable).best
    return chosen, [table for table in readable if table is not chosen]


def _refuse_split_tables(
    table: tables.Table, others: list[tables.Table], meaning: Meaning, wishes: Wishes
) -> None:
    """A month a sheet: whoever took the longest one would lose the others unseen."""
    needed = set(meaning.mapping.columns)
    same = [
        other.sheet
        for other in others
        if needed.issubset({column.name for column in other.columns})
    ]
    if same and wishes.sheet is None:
        names = in_words([f"“{name}”" for name in sorted([table.sheet, *same])])
        raise Refused(
            f"The sheets {names} have the same columns. Say which one counts with --sheet NAME, "
            "or put their rows on one sheet."
        )


# -- people ------------------------------------------------------------------------------


def fact(person: tables.FoundPerson, name: str) -> str:
    """What is known of somebody, empty if nothing; team or one of the attributes."""
    return person.team if name == "team" else str(person.attributes.get(name, ""))


def _groups(people: Sequence[tables.FoundPerson], meaning: Meaning) -> tuple[list[int], list[str]]:
    if meaning.group_by is None:
        return [0] * len(people), [EVERYBODY]
    of = [fact(person, meaning.group_by) or NO_GROUP for person in people]
    groups = sorted(set(of))
    place = {name: index for index, name in enumerate(groups)}
    return [place[name] for name in of], groups


def _display(people: Sequence[tables.FoundPerson]) -> list[str]:
    """Names to show; two people of one name are told apart by their keys."""
    times = Counter(folded(person.name) for person in people)
    return [
        person.name if times[folded(person.name)] == 1 else f"{person.name} ({person.key})"
        for person in people
    ]


def _by_name(people: Sequence[tables.FoundPerson]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, person in enumerate(people):
        for name in {folded(person.name), folded(person.email)} - {""}:
            found.setdefault(name, []).append(index)
    return found


@dataclass(frozen=True, eq=False)
class _Directory:
    """Who is meant by a text: an identifier, a name or an e-mail address of the file."""

    by_key: dict[str, int]
    by_name: dict[str, list[int]]
    keys: list[str]

    def find(self, cell: Cell) -> int:
        """:raises CellError: when it is nobody, or more than one"""
        text = parse_text(cell)
        if text is None:
            raise CellError(
                "nobody named", "Nobody is named here.", "Write the person as in the readings."
            )
        if (place := self.by_key.get(folded(text))) is not None:
            return place
        found = self.by_name.get(folded(text), [])
        if len(found) == 1:
            return found[0]
        if found:
            keys = in_words([self.keys[place] for place in found])
            raise CellError(
                "several people of one name",
                f"“{text}” is the name of several people.",
                f"Write which one: {keys}.",
            )
        raise CellError(
            "nobody known",
            f"“{text}” is nobody with readings in this file.",
            f"Write the person as in the readings, or delete the row.{closest(text, self.keys)}",
        )


def _disagreements(table: InOrder, meaning: Meaning, notes: _Notes) -> None:
    """
    People with several groups or numbers of seats, where no date says which one is the latest.
    """
    mapping = meaning.mapping
    if mapping.date is not None:
        return
    wanted = {
        "peer group": _column_of(mapping, meaning.group_by),
        "number of seats": mapping.attributes.get("capacity"),
    }
    for what, name in wanted.items():
        if name is None:
            continue
        first: dict[str, dict[str, tuple[int, Cell]]] = {}
        for chunk in table.chunks([mapping.person, name]):
            for row, key, cell in zip(chunk.rows, *chunk.cells, strict=True):
                if not is_missing(cell) and not is_missing(key):
                    seen = first.setdefault(folded(key), {})
                    before = seen.setdefault(folded(cell), (row, key))
                    if row < before[0]:
                        seen[folded(cell)] = (row, key)
        for seen in first.values():
            if len(seen) > 1:
                (one, key), (other, _) = sorted(seen.values(), key=lambda pair: pair[0])[:2]
                told = CellError(
                    f"several values of a {what}",
                    f"{key} has more than one {what}, in rows {one} and {other}.",
                    "Give each person one, or a column with dates, of which the latest counts.",
                )
                notes.add(table.sheet, other, table.column(name), in_words(sorted(seen)), told)


def _column_of(mapping: tables.Mapping, fact_name: str | None) -> str | None:
    return mapping.team if fact_name == "team" else mapping.attributes.get(fact_name or "")


# -- hands and rules ---------------------------------------------------------------------


def _hands(
    table: InOrder,
    sheet: _Sheet | None,
    meaning: Meaning,
    directory: _Directory,
    notes: _Notes,
) -> list[int]:
    """Per person the metric they ask for; raised in a column of the readings or on a sheet."""
    skills = _skills(meaning)
    raised: dict[int, dict[int, tuple[str, int, Column | None, Cell]]] = {}

    def raise_hand(person: int, cell: Cell, where: str, row: int, column: Column | None) -> None:
        try:
            metric = _skill(cell, skills, meaning)
        except CellError as told:
            notes.add(where, row, column, cell, told)
            return
        raised.setdefault(person, {}).setdefault(metric, (where, row, column, cell))

    if meaning.hand is not None:
        column = table.column(meaning.hand)
        for chunk in table.chunks([meaning.mapping.person, meaning.hand]):
            for row, key, cell in zip(chunk.rows, *chunk.cells, strict=True):
                if is_missing(cell):
                    continue
                try:
                    text = parse_key(key)
                except CellError:
                    continue  # told with the readings
                person = directory.by_key.get(folded(text)) if text else None
                if person is not None:
                    raise_hand(person, cell, table.sheet, row, column)
    if sheet is not None:
        person_name = meaning.mapping.name or meaning.mapping.person or ""
        wanted = ((*_PERSON, folded(person_name)), _SKILL)
        (person_column, skill_column), lines = sheet.under(wanted)
        for row, (who, cell) in lines:
            try:
                person = directory.find(who)
            except CellError as told:
                notes.add(sheet.name, row, person_column, who, told)
            else:
                raise_hand(person, cell, sheet.name, row, skill_column)

    asks = [NOTHING] * len(directory.keys)
    for person, metrics in raised.items():
        if len(metrics) == 1:
            asks[person] = next(iter(metrics))
            continue
        where, row, column, cell = metrics[max(metrics)]
        names = in_words([meaning.mapping.metrics[at].name for at in sorted(metrics)])
        told = CellError(
            "a hand for several skills",
            f"{directory.keys[person]} raises a hand for {names}.",
            "Keep one of them: a pair works on one skill at a time.",
        )
        notes.add(where, row, column, cell, told)
    return asks


def _skills(meaning: Meaning) -> dict[str, int]:
    """Every spelling of a metric that counts -> its place."""
    found: dict[str, int] = {}
    for at, metric in enumerate(meaning.mapping.metrics):
        if meaning.weights[at] > 0:
            for name in (metric.name, metric.key, metric.column, metric.label):
                if name:
                    found.setdefault(folded(name), at)
    return found


def _skill(cell: Cell, skills: dict[str, int], meaning: Meaning) -> int:
    """:raises CellError: when it is none of the metrics that count"""
    text = parse_text(cell) or ""
    if folded(text) in skills:
        return skills[folded(text)]
    names = [meaning.mapping.metrics[at].name for at in dict.fromkeys(skills.values())]
    raise CellError(
        "a hand for no skill",
        f"“{text}” is not a skill of this plan.",
        f"Write one of: {', '.join(names)}.{closest(text, names)}",
    )


def _rules(sheet: _Sheet | None, directory: _Directory, notes: _Notes) -> list[Rule]:
    if sheet is None:
        return []
    rules: dict[tuple[int, int], Rule] = {}
    columns, lines = sheet.under((("kind", "rule"), ("learner",), ("coach",)))
    for row, cells in lines:
        kind, learner, coach = cells
        at = 0
        try:
            if folded(kind) not in _KINDS:
                raise CellError(
                    "not a rule", f"“{kind}” is not a kind of rule.", "Write pin or forbid."
                )
            at = 1
            one = directory.find(learner)
            at = 2
            other = directory.find(coach)
            if one == other:
                raise CellError(
                    "a rule about one person",
                    f"{directory.keys[one]} cannot coach themselves.",
                    "Name two people, or delete the row.",
                )
        except CellError as told:
            notes.add(sheet.name, row, columns[at], cells[at], told)
            continue
        rule = Rule(kind=_KINDS[folded(kind)], learner=one, coach=other, row=row)
        before = rules.setdefault((one, other), rule)
        if before.kind != rule.kind:
            # Which of the two is meant nobody can guess, whatever is done about other rows.
            raise Refused(
                f"Sheet “{sheet.name}”, rows {before.row} and {row}: {directory.keys[one]} and "
                f"{directory.keys[other]} are both pinned and forbidden. Delete one of the two "
                "rules."
            )
    return sorted(rules.values(), key=lambda rule: (rule.learner, rule.coach, rule.kind))
