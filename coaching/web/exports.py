"""Rows as CSV or as an Excel workbook, written while they are read."""

import csv
import tempfile
from collections.abc import Iterable, Iterator

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import translation
from openpyxl import Workbook

from coaching.domain.harmless import Cell, harmless

# A sheet of Excel ends there.
MOST_SHEET_ROWS = 1_048_576


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def as_csv(rows: Iterable[list[Cell]], *, filename: str) -> HttpResponseBase:
    # Rows are made while they are sent, when the request and its reader's language are over.
    language, source = translation.get_language(), iter(rows)

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        # Excel takes a file without this mark for Latin-1.
        yield "\ufeff"
        while True:
            with translation.override(language):
                row = next(source, None)
            if row is None:
                return
            yield writer.writerow([harmless(cell) for cell in row])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}.csv"'},
    )


def as_workbook(rows: Iterable[list[Cell]], *, filename: str, title: str) -> HttpResponseBase:
    """The workbook goes through a file, so that memory holds one row at a time."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "B2"
    for row in rows:
        sheet.append([harmless(cell) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the answer closes it)
    book.save(file)
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{filename}.xlsx",
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
