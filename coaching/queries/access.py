"""
Who sees what. `visible_to(person)` in the sibling modules is the only door to
rows for pages, API, admin, export and letters; all of them are built from here.
"""

from django.db.models import Q
from django.http import Http404

from coaching.models import Person, Team
from coaching.models.team import within


def sees_everything(person: Person) -> bool:
    return person.access == Person.Access.HR


def managed_paths(person: Person) -> list[str]:
    """Paths of the teams this person manages; read once for a person object."""
    if not hasattr(person, "_managed_paths"):
        person._managed_paths = list(
            Team.objects.filter(manager=person).order_by("path").values_list("path", flat=True)
        )
    return person._managed_paths


def is_manager(person: Person) -> bool:
    return sees_everything(person) or bool(managed_paths(person))


def managed(person: Person, field: str) -> Q:
    """Rows whose team path at `field` lies in this person's teams; all rows for HR."""
    if sees_everything(person):
        # Not an empty Q: that one vanishes beside an "or", and HR would see only the other half.
        return ~Q(pk__in=[])
    return within(managed_paths(person), field)


def found_or_404(queryset, public_id: str):
    """The row with this public id, or the same 404 for 'not yours' as for 'not there'."""
    row = queryset.filter(public_id=public_id).first()
    if row is None:
        raise Http404
    return row
