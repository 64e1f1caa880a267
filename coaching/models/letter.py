import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coaching.models.base import PublicModel


class Letter(PublicModel):
    """
    One promise to write to one person, and what became of it: a row of the outbox.

    `dedupe_key` names the promise (this person, this local week), never the
    run that made it, so making it twice is harmless. See docs/letters.md for
    the states and who moves them.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("Invitation")
        REMINDER = "reminder", _("Reminder")
        ESCALATION = "escalation", _("Escalation")
        PASSED = "passed", _("Target reached")
        DECIDED = "decided", _("Decision on a case")
        CLOSED = "closed", _("Cohort closed")
        DIGEST = "digest", _("Weekly digest")
        SESSION = "session", _("Session in the calendar")
        PROPOSAL = "proposal", _("A coach proposed for somebody who waits")
        CORRECTION = "correction", _("A correction")
        HELPER = "helper", _("Asked to help")
        LEFT = "left", _("A pair has ended")

    class State(models.IntegerChoices):
        PENDING = 0, _("Waiting")
        LEASED = 1, _("Claimed")
        SENDING = 2, _("Being sent")
        SENT = 3, _("Sent")
        DEAD = 4, _("Given up")
        UNCERTAIN = 5, _("Perhaps sent")
        CANCELLED = 6, _("Not needed any more")

    class Failure(models.TextChoices):
        REFUSED = "refused", _("The address was refused")
        LATER = "later", _("The mail server asked to come back")
        UNREACHED = "unreached", _("The mail server could not be reached")
        SENDER = "sender", _("The mail server takes nothing from us")
        UNWRITABLE = "unwritable", _("The letter could not be written")
        POISON = "poison", _("It stopped every worker that took it")

    dedupe_key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    recipient = models.ForeignKey("coaching.Person", models.CASCADE, related_name="letters")
    pair = models.ForeignKey(
        "coaching.Pair", models.CASCADE, null=True, blank=True, related_name="letters"
    )
    cohort = models.ForeignKey(
        "coaching.Cohort", models.CASCADE, null=True, blank=True, related_name="letters"
    )
    # Plain values, gathered when the letter was promised; rendered when it is sent.
    context = models.JSONField(default=dict)
    # What it left in, once its reader has chosen another language; until then it follows them.
    language = models.CharField(max_length=8, blank=True)
    # The same in every attempt, so that receivers recognise a copy.
    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.PositiveSmallIntegerField(choices=State, default=State.PENDING)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    # Claims so far; and those in a row that ended without any result, which tells a letter that
    # ends its workers from one that is merely late.
    attempts = models.PositiveSmallIntegerField(default=0)
    fruitless = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    # Why it was cancelled or what the mail server last said, and which kind of failure that was.
    outcome = models.CharField(max_length=300, blank=True)
    failure = models.CharField(max_length=10, choices=Failure, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[1, 2], lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state__in=[1, 2]) & Q(lease_token__isnull=True, lease_until__isnull=True)),
                name="letter_leased_iff_token",
            ),
            models.CheckConstraint(
                condition=Q(state=3, sent_at__isnull=False)
                | (~Q(state=3) & Q(sent_at__isnull=True)),
                name="letter_sent_at_iff_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at", "id"], condition=Q(state=0), name="letter_due"),
            models.Index(
                fields=["lease_until"], condition=Q(state__in=[1, 2]), name="letter_leased"
            ),
            # Given up and perhaps sent: what somebody should look at.
            models.Index(
                fields=["next_attempt_at"], condition=Q(state__in=[4, 5]), name="letter_troubled"
            ),
        ]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.recipient}"


class Attempt(models.Model):
    """One try to send a letter and what came of it; rows are only ever added."""

    letter = models.ForeignKey(Letter, models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.letter_id}: {self.outcome}"


class Bounce(models.Model):
    """An address that was refused; after two times nothing is sent to it any more."""

    email = models.EmailField(unique=True)
    times = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField()
    suppressed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-last_at", "pk"]

    def __str__(self) -> str:
        return f"{self.email}: refused {self.times} times"


class Notice(models.Model):
    """What a person is told inside Lanemate, written in the same transaction as the event."""

    person = models.ForeignKey("coaching.Person", models.CASCADE, related_name="notices")
    text = models.CharField(max_length=300)
    link = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    dedupe_key = models.CharField(max_length=120, unique=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.text
