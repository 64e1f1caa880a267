from django.db import models


class Event(models.Model):
    """One line of the audit trail: who did what to which thing, when."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        "coaching.Person", models.SET_NULL, null=True, blank=True, related_name="acts"
    )
    verb = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    # Shown to managers of this team and above.
    team = models.ForeignKey("coaching.Team", models.SET_NULL, null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "at"])]
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.subject_type} {self.subject_id}"
