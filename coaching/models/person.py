import zoneinfo
from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coaching.models.base import FoldedField, PublicModel


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Write it like Europe/Zurich.")


def default_time_zone() -> str:
    return settings.TIME_ZONE


def languages() -> list[tuple[str, str]]:
    return list(settings.LANGUAGES)


class Person(PublicModel):
    """Somebody with readings, a login, or both. Readings find their person by `key`."""

    class Access(models.TextChoices):
        STAFF = "staff", _("Staff")
        HR = "hr", _("HR and administration")
        AUDITOR = "auditor", _("Auditor")

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        # A group of customers: it has readings and is ranked, but is never paired or written to.
        SEGMENT = "segment", _("Customer segment")

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
    # Of their pages and letters; empty: as the browser says, and for letters as the server does.
    # It has nothing to do with `language`, in which they work.
    reads = models.CharField("reads", max_length=8, blank=True, choices=languages)
    # When letters may reach them: ISO weekdays, Monday 1, and the hours between.
    working_days = models.CharField(
        max_length=7, default="12345", validators=[RegexValidator(r"^1?2?3?4?5?6?7?$")]
    )
    day_begins = models.TimeField(default=time(8))
    day_ends = models.TimeField(default=time(17))
    # No letters before this day, by their own wish; what they would say is told inside Lanemate.
    letters_paused_until = models.DateField(null=True, blank=True)
    # Opens the personal calendar feed, together with the server's signature; empty: no feed.
    calendar_key = models.CharField(max_length=43, blank=True)
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
    def reading_language(self) -> str:
        """The language of what is written to them."""
        return self.reads or settings.LANGUAGE_CODE

    @property
    def first_name(self) -> str:
        return (self.name.split() or [self.key])[0]


class Leave(models.Model):
    """Days on which somebody is away: their letters wait, and the clocks of their pairs stand."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="leaves")
    first_day = models.DateField()
    # Null: until further notice.
    last_day = models.DateField(null=True, blank=True)
    noted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__isnull=True) | Q(last_day__gte=models.F("first_day")),
                name="leave_ends_after_it_begins",
            ),
        ]
        ordering = ["first_day", "pk"]

    def __str__(self) -> str:
        return f"{self.person}, {self.first_day} – {self.last_day or '…'}"


class OptOut(models.Model):
    """A kind of letter somebody does not want by e-mail; they are still told inside Lanemate."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="opt_outs")
    kind = models.CharField(max_length=12)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "kind"], name="opt_out_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: no {self.kind}"


class Channel(PublicModel):
    """Where else somebody is told what their notices say: a signed webhook, or a chat."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", _("Webhook")
        CHAT = "chat", _("Chat")

    person = models.ForeignKey(Person, models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=7, choices=Kind)
    url = models.CharField(max_length=500)
    # Signs what a webhook receives (Standard Webhooks); shown once, when it is made.
    secret = models.CharField(max_length=80, blank=True)
    # Kinds of letters it is not told of; and whether it hears what happened, names and all,
    # or only that something did, and where to read it.
    leaves_out = models.JSONField(default=list, blank=True)
    in_words = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField()
    # Tries in a row that failed, and what the last one ran into.
    failures = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.person}"

    @property
    def place(self) -> str:
        """Where it leads, without what may be secret in the address."""
        scheme, _, rest = self.url.partition("://")
        host = rest.split("/")[0].split("?")[0] if self.kind == self.Kind.WEBHOOK else ""
        return f"{scheme}://{host}…"
