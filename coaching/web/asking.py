"""What the address of a list asks it for."""

from collections.abc import Container
from dataclasses import asdict, dataclass, field, fields
from typing import Self

from django.http import QueryDict

# These choose an order; all others leave rows out.
ORDERING = ("by", "sort")


def free(longest: int) -> str:
    """A parameter with free words, cut to so many characters."""
    return field(default="", metadata={"longest": longest})


def one_of(words: Container[str]) -> str:
    """A parameter with one of these words."""
    return field(default="", metadata={"words": words})


@dataclass(frozen=True, slots=True)
class Asked:
    """One field a parameter, made by `free` or `one_of`; what is unknown counts as not asked."""

    @classmethod
    def of(cls, address: QueryDict) -> Self:
        values = {}
        for one in fields(cls):
            value = address.get(one.name, "").replace("\0", "").strip()
            words = one.metadata.get("words")
            known = words is None or value in words
            values[one.name] = value[: one.metadata.get("longest")] if known else ""
        return cls(**values)

    @property
    def narrows(self) -> bool:
        """Whether some rows are left out."""
        return any(value for name, value in asdict(self).items() if name not in ORDERING)

    def told(self) -> dict[str, str]:
        """What was asked for, for the audit trail."""
        return {name: value for name, value in asdict(self).items() if value}
