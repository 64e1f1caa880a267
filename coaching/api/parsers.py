"""
JSON as we take it. Refused here, once for every door: what a database or a
reader could stumble over later (NUL, half of a surrogate pair, numbers that no
column holds), and bodies built to exhaust us.
"""

import json
import math

from django.conf import settings
from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.renderers import JSONRenderer

from coaching.api.problems import TooLarge

MEGABYTE = 1024 * 1024
DEEPEST = 20
LARGEST_INTEGER = 2**63 - 1


class PlainJSONParser(parsers.BaseParser):
    media_type = "application/json"
    renderer_class = JSONRenderer
    limit = 1 * MEGABYTE

    def parse(self, stream, media_type=None, parser_context=None) -> object:
        """:raises ParseError, TooLarge:"""
        encoding = parsers.get_encoding(parser_context or {})
        body = stream.read(self.limit + 1)
        if len(body) > self.limit:
            raise TooLarge(f"Send at most {self.limit // MEGABYTE} MB at a time.")
        try:
            text = body.decode(encoding)
        except ValueError as error:
            raise ParseError(f"The body is not {encoding} text.") from error
        return loaded(text)


class BulkJSONParser(PlainJSONParser):
    limit = settings.UPLOAD_LIMIT_MB * MEGABYTE


def loaded(text: str) -> object:
    """
    The value in a JSON text, safe to store and to show again.

    :raises ParseError: in words
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ParseError("The JSON is nested too deeply.") from error
    except ValueError as error:
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise ParseError(f"This is not valid JSON{place}.") from error
    _check(value)
    return value


def _no_constant(name: str) -> None:
    raise ParseError(f"{name} is not a JSON number.")


def _check(value: object) -> None:
    # With a list of its own rather than by recursion: the depth is the attacker's choice.
    waiting = [(value, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise ParseError("A number is too large.")
        elif isinstance(value, int):
            if abs(value) > LARGEST_INTEGER:
                raise ParseError("A number is too large.")
        elif isinstance(value, dict | list):
            if depth > DEEPEST:
                raise ParseError("The JSON is nested too deeply.")
            if isinstance(value, dict):
                for key in value:
                    _check_text(key)
                value = value.values()
            waiting.extend((item, depth + 1) for item in value)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ParseError("A text contains the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ParseError("A text contains half of a surrogate pair.") from error
