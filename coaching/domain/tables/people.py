"""The people in a table: one a key, with what the rows say about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coaching.domain.said import said
from coaching.domain.tables import words
from coaching.domain.tables.cells import (
    Cell,
    CellError,
    parse_date,
    parse_email,
    parse_number,
    parse_text,
    parse_yes_no,
)
from coaching.domain.tables.headers import Column
from coaching.domain.tables.mapping import Mapping
from coaching.domain.tables.problems import Problems

_LONGEST_ATTRIBUTE = 100
_MOST_CAPACITY = 100

MISSING, REFUSED = -1, -2


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """
    One person of the file.

    key : as first written, with single spaces; the same key in other letters' case is
        the same person
    email, manager : e-mail addresses in small letters, empty if not given or disputed
    attributes : role, site, shift, language, time_zone: text; started_on: date;
        part_time: bool; capacity: int; only those the file speaks of
    """

    key: str
    name: str
    email: str = ""
    team: str = ""
    manager: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)


class Codes(dict[Cell, int]):
    """
    A column of texts as numbers: equal texts, equal code; each distinct cell parsed once.

    `read` returns an int array; -1 for missing, -2 for refused. `values[code]` is the text
    as first written; `same` says which texts are equal.
    """

    def __init__(
        self, parse: Callable[[Cell], Any], *, same: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__()
        self._parse = parse
        self._same = same or (lambda value: value)
        self._codes: dict[Any, int] = {}
        self.values: list[Any] = []

    def __missing__(self, cell: Cell) -> int:
        try:
            value = self._parse(cell)
        except CellError:
            code = REFUSED
        else:
            code = MISSING if value is None else self._code(value)
        self[cell] = code
        return code

    def _code(self, value: Any) -> int:
        code = self._codes.setdefault(self._same(value), len(self.values))
        if code == len(self.values):
            self.values.append(value)
        return code

    def read(self, cells: Sequence[Cell]) -> NDArray[np.int64]:
        return np.fromiter(map(self.__getitem__, cells), np.int64, len(cells))

    def complaint(self, cell: Cell) -> CellError:
        try:
            self._parse(cell)
        except CellError as error:
            return error
        raise AssertionError("The cell was not refused.")


def parse_key(cell: Cell) -> str | None:
    """
    What identifies a person, or None when missing.

    :raises CellError: if it is too long, not text, or the name of a total
    """
    key = parse_text(cell)
    if key is not None and key.casefold() in words.TOTALS:
        raise CellError(
            "a row of totals",
            said("“%(key)s” looks like a row of totals, not like a person.", key=key),
            said("Delete this row: totals are counted anew."),
        )
    return key


def _short_text(cell: Cell) -> str | None:
    return parse_text(cell, longest=_LONGEST_ATTRIBUTE)


def _small_email(cell: Cell) -> str | None:
    email = parse_email(cell)
    return None if email is None else email.lower()


def _capacity(cell: Cell) -> int | None:
    number = parse_number(cell)
    if number is None:
        return None
    if not number.is_integer() or not 0 <= number <= _MOST_CAPACITY:
        raise CellError(
            "not a capacity",
            said("“%(text)s” is not a number of learners.", text=str(cell)),
            said("Write a whole number from 0 to %(most)s.", most=_MOST_CAPACITY),
        )
    return int(number)


def _part_time(cell: Cell) -> bool | None:
    answer = parse_yes_no(cell)
    return None if answer is None else bool(answer)


def _time_zone(cell: Cell) -> str | None:
    name = parse_text(cell, longest=64)
    if name is not None and " " in name:
        raise CellError(
            "not a time zone",
            said("“%(text)s” is not a time zone.", text=name),
            said("Write it like Europe/Zurich, or leave the cell empty."),
        )
    return name


class People:
    """
    Collects who is in the rows, and what the rows say about them.

    Where rows disagree the one with the latest date counts, of the same date the last one:
    an export may well run backwards.
    """

    def __init__(self, mapping: Mapping, *, day_first: bool | None) -> None:
        self.keys = Codes(parse_key, same=str.casefold)
        parsers: dict[str, Callable[[Cell], Any]] = {
            "started_on": lambda cell: parse_date(cell, day_first=day_first),
            "part_time": _part_time,
            "capacity": _capacity,
            "time_zone": _time_zone,
        }
        # Role -> column and reader, without the person itself.
        self.facts: dict[str, tuple[str, Codes]] = {}
        if mapping.name is not None:
            self.facts["name"] = (mapping.name, Codes(parse_text))
        if mapping.email is not None:
            self.facts["email"] = (mapping.email, Codes(_small_email))
        if mapping.team is not None:
            self.facts["team"] = (mapping.team, Codes(parse_text))
        if mapping.manager is not None:
            self.facts["manager"] = (mapping.manager, Codes(_small_email))
        for attribute, column in sorted(mapping.attributes.items()):
            parse = parsers.get(attribute, _short_text)
            self.facts[attribute] = (column, Codes(parse))
        # Role -> person -> day, row and code of what counts so far.
        self._latest: dict[str, dict[int, tuple[float, int, int]]] = {r: {} for r in self.facts}
        # Person and e-mail code -> the first row that says so.
        self._emails: dict[tuple[int, int], int] = {}

    def note(
        self,
        role: str,
        codes: NDArray[np.int64],
        *,
        people: NDArray[np.int64],
        days: NDArray[np.float64],
        rows: NDArray[np.int64],
    ) -> None:
        """Take over what some rows say about one role; arrays of one length, in file order."""
        filled = np.flatnonzero(codes >= 0)
        if role == "email":
            pairs = zip(people[filled].tolist(), codes[filled].tolist(), strict=True)
            for pair, row in zip(pairs, rows[filled].tolist(), strict=True):
                self._emails.setdefault(pair, row)
        # The last entry of a person in a dict is the one that stays.
        order = filled[np.argsort(days[filled], kind="stable")]
        last = dict(zip(people[order].tolist(), order.tolist(), strict=True))
        latest = self._latest[role]
        for person, at in last.items():
            now = (float(days[at]), int(rows[at]), int(codes[at]))
            if person not in latest or now[:2] >= latest[person][:2]:
                latest[person] = now

    def found(self, used: NDArray[np.bool_]) -> tuple[list[FoundPerson], NDArray[np.int64]]:
        """
        The people, ordered by key, and each code's place among them (-1: not used).

        used : per code, whether any row of this person is used
        """
        disputed = self._disputed()
        keys = self.keys.values
        order = sorted((c for c in range(len(keys)) if used[c]), key=lambda c: keys[c].casefold())
        places = np.full(len(keys), -1, dtype=np.int64)
        places[order] = np.arange(len(order))
        return [self._person(code, disputed) for code in order], places

    def _person(self, code: int, disputed: set[int]) -> FoundPerson:
        said = {
            role: self.facts[role][1].values[latest[code][2]]
            for role, latest in self._latest.items()
            if code in latest
        }
        key = self.keys.values[code]
        return FoundPerson(
            key=key,
            name=said.pop("name", key),
            email="" if code in disputed else said.pop("email", ""),
            team=said.pop("team", ""),
            manager=said.pop("manager", ""),
            attributes={role: value for role, value in said.items() if role != "email"},
        )

    def _owners(self) -> tuple[dict[int, list[tuple[int, int]]], dict[int, list[tuple[int, int]]]]:
        """Person -> (row, e-mail) and e-mail -> (row, person), each by row."""
        of_person: dict[int, list[tuple[int, int]]] = {}
        of_email: dict[int, list[tuple[int, int]]] = {}
        for (person, email), row in self._emails.items():
            of_person.setdefault(person, []).append((row, email))
            of_email.setdefault(email, []).append((row, person))
        return of_person, of_email

    def _disputed(self) -> set[int]:
        of_person, of_email = self._owners()
        several = {person for person, emails in of_person.items() if len(emails) > 1}
        shared = {person for owners in of_email.values() if len(owners) > 1 for _, person in owners}
        return several | shared

    def complain_about_emails(self, problems: Problems, column: Column | None) -> None:
        """An e-mail address of two people, and a person with two addresses."""
        if "email" not in self.facts:
            return
        emails, keys = self.facts["email"][1].values, self.keys.values
        of_person, of_email = self._owners()
        for email, owners in of_email.items():
            if len(owners) > 1:
                (first, one), (row, other) = sorted(owners)[:2]
                complaint = CellError(
                    "one e-mail address for two people",
                    said(
                        "%(email)s belongs to %(one)s (row %(first)s) and to %(other)s "
                        "(row %(row)s).",
                        email=emails[email],
                        one=keys[one],
                        first=first,
                        other=keys[other],
                        row=row,
                    ),
                    said("Give each person their own address, or write their name the same way."),
                )
                problems.add(row, column, emails[email], complaint)
        for person, addresses in of_person.items():
            if len(addresses) > 1:
                (first, one), (row, other) = sorted(addresses)[:2]
                complaint = CellError(
                    "two e-mail addresses for one person",
                    said(
                        "%(person)s has two e-mail addresses: %(one)s (row %(first)s) and "
                        "%(other)s (row %(row)s).",
                        person=keys[person],
                        one=emails[one],
                        first=first,
                        other=emails[other],
                        row=row,
                    ),
                    said("Keep one address, or tell two people of one name apart by an ID."),
                )
                problems.add(row, column, emails[other], complaint)
