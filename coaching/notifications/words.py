"""
What letters are made of, kept without a language and said in their reader's.

A letter waits, and its reader may choose another language meanwhile. So its context keeps dates,
measures and sentences as data (`keep`), and they become words when it is rendered (`tell`).
A notice is written once, in the language its reader has at that moment.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as formatted
from django.utils.formats import get_format, number_format
from django.utils.translation import gettext, gettext_noop, ngettext

from coaching.domain.said import Counted, Dated, Figure, Measured, Said
from coaching.models import Metric

# In the letters of Django's `date` filter; translated like words.
STYLES = {
    "day": gettext_noop("j F Y"),
    "short": gettext_noop("j M Y"),
    "moment": gettext_noop("l, j F Y, H:i"),
    "weekday": gettext_noop("l, j F"),
    "time": "H:i",
}


def keep(value: object, zone: ZoneInfo) -> object:
    """As JSON what a template is given; moments are kept as they are in the reader's zone."""
    match value:
        case Said():
            values = {name: keep(part, zone) for name, part in value.values.items()}
            return {"~said": [value.text, value.many, value.number, values]}
        case Measured():
            return {"~measure": list(value.of)}
        case Figure():
            return {"~figure": str(value)}
        case Counted():
            return {"~count": list(value.of)}
        case Dated():
            return {"~when": [value.style, value.at.isoformat()]}
        case datetime():
            return keep(Dated(value.astimezone(zone), "moment"), zone)
        case date():
            return keep(Dated(value, "day"), zone)
        case dict():
            return {name: keep(part, zone) for name, part in value.items()}
        case list() | tuple():
            return [keep(part, zone) for part in value]
    return value


def tell(value: object) -> object:
    """What was kept, or what could be, in words of the active language; the rest as it is."""
    match value:
        case {"~said": [text, many, number, values]}:
            return _sentence(text, many, number, values)
        case {"~measure": [amount, kind, unit]}:
            return str(Metric(kind=kind, unit=unit).show(amount))
        case {"~figure": figure}:
            return _figure(figure)
        case {"~count": [number, noun]}:
            return count(number, gettext(noun))
        case {"~when": [style, at]}:
            return _when(style, datetime.fromisoformat(at))
        case Said():
            return _sentence(value.text, value.many, value.number, value.values)
        case Measured():
            amount, kind, unit = value.of
            return str(Metric(kind=kind, unit=unit).show(amount))
        case Figure():
            return _figure(value)
        case Counted():
            number, noun = value.of
            return count(number, gettext(noun))
        case Dated():
            return _when(value.style, value.at)
        case datetime():
            return _when("moment", value)
        case date():
            return _when("day", value)
        case dict():
            return {name: tell(part) for name, part in value.items()}
        case list() | tuple():
            return [tell(part) for part in value]
    return value


def count(number: int, noun: str) -> str:
    """
    So many of something in the active language; `noun` in it already, as "one,many".

    >>> count(1, "pair,pairs"), count(8, "person,people"), count(3100, "pair,pairs")
    ('one pair', 'eight people', '3,100 pairs')
    """
    one, many = noun.split(",")
    return f"{spelled(number)} {one if number == 1 else many}"


def spelled(number: int) -> str:
    """A number as a sentence has it: up to twelve in words, where the language likes that."""
    small = gettext("no,one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve").split(",")
    return small[number] if number < len(small) else number_format(number, force_grouping=True)


def day(value: date) -> str:
    """A date as letters write it: '4 January 2027'."""
    return _when("day", value)


def _when(style: str, at: date) -> str:
    return formatted(at, gettext(STYLES[style]))


def _figure(english: str) -> str:
    signs = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return english.translate(str.maketrans(signs))


def _sentence(text: str, many: str, number: int | None, values: dict) -> str:
    form = ngettext(text, many, number) if many else gettext(text)
    return form % {name: tell(part) for name, part in values.items()} if values else form
