import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from coaching.models.base import FoldedField, PublicModel


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Write it like Europe/Zurich.")


def default_time_zone() -> str:
    return settings.TIME_ZONE


class Person(PublicModel):
    """Somebody with readings, a login, or both. Readings find their person by `key`."""

    class Access(models.TextChoices):
        STAFF = "staff", "Staff"
        HR = "hr", "HR and administration"
        AUDITOR = "auditor", "Auditor"

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        # A group of customers: it has readings and is ranked, but is never paired or written to.
        SEGMENT = "segment", "Customer segment"

    # What peer groups and preferences may be built from, in the order they are offered.
    ATTRIBUTES = ("role", "site", "shift", "language")

    key = models.CharField("identifier in exports", max_length=200)
    key_folded = FoldedField(max_length=400, unique=True, source="key")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PERSON)
    email = models.EmailField(blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="person"
    )
    team = models.ForeignKey(
        "coaching.Team", models.PROTECT, null=True, blank=True, related_name="people"
    )
    role = models.CharField(max_length=100, blank=True)
    site = models.CharField(max_length=100, blank=True)
    shift = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(
        max_length=64, default=default_time_zone, validators=[validate_time_zone]
    )
    started_on = models.DateField(null=True, blank=True)
    part_time = models.BooleanField(default=False)
    capacity = models.PositiveSmallIntegerField("learners at a time", default=2)
    access = models.CharField(max_length=8, choices=Access, default=Access.STAFF)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="segment") | Q(email="", user=None, access="staff"),
                name="segment_is_never_written_to",
                violation_error_message="A customer segment has neither a login nor an address.",
            ),
        ]
        ordering = ["name", "pk"]
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def first_name(self) -> str:
        return (self.name.split() or [self.key])[0]
