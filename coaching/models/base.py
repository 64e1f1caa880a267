import secrets

from django.db import models
from django.utils import translation
from django.utils.functional import Promise

# No vowels and no look-alikes: an id can be read out loud and never spells a word.
_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"


def new_public_id() -> str:
    """Twelve random characters (57 bits): ids in addresses must not count or be guessed."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def in_english(label: str | Promise) -> str:
    """A label as it is stored: audit lines, letters' outcomes and the API keep English."""
    with translation.override("en"):
        return str(label)


class PublicModel(models.Model):
    """A noun that has a page: addressed by `public_id`, never by its row number."""

    public_id = models.CharField(max_length=12, unique=True, editable=False, default=new_public_id)

    class Meta:
        abstract = True


class FoldedField(models.CharField):
    """
    Another field's text with single spaces and in folded case, kept by itself.

    In Python rather than by `Lower()`: SQLite folds only ASCII, and "Łucja"
    and "łucja" would be two people there and one on PostgreSQL.
    """

    def __init__(self, *args, source: str = "", **kwargs) -> None:
        self.source = source
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, {**kwargs, "source": self.source}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = folded(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value


def folded(text: str) -> str:
    """
    >>> folded(" Łucja  NOWAK ")
    'łucja nowak'
    """
    return " ".join(text.split()).casefold()
