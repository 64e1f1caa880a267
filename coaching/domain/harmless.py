"""Cells that a spreadsheet may open."""

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
# A cell of Excel ends there.
LONGEST = 32_767

Cell = str | float | int | None


def harmless(cell: Cell) -> Cell:
    """
    Text that a spreadsheet would take for a formula, as text; numbers stay numbers.

    >>> harmless("=HYPERLINK(1)"), harmless("Ivo"), harmless(-0.5)
    ("'=HYPERLINK(1)", 'Ivo', -0.5)
    """
    if not isinstance(cell, str):
        return cell
    cell = ILLEGAL_CHARACTERS_RE.sub("", cell)[: LONGEST - 1]
    return f"'{cell}" if cell.lstrip().startswith(FORMULA_STARTS) else cell
