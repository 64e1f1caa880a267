from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coaching.models.base import PublicModel


class Push(PublicModel):
    """
    What one channel is to be told of one notice, and what became of it.

    A row of a queue, as a letter is: claimed under a lease, tried, marked. Its
    public id is the message's own: the same in every try, so that receivers
    recognise a copy.
    """

    class State(models.IntegerChoices):
        PENDING = 0, _("Waiting")
        LEASED = 1, _("Being sent")
        SENT = 3, _("Sent")
        DEAD = 4, _("Given up")

    channel = models.ForeignKey("coaching.Channel", models.CASCADE, related_name="pushes")
    # Null for a test, which tells of nothing.
    notice = models.ForeignKey(
        "coaching.Notice", models.CASCADE, null=True, blank=True, related_name="pushes"
    )
    kind = models.CharField(max_length=12)
    state = models.PositiveSmallIntegerField(choices=State, default=State.PENDING)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "notice"], name="push_once"),
            models.CheckConstraint(
                condition=Q(state=1, lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state=1) & Q(lease_token__isnull=True, lease_until__isnull=True)),
                name="push_leased_iff_token",
            ),
            models.CheckConstraint(
                condition=Q(state=3, sent_at__isnull=False)
                | (~Q(state=3) & Q(sent_at__isnull=True)),
                name="push_sent_at_iff_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at", "id"], condition=Q(state=0), name="push_due"),
        ]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} to {self.channel}"
