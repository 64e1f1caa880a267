"""
What one cell says: a number, yes or no, a date, a duration, a text.

Cells come as text (CSV) or as what Excel stores: float, date, datetime, time, timedelta.
Nothing is guessed in silence. `None` is a missing value; what cannot be read is refused
with a sentence for the person who typed it.
"""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from coaching.domain.said import Dated, Figure, said

Cell: TypeAlias = str | float | int | dt.date | dt.datetime | dt.time | dt.timedelta
Clock: TypeAlias = Literal["h:m:s", "h:m", "m:s"]

MAX_TEXT = 200
# Nothing that people count is larger, and its square and sums stay exact enough.
MAX_NUMBER = 1e12

_MISSING = frozenset(
    {"", "-", "–", "—", "--", "n/a", "#n/a", "#n/v", "#nv", "#div/0!", "#value!", "#wert!"}
    | {"#ref!", "#bezug!", "#name?", "#num!", "#zahl!", "#null!", "#getting_data"}
)
_MISSING_NUMBER = _MISSING | {"na", "null", "none", "k.a.", "k. a.", "."}

_YES = frozenset({"y", "yes", "ja", "j", "true", "wahr", "t", "1", "1.0", "pass", "passed"})
_NO = frozenset({"n", "no", "nein", "false", "falsch", "f", "0", "0.0", "fail", "failed"})

# Excel counts days from here (the day before its day 1, and one for its leap year 1900).
_EXCEL_DAY_0 = dt.date(1899, 12, 30).toordinal()
_EXCEL_DATES = (20_000, 80_000)  # 1954 to 2119: outside, a number is hardly a date

_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january januar jän jänner janv janvier",
            "feb february februar fev février",
            "mar march mär märz mrz mars",
            "apr april avr avril",
            "may mai",
            "jun june juni juin",
            "jul july juli juil juillet",
            "aug august août",
            "sep sept september septembre",
            "oct october okt oktober octobre",
            "nov november novembre",
            "dec december dez dezember déc décembre",
        ),
        start=1,
    )
    for name in names.split()
}


class CellError(ValueError):
    """
    A cell that cannot be read.

    `rule` is the general complaint that many cells share, `message` speaks of this one,
    `hint` says what to do.
    """

    def __init__(self, rule: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.rule, self.message, self.hint = rule, message, hint


def _plain(cell: str) -> str:
    # A no-break space is what a spreadsheet writes between thousands.
    return cell.replace("\u00a0", " ").replace("\u202f", " ").strip()


def is_missing(cell: Cell) -> bool:
    """Whether the cell says nothing: empty, a dash, `n/a`, or an error of Excel."""
    return isinstance(cell, str) and _plain(cell).casefold() in _MISSING


# -- numbers ---------------------------------------------------------------------------

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"([+-]?[0-9]{1,3})((?:([., '’])[0-9]{3})(?:\3[0-9]{3})*)([.,][0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]{1,3})?")
_CURRENCY = re.compile(r"^(?:[€$£]|CHF|EUR|USD|GBP)\s*|\s*(?:[€$£]|CHF|EUR|USD|GBP)$")
_EITHER_WAY = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")


def parse_number(cell: Cell, *, decimal: str | None = None) -> float | None:
    """
    A finite number, or None when missing; `85%` is 0.85.

    decimal : the sign before the decimals in this file, `"."` or `","`; None if unknown.
        It settles only what reads both ways (`1,234`, or `1.234` in a file of commas).

    >>> parse_number("4,5"), parse_number("1.234,5"), parse_number("85 %")
    (4.5, 1234.5, 0.85)

    :raises CellError: if it is no number
    """
    if isinstance(cell, float | int):
        if not math.isfinite(cell):
            raise _no_number(str(cell))
        return _sensible(float(cell), str(cell))
    if not isinstance(cell, str):
        raise _no_number(str(cell))
    text = _plain(cell)
    if text.casefold() in _MISSING_NUMBER:
        return None
    number = text
    percent = number.endswith("%")
    if percent:
        number = number[:-1].rstrip()
    elif number[:1] in "€$£CEUG" or number[-1:] in "€$£FRDP":
        number = _CURRENCY.sub("", number)
    value = _sensible(_value_of(number.replace("−", "-"), decimal, text), text)
    return value / 100 if percent else value


def _value_of(number: str, decimal: str | None, text: str) -> float:
    if _EITHER_WAY.fullmatch(number):
        sign = "," if "," in number else "."
        if decimal is None and sign == ",":
            raise CellError(
                "a number that reads two ways",
                said(
                    "“%(text)s” can be %(one)s or %(other)s.",
                    text=text,
                    one=Figure(number.replace(",", ".")),
                    other=number.replace(",", ""),
                ),
                said("Say which sign stands before the decimals in this file."),
            )
        if decimal in (None, sign):
            return float(number.replace(",", "."))
        return float(number.replace(sign, ""))
    if _NUMBER.fullmatch(number):
        value = float(number)
    elif _COMMA.fullmatch(number):
        value = float(number.replace(",", "."))
    elif (found := _GROUPED.fullmatch(number)) and found[3] != (found[4] or "no sign")[0]:
        groups = found[2].replace(found[3], "")
        value = float(found[1] + groups + (found[4] or "").replace(",", "."))
    else:
        raise _no_number(text)
    if not math.isfinite(value):
        raise _no_number(text)
    return value


def _sensible(value: float, text: str) -> float:
    if abs(value) > MAX_NUMBER:
        raise CellError(
            "a number too large",
            said("“%(text)s” is larger than anything that is counted here.", text=shown(text)),
            said("Correct the number; perhaps a separator is missing."),
        )
    return value


def _no_number(text: str) -> CellError:
    return CellError(
        "not a number",
        said("“%(text)s” is not a number.", text=shown(text)),
        said("Write a number such as 12 or 4.5, or leave the cell empty."),
    )


def decimal_evidence(cell: Cell) -> str:
    """
    Which decimal sign a cell speaks for: `","`, `"."`, `"?"` (reads both ways) or `""`.

    >>> [decimal_evidence(text) for text in ("4,5", "4.5", "1,234", "1.234,5", "12")]
    [',', '.', '?', ',', '']
    """
    if not isinstance(cell, str):
        return ""
    number = _plain(cell).rstrip("%").rstrip()
    if _EITHER_WAY.fullmatch(number):
        return "?" if "," in number else ""
    if _COMMA.fullmatch(number):
        return ","
    if _NUMBER.fullmatch(number):
        return "." if "." in number else ""
    found = _GROUPED.fullmatch(number)
    if found and found[4]:
        return found[4][0] if found[3] != found[4][0] else ""
    if found and found[3] in ".,":
        return "," if found[3] == "." else "."
    return ""


# -- yes and no ------------------------------------------------------------------------


def parse_yes_no(cell: Cell) -> float | None:
    """
    1.0 for yes, 0.0 for no, None when missing.

    :raises CellError: if it is neither
    """
    if isinstance(cell, float | int) and cell in (0, 1):
        return float(cell)
    text = _plain(cell).casefold() if isinstance(cell, str) else str(cell)
    if text in _MISSING_NUMBER:
        return None
    if text in _YES:
        return 1.0
    if text in _NO:
        return 0.0
    raise CellError(
        "neither yes nor no",
        said("“%(text)s” is neither yes nor no.", text=shown(cell)),
        said("Write Y or N, yes or no, 1 or 0, or leave the cell empty."),
    )


# -- dates -----------------------------------------------------------------------------

_TIME = (
    r"(?:[T ,]+[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_ISO = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})" + _TIME)
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
_WEEK = re.compile(r"([0-9]{4})-?W([0-9]{1,2})", re.IGNORECASE)
_NUMERIC = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})" + _TIME)
_WEEKDAY = re.compile(r"^[^\W\d_]{2,10}\.?,\s*")
_DAY_NAME = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th)?\.?[-/ ]*([^\W\d_]{3,10})\.?,?[-/ ]*([0-9]{4}|[0-9]{2})" + _TIME
)
_NAME_DAY = re.compile(
    r"([^\W\d_]{3,10})\.?[-/ ]*([0-9]{1,2})(?:st|nd|rd|th)?,?[-/ ]+([0-9]{4}|[0-9]{2})" + _TIME
)
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")


def parse_date(cell: Cell, *, day_first: bool | None = None) -> dt.date | None:
    """
    The day, or None when missing; the time of day is dropped, as it is written.

    day_first : how `01/02/2021` is meant: True for 1 February, False for January 2,
        None if nobody has said. Dotted dates are day-first everywhere.

    >>> parse_date("13.01.21"), parse_date("Jan 4, 2021"), parse_date(44197.5)
    (datetime.date(2021, 1, 13), datetime.date(2021, 1, 4), datetime.date(2021, 1, 1))

    :raises CellError: if it is no date, or reads two ways
    """
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, float | int):
        return _date_of_serial(float(cell), str(cell))
    if not isinstance(cell, str):
        raise _no_date(cell)
    text = _plain(cell)
    if text.casefold() in _MISSING_NUMBER:
        return None
    if len(text) > 60:
        raise _no_date(text)
    try:
        return _date_of_text(text, day_first)
    except ValueError as error:
        if isinstance(error, CellError):
            raise
        raise _no_date(text) from None


def _date_of_text(text: str, day_first: bool | None) -> dt.date:
    if found := _ISO.fullmatch(text):
        return dt.date(int(found[1]), int(found[3]), int(found[4]))
    if found := _NUMERIC.fullmatch(text):
        first, second, year = int(found[1]), int(found[3]), _year(found[4])
        if found[2] == "." or first == second:
            return dt.date(year, second, first)
        if day_first is None and max(first, second) <= 12:
            raise CellError(
                "a date that reads two ways",
                said(
                    "“%(text)s” can be %(one)s or %(other)s.",
                    text=text,
                    one=Dated(dt.date(year, second, first), "day"),
                    other=Dated(dt.date(year, first, second), "day"),
                ),
                said("Say whether the day or the month stands first in this file."),
            )
        if day_first is None:
            day_first = first > 12
        day, month = (first, second) if day_first else (second, first)
        return dt.date(year, month, day)
    if found := _COMPACT.fullmatch(text):
        return dt.date(int(found[1]), int(found[2]), int(found[3]))
    if found := _WEEK.fullmatch(text):
        return dt.date.fromisocalendar(int(found[1]), int(found[2]), 1)
    if _SERIAL.fullmatch(text):
        return _date_of_serial(float(text), text)
    bare = _WEEKDAY.sub("", text)
    if found := _DAY_NAME.fullmatch(bare):
        return dt.date(_year(found[3]), _month(found[2]), int(found[1]))
    if found := _NAME_DAY.fullmatch(bare):
        return dt.date(_year(found[3]), _month(found[1]), int(found[2]))
    raise _no_date(text)


def _date_of_serial(number: float, text: str) -> dt.date:
    if _EXCEL_DATES[0] <= number < _EXCEL_DATES[1]:
        return dt.date.fromordinal(_EXCEL_DAY_0 + int(number))
    if number.is_integer() and (found := _COMPACT.fullmatch(str(int(number)))):
        try:
            return dt.date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            raise _no_date(text) from None
    raise _no_date(text)


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (2000 if year < 69 else 1900)  # as POSIX strptime reads two digits


def _month(name: str) -> int:
    try:
        return _MONTHS[unicodedata.normalize("NFC", name.casefold())]
    except KeyError:
        raise _no_date(name) from None


def _no_date(cell: Cell) -> CellError:
    return CellError(
        "not a date",
        said("“%(text)s” is not a date.", text=shown(cell)),
        said("Write the day as 2021-01-31."),
    )


def day_first_evidence(cell: Cell) -> str:
    """
    What a cell tells about the order of day and month.

    `"day"`, `"month"` (it fits only this one first), `"?"` (fits both) or `""` (no matter).

    >>> [day_first_evidence(text) for text in ("13/01/2021", "1/13/21", "01/02/2021", "1/1/21")]
    ['day', 'month', '?', '']
    """
    found = _NUMERIC.fullmatch(_plain(cell)) if isinstance(cell, str) and len(cell) < 60 else None
    if found is None or found[2] == "." or found[1] == found[3]:
        return ""
    first, second = int(found[1]), int(found[3])
    if first > 12 >= second:
        return "day"
    if second > 12 >= first:
        return "month"
    return "?" if max(first, second) <= 12 else ""


# -- durations -------------------------------------------------------------------------

_THREE_PARTS = re.compile(r"([0-9]{1,6}):([0-5]?[0-9]):([0-5]?[0-9](?:[.,][0-9]+)?)")
_TWO_PARTS = re.compile(r"([0-9]{1,6}):([0-5]?[0-9](?:[.,][0-9]+)?)")
_UNIT = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*([^\W\d_]+)\.?[\s,]*")
_SECONDS_IN = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "sekunde", "sekunden"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden"), 3600),
}


def parse_duration(
    cell: Cell, *, factor: float = 1.0, clock: Clock = "h:m:s", decimal: str | None = None
) -> float | None:
    """
    Seconds, or None when missing.

    factor : seconds in one unit of a plain number (60 where the column counts minutes,
        86,400 where it holds Excel's fractions of a day)
    clock : how times on a clock are meant. `h:m:s` is Excel's way, with `02:23` typed as
        text for minutes and seconds; `h:m` reads that text as hours and minutes; `m:s` is
        for people who typed minutes and seconds and got hours and minutes from Excel.

    >>> parse_duration("01:02:23"), parse_duration("02:23"), parse_duration("2.5 min")
    (3743.0, 143.0, 150.0)

    :raises CellError: if it is no duration
    """
    if isinstance(cell, dt.timedelta | dt.time | dt.date):
        seconds = _seconds_of_excel(cell)
        return seconds / 60 if clock == "m:s" else seconds
    if isinstance(cell, str):
        text = _plain(cell)
        if found := _THREE_PARTS.fullmatch(text):
            seconds = int(found[1]) * 3600 + int(found[2]) * 60 + _float(found[3])
            return seconds / 60 if clock == "m:s" else seconds
        if found := _TWO_PARTS.fullmatch(text):
            return (int(found[1]) * 60 + _float(found[2])) * (60 if clock == "h:m" else 1)
        if (seconds := _seconds_of_units(text)) is not None:
            return seconds
        if text.endswith("%"):
            raise _no_duration(text)
    try:
        number = parse_number(cell, decimal=decimal)
    except CellError as error:
        if error.rule != "not a number":
            raise
        raise _no_duration(cell) from None
    return None if number is None else number * factor


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def _seconds_of_excel(cell: dt.timedelta | dt.time | dt.date) -> float:
    if isinstance(cell, dt.timedelta):
        return cell.total_seconds()
    if isinstance(cell, dt.time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
    moment = cell if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time())
    # More than a day in a clock format comes as a moment in January 1900.
    if moment.year in (1899, 1900):
        return (moment - dt.datetime(1899, 12, 31)).total_seconds()
    raise _no_duration(cell)


def _seconds_of_units(text: str) -> float | None:
    if not text[:1].isdigit() or not text.isascii() or len(text) > 60:
        return None
    parts = _UNIT.findall(text)
    if not parts or _UNIT.sub("", text):
        return None
    if any(unit.casefold() not in _SECONDS_IN for _, unit in parts):
        return None
    seconds = sum(_float(number) * _SECONDS_IN[unit.casefold()] for number, unit in parts)
    return _sensible(seconds, text)


def _no_duration(cell: Cell) -> CellError:
    return CellError(
        "not a duration",
        said("“%(text)s” is not a duration.", text=shown(cell)),
        said("Write 00:02:30, 2:30 or the number of seconds, or leave the cell empty."),
    )


# -- texts -----------------------------------------------------------------------------

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)
_INVISIBLE = re.compile(r"[\u200b\ufeff]")
_EMAIL = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+\.[^\s@<>(),;:\\\"\[\].]+")


def parse_text(cell: Cell, *, longest: int = MAX_TEXT) -> str | None:
    """
    The text with single spaces, or None when missing; 1002.0 is "1002".

    :raises CellError: if it is too long, or holds characters that nobody can see
    """
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = cell if isinstance(cell, str) else str(cell)
    if _CONTROL.search(text):
        raise CellError(
            "control characters in a text",
            said("“%(text)s” holds control characters.", text=shown(text)),
            said("Type the text anew in this cell."),
        )
    text = unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", text).split()))
    if text.casefold() in _MISSING:
        return None
    if len(text) > longest:
        raise CellError(
            "text too long",
            said(
                "This text has %(length)s characters; at most %(longest)s are kept.",
                length=Figure(f"{len(text):,}"),
                longest=longest,
            ),
            said("Shorten it, or choose another column."),
        )
    return text


def parse_email(cell: Cell) -> str | None:
    """
    An e-mail address as written, or None when missing.

    :raises CellError: if it is none
    """
    text = parse_text(cell, longest=254)
    if text is not None and not _EMAIL.fullmatch(text):
        raise CellError(
            "not an e-mail address",
            said("“%(text)s” is not an e-mail address.", text=shown(text)),
            said("Write it like ivo@example.org, or leave the cell empty."),
        )
    return text


def shown(cell: object, *, longest: int = 80) -> str:
    """The cell as a page can show it: short, and with a mark for every control character."""
    text = _CONTROL.sub("\ufffd", str(cell))
    return text if len(text) <= longest else text[: longest - 1] + "…"


# -- columns ---------------------------------------------------------------------------


class Numbers(dict[Cell, float]):
    """
    A column of numbers, each distinct cell parsed once.

    `read` returns floats: NaN for a missing cell, infinity for one that was refused
    (no parser lets infinity through). `complaint` tells why.
    """

    # Distinct cells to remember; a column of unique values would else fill the memory.
    _MOST = 200_000

    def __init__(self, parse: Callable[[Cell], float | None]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, cell: Cell) -> float:
        try:
            value = self._parse(cell)
        except CellError:
            number = math.inf
        else:
            number = math.nan if value is None else value
        if len(self) < self._MOST:
            self[cell] = number
        return number

    def read(self, cells: Sequence[Cell]) -> NDArray[np.float64]:
        return np.fromiter(map(self.__getitem__, cells), np.float64, len(cells))

    def complaint(self, cell: Cell) -> CellError:
        try:
            self._parse(cell)
        except CellError as error:
            return error
        raise AssertionError("The cell was not refused.")


_TAIL = re.compile(_TIME)


class Days(Numbers):
    """
    A column of dates as day numbers (`date.toordinal`); `read` as in `Numbers`.

    Moments differ in every row, their dates do not: the two parts are remembered apart.
    """

    def __init__(self, *, day_first: bool | None) -> None:
        def day_number(cell: Cell) -> float | None:
            day = parse_date(cell, day_first=day_first)
            return None if day is None else float(day.toordinal())

        super().__init__(day_number)
        self._times: dict[str, bool] = {}

    def __missing__(self, cell: Cell) -> float:
        if isinstance(cell, str) and (" " in cell or cell[10:11] == "T"):
            head, _, tail = cell.partition("T" if cell[10:11] == "T" else " ")
            known = self._times.get(tail)
            if known is None:
                known = _TAIL.fullmatch(" " + tail) is not None
                if len(self._times) < self._MOST:
                    self._times[tail] = known
            if known and head[-1:].isdigit() and len(head) >= 6:
                return self[head]
        return super().__missing__(cell)


def accepted(parse: Callable[[Cell], object], cells: Iterable[Cell]) -> list[Cell]:
    """Those of the cells that the parser takes."""
    taken = []
    for cell in cells:
        try:
            parse(cell)
        except CellError:
            continue
        taken.append(cell)
    return taken
