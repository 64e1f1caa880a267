"""
Rows by the million between the database and numpy: a column is an array, a row is no object.

On PostgreSQL the rows travel in its own binary form (COPY ... (FORMAT BINARY)): after a two-byte
count of fields each field is a four-byte length and its bytes, so that rows of equal widths
are one numpy record array. Elsewhere the same columns are inserted row by row, in batches.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.models import FloatField, Func, IntegerField, Model, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
# PostgreSQL counts days from here.
_DAY_ZERO = np.datetime64("2000-01-01")
_WIDTHS = {"bigint": ">i8", "integer": ">i4", "double precision": ">f8", "date": ">i4"}
# Rows held at a time beside the arrays they come from.
_ROWS_AT_A_TIME = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A column of texts of which many rows have the same: row i has words[code[i]]."""

    words: list[str]
    code: NDArray[np.intp]


Column = NDArray | Text | np.datetime64 | int | float


class DayNumber(Func):
    """A date as a number that grows by one a day."""

    output_field = IntegerField()

    def as_sqlite(self, *args, **kwargs):
        return self.as_sql(*args, template="CAST(julianday(%(expressions)s) AS INTEGER)")

    def as_postgresql(self, *args, **kwargs):
        return self.as_sql(*args, template="(%(expressions)s - DATE '2000-01-01')")


def or_unknown(number: Combinable | str) -> Coalesce:
    """A float that may be NULL, as `fetch` needs it: NaN (SQLite has none, and leaves NULL)."""
    return Coalesce(number, Value(math.nan, output_field=FloatField()))


def fetch(rows: QuerySet, dtype: list[tuple[str, str]]) -> NDArray:
    """
    Read the rows of a `values_list` into a record array.

    dtype : a name and a numpy type of the database's own width for each column, in order: "i8"
        for ids, "i4" for integers, "f8" for floats. Only a float may be unknown, by `or_unknown`.
    """
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute(sql, params)
            return np.fromiter(cursor, dtype=dtype)
        packed = bytearray()
        # COPY takes no parameters of its own.
        whole = connection.ops.compose_sql(sql, params)
        with cursor.copy(f"COPY ({whole}) TO STDOUT (FORMAT BINARY)") as copy:
            for part in copy:
                packed += part
    sent = [("_fields", ">i2")]
    for name, kind in dtype:
        sent += [(f"_{name}", ">i4"), (name, f">{kind}")]
    inner = memoryview(packed)[len(_HEADER) : -len(_END)]
    return np.frombuffer(inner, dtype=sent)[[name for name, _ in dtype]].astype(dtype)


def store(model: type[Model], columns: Mapping[str, Column], *, rows: int) -> None:
    """
    Insert `rows` rows of a model.

    columns : by attribute name (`person_id`), one value a row or one number for all; dates are
        datetime64[D], and NaN is unknown. A column that is left out is unknown in all rows.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    quote = connection.ops.quote_name
    names = ", ".join(quote(fields[name].column) for name in columns)
    into = f"{quote(model._meta.db_table)} ({names})"
    if connection.vendor == "postgresql":
        # None for texts, whose width is their own.
        types = {name: _WIDTHS.get(fields[name].db_type(connection)) for name in columns}
        _copy_in(f"COPY {into} FROM STDIN (FORMAT BINARY)", _parts(columns, rows), types)
        return
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        for part in _parts(columns, rows):
            values = zip(*map(_plain, part.values()), strict=True)
            cursor.executemany(f"INSERT INTO {into} VALUES ({marks})", values)


def _parts(columns: Mapping[str, Column], rows: int) -> Iterator[dict[str, NDArray | Text]]:
    for at in range(0, rows, _ROWS_AT_A_TIME):
        part = slice(at, min(at + _ROWS_AT_A_TIME, rows))
        yield {name: _part(values, part) for name, values in columns.items()}


def _part(values: Column, part: slice) -> NDArray | Text:
    if isinstance(values, Text):
        return Text(values.words, values.code[part])
    if isinstance(values, np.ndarray):
        return values[part]
    return np.full(part.stop - part.start, values)


def _plain(values: NDArray | Text) -> list:
    """Python's own values, and None for what is not known."""
    if isinstance(values, Text):
        return [values.words[code] for code in values.code]
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), None, values).tolist()
    return values.tolist()


def _copy_in(
    sql: str, parts: Iterable[dict[str, NDArray | Text]], types: dict[str, str | None]
) -> None:
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(_HEADER)
        for part in parts:
            for packed in _pack(part, types):
                copy.write(packed)
        copy.write(_END)


def _pack(part: dict[str, NDArray | Text], types: dict[str, str | None]) -> Iterator[bytes]:
    """
    Rows as PostgreSQL takes them, those of equal widths together.

    Only texts and unknown numbers change the width of a row, and they do so in few ways.
    """
    values: dict[str, NDArray] = {}
    lengths: dict[str, NDArray] = {}
    for name, column in part.items():
        if isinstance(column, Text):
            words = [word.encode() for word in column.words]
            values[name] = np.array(words)[column.code]
            lengths[name] = np.array([len(word) for word in words])[column.code]
            continue
        if column.dtype.kind == "M":
            column = (column - _DAY_ZERO).astype(int)
        values[name] = column
        lengths[name] = np.full(column.shape, np.dtype(types[name]).itemsize)
        if column.dtype.kind == "f":
            lengths[name][np.isnan(column)] = -1

    shape = np.zeros(len(next(iter(lengths.values()))), dtype=int)
    for length in lengths.values():
        if length.min() < length.max():
            _, shape = np.unique(shape * 1024 + length + 1, return_inverse=True)
    for one in range(shape.max() + 1):
        here = np.flatnonzero(shape == one)
        fields = [("_fields", ">i2")]
        for name, kind in types.items():
            length = int(lengths[name][here[0]])
            fields.append((f"_{name}", ">i4"))
            if length > 0:
                fields.append((name, kind or f"S{length}"))
        packed = np.empty(here.size, dtype=fields)
        packed["_fields"] = len(types)
        for name in types:
            packed[f"_{name}"] = lengths[name][here[0]]
            if name in packed.dtype.names:
                packed[name] = values[name][here]
        yield packed.tobytes()
