from django.db.models import QuerySet

from coaching.models import Import, Person
from coaching.queries import access


def visible_to(person: Person) -> QuerySet[Import]:
    """One's own uploads; all of them for HR."""
    rows = Import.objects.select_related("uploaded_by", "team")
    return rows if access.sees_everything(person) else rows.filter(uploaded_by=person)
