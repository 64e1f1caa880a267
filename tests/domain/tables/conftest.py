import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest

from coaching.domain.tables import Mapping, MetricColumns, Table, Tallied, aggregate, open_table

_HOUR = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TODAY = dt.date(2021, 6, 30)


def csv_bytes(rows: list[list[object]], *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_bytes(*sheets: list[list[object]], names: list[str] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for i, rows in enumerate(sheets):
        sheet = book.create_sheet(names[i] if names else f"Sheet{i + 1}")
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    # The hour of writing is in there; a test that fails must fail again tomorrow.
    return rewritten(
        content.getvalue(), lambda name, part: _HOUR.sub(b"2021-01-01T00:00:00Z", part)
    )


def rewritten(workbook: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The workbook with its parts changed, as a hostile hand would."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            part = zipfile.ZipInfo(name)
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, change(name, old.read(name)))
    return content.getvalue()


def table_of(rows: list[list[object]]) -> Table:
    return open_table(csv_bytes(rows), "rows.csv").best


def tally(rows: list[list[object]], mapping: Mapping, **options: object) -> Tallied:
    return aggregate(table_of(rows), mapping, **{"today": TODAY, **options})


def csat(**changes: object) -> MetricColumns:
    about = {"key": "csat", "name": "CSAT", "kind": "mean", "lower": 1.0, "upper": 5.0}
    return MetricColumns(**{**about, "column": "Rating", **changes})


def calls(*metrics: MetricColumns, **changes: object) -> Mapping:
    """Event rows of Agent and Date."""
    return Mapping(**{"person": "Agent", "date": "Date", "metrics": metrics, **changes})


@pytest.fixture
def files() -> SimpleNamespace:
    return SimpleNamespace(csv=csv_bytes, xlsx=xlsx_bytes, rewritten=rewritten, table=table_of)


@pytest.fixture
def rows() -> SimpleNamespace:
    return SimpleNamespace(tally=tally, csat=csat, calls=calls, today=TODAY)


@pytest.fixture
def real_file() -> Callable[[str], io.BytesIO]:
    def opened(name: str) -> io.BytesIO:
        path = Path(__file__).parents[4] / "shared" / "data" / name
        if not path.exists():
            pytest.skip(f"{name} is not here")
        return io.BytesIO(path.read_bytes())

    return opened
