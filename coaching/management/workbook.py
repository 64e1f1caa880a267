"""Sheets of plain cells written as an Excel workbook: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.properties import PageSetupProperties

from coaching.domain.harmless import harmless
from coaching.domain.offline import Figure, Sheet

_BOLD = Font(name="Calibri", size=11, bold=True)
_HEAD = PatternFill("solid", start_color="FFE3ECEE")
_TOP = Alignment(vertical="top")
_WRAPPED = Alignment(horizontal="left", vertical="top", wrap_text=True, indent=1)
_HEADING = Alignment(vertical="top", wrap_text=True)
_NARROWEST, _WIDEST = 7, 42
_LINE = 15  # points
# So many rows say how wide a column should be.
_LOOK_AT = 2_000


def write(sheets: Iterable[Sheet], path: Path, *, replace: bool) -> None:
    """
    Write the workbook beside its place and then move it there.

    replace : whether a file that stands there may go

    :raises FileExistsError: when one does, and may not
    :raises OSError: when the folder cannot be written to
    """
    book = Workbook(write_only=True)
    for sheet in sheets:
        _fill(book.create_sheet(sheet.title), sheet)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".xlsx")
    half = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            book.save(file)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            half.replace(path)
        else:
            # Fails where something has come into being there meanwhile; a move would not.
            os.link(half, path)
    finally:
        with suppress(FileNotFoundError):
            half.unlink()


def _fill(page: WriteOnlyWorksheet, sheet: Sheet) -> None:
    # Panes and widths stand in the file before the rows.
    page.freeze_panes = "B2"
    page.print_title_rows = "1:1"
    page.page_setup.orientation = "landscape"
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_setup.fitToHeight = 0
    widths = _widths(sheet)
    for at, width in enumerate(widths, start=1):
        page.column_dimensions[get_column_letter(at)].width = width
    if sheet.rows and not sheet.sections:
        page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.header))}{len(sheet.rows) + 1}"
    wide = {at for at, name in enumerate(sheet.header) if name in sheet.wide}
    _height(page, 1, sheet.header, widths, range(len(widths)))
    page.append([_heading(page, name, wrapped=True) for name in sheet.header])
    for number, row in enumerate(sheet.rows):
        if number in sheet.sections:
            page.append([_heading(page, cell) for cell in row])
        else:
            _height(page, number + 2, row, widths, wide)
            page.append([_cell(page, cell, at in wide, wide) for at, cell in enumerate(row)])


def _height(
    page: WriteOnlyWorksheet,
    number: int,
    row: Sequence[object],
    widths: Sequence[int],
    wrapped: Iterable[int],
) -> None:
    """As high as its longest sentence needs: not every program sees to that by itself."""
    lines = max((-(-_length(row[at]) // (widths[at] - 3)) for at in wrapped), default=1)
    if lines > 1:
        page.row_dimensions[number].height = _LINE * lines


def _cell(
    page: WriteOnlyWorksheet, cell: str | float | Figure | None, wrapped: bool, wide: set[int]
) -> object:
    if isinstance(cell, Figure):
        shown = WriteOnlyCell(page, cell.value)
        shown.number_format = cell.form
    elif wide and cell is not None:
        shown = WriteOnlyCell(page, harmless(cell))
    else:
        # Long sheets of plain cells are written four times as fast without a style.
        return harmless(cell)
    if wide:
        shown.alignment = _WRAPPED if wrapped else _TOP
    return shown


def _heading(page: WriteOnlyWorksheet, cell: str | None, *, wrapped: bool = False) -> WriteOnlyCell:
    shown = WriteOnlyCell(page, harmless(cell))
    shown.font, shown.fill, shown.alignment = _BOLD, _HEAD, _HEADING if wrapped else _TOP
    return shown


def _widths(sheet: Sheet) -> list[int]:
    full = [row for row in sheet.rows[:_LOOK_AT] if len(row) == len(sheet.header)]
    columns: Sequence[Sequence[object]] = list(zip(*full, strict=True))
    columns = columns or [()] * len(sheet.header)
    return [
        sheet.wide.get(name) or min(max(_NARROWEST, _word(name), *map(_length, column), 0) + 3,
                                    _WIDEST)
        for name, column in zip(sheet.header, columns, strict=True)
    ]  # fmt: skip


def _word(name: str) -> int:
    return max(map(len, name.split()), default=0)


def _length(cell: object) -> int:
    if isinstance(cell, Figure):
        return 8
    return 0 if cell is None else len(str(cell))
