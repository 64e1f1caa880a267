"""What can be wrong with a file or with the mapping of its columns."""

from coaching.domain.said import said
from coaching.errors import CoachingError


class TableError(CoachingError):
    """The file cannot be read as a table; `message` says what it is and what to do."""

    message = said("This file cannot be read as a table. Upload a CSV or Excel file.")


class MappingError(CoachingError):
    """The mapping is not usable; `field` names the part, such as `metrics[0].kind`."""

    message = said("The columns cannot be read this way.")

    def __init__(self, message: str | None = None, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field
