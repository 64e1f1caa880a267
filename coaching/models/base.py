import secrets

from django.db import models

# No vowels and no look-alikes: an id can be read out loud and never spells a word.
_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"


def new_public_id() -> str:
    """Twelve random characters (57 bits): ids in addresses must not count or be guessed."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


class PublicModel(models.Model):
    """A noun that has a page: addressed by `public_id`, never by its row number."""

    public_id = models.CharField(max_length=12, unique=True, editable=False, default=new_public_id)

    class Meta:
        abstract = True
