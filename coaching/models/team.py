from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from coaching.models.base import FoldedField, PublicModel


class TeamQuerySet(models.QuerySet["Team"]):
    def under(self, paths: list[str]) -> "TeamQuerySet":
        """The teams at these paths and all teams below them."""
        return self.filter(within(paths, "path"))


class Team(PublicModel):
    """A team in a tree. `path` lists the row numbers from the root: '3/17/' lies below '3/'."""

    name = models.CharField(max_length=200)
    name_folded = FoldedField(max_length=400, unique=True, source="name")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    manager = models.ForeignKey(
        "coaching.Person", models.SET_NULL, null=True, blank=True, related_name="managed_teams"
    )
    path = models.CharField(max_length=400, db_index=True, editable=False, default="")

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        above = self.parent
        while above is not None and self.pk is not None:
            if above.pk == self.pk:
                raise ValidationError(
                    {"parent": f"{self.name} would lie below itself. Choose a team further up."}
                )
            above = above.parent

    def save(self, *args, **kwargs) -> None:
        # A circle has no root to write paths from.
        self.clean()
        super().save(*args, **kwargs)
        path = f"{self.parent.path if self.parent else ''}{self.pk}/"
        if path != self.path:
            self.path = path
            Team.objects.filter(pk=self.pk).update(path=path)
            for child in self.children.all():
                child.save()


def within(paths: list[str], field: str) -> Q:
    """Rows whose team path (at `field`) is one of `paths` or lies below one; none when empty."""
    condition = Q(pk__in=[])
    for path in paths:
        condition |= Q(**{f"{field}__startswith": path})
    return condition
