"""
Texts that know what they are made of, so that they can be said in another language later.

Taken as text they are English, which is what logs, audit lines and the API keep. What turns them
into the reader's language is `notifications.words`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split()


@dataclass(frozen=True, slots=True)
class Dated:
    """
    A moment where its reader is, and as what it is said.

    style : "day", "short", "moment", "weekday" or "time"
    """

    at: date
    style: str

    def __str__(self) -> str:
        at = self.at
        day = f"{at.day} {at:%B}"
        return {
            "day": f"{day} {at.year}",
            "short": f"{at.day} {at:%b} {at.year}",
            "moment": f"{at:%A}, {day} {at.year}, {at:%H:%M}",
            "weekday": f"{at:%A}, {day}",
            "time": f"{at:%H:%M}",
        }[self.style]


class Figure(str):
    """A number as English writes it: commas between thousands, a point before decimals."""


class Said(str):
    """A sentence: `text` with %(name)s where the values go; `many` is its plural for `number`."""

    text: str
    many: str
    number: int | None
    values: dict


class Measured(str):
    """A value of a metric: `of` is (value in its units, kind, unit)."""

    of: tuple[float, str, str]


class Counted(str):
    """So many of something: `of` is (number, "one,many")."""

    of: tuple[int, str]


def said(text: str, /, **values: object) -> Said:
    """
    >>> said("You and %(partner)s meet on %(day)s.", partner="Ivo", day=date(2027, 3, 1))
    'You and Ivo meet on 1 March 2027.'
    """
    return _made(text, "", None, values)


def said_many(one: str, many: str, number: int, /, **values: object) -> Said:
    """
    >>> said_many("%(number)s day left.", "%(number)s days left.", 3)
    '3 days left.'
    """
    return _made(one, many, number, {"number": number, **values})


def said_together(sentences: Sequence[str]) -> str:
    """
    Sentences one after the other, each of which may be said in another language.

    >>> said_together([said("It is full."), said("%(name)s waits.", name="Lea")])
    'It is full. Lea waits.'
    """
    if len(sentences) < 2:
        return "".join(sentences)
    values = {f"sentence_{at}": sentence for at, sentence in enumerate(sentences)}
    return _made(" ".join(f"%({name})s" for name in values), "", None, values)


def counted(number: int, noun: str) -> Counted:
    """
    >>> counted(1, "coach,coaches"), counted(0, "pin,pins"), counted(30, "seat,seats")
    ('one coach', 'no pins', '30 seats')
    """
    one, many = noun.split(",")
    word = NUMBERS[number] if 0 <= number < len(NUMBERS) else str(number)
    made = Counted(f"{word} {one if number == 1 else many}")
    made.of = number, noun
    return made


def listed(names: Sequence[str]) -> str:
    """
    >>> listed(["Ivo"]), listed(["Ivo", "Lea", "Tom"])
    ('Ivo', 'Ivo, Lea and Tom')
    """
    if len(names) < 2:
        return "".join(names)
    return said("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def sentence(text: str) -> str:
    """Marks a text for translation where it only stands, and is filled and said elsewhere."""
    return text


def measured(text: str, *, value: float, kind: str, unit: str) -> Measured:
    made = Measured(text)
    made.of = (value, kind, unit)
    return made


def _made(text: str, many: str, number: int | None, values: dict) -> Said:
    form = many if many and number != 1 else text
    made = Said(
        form % {name: _english(value) for name, value in values.items()} if values else form
    )
    made.text, made.many, made.number, made.values = text, many, number, values
    return made


def _english(value: object) -> str:
    if isinstance(value, date):
        return str(Dated(value, "moment" if isinstance(value, datetime) else "day"))
    return str(value)
