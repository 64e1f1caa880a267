from django.db import models
from django.utils.translation import gettext_lazy as _

from coaching.models.base import PublicModel


class Import(PublicModel):
    """One uploaded file on its way to readings: read, shown, and only then written."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Waiting to be read")
        READY = "ready", _("Ready to check")
        QUEUED = "queued", _("Waiting to be written")
        DONE = "done", _("Written")
        REFUSED = "refused", _("Refused")
        CANCELLED = "cancelled", _("Cancelled")

    filename = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED)
    # Nobody: the server's own command, which may touch everybody's readings.
    uploaded_by = models.ForeignKey(
        "coaching.Person", models.PROTECT, null=True, blank=True, related_name="imports"
    )
    # People who are new in the file join this team.
    team = models.ForeignKey("coaching.Team", models.SET_NULL, null=True, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    # Write the good rows although some are refused: a person's explicit choice.
    good_rows_only = models.BooleanField(default=False)
    # What the reader of the preview sees: counts, columns, sample rows, what would change.
    preview = models.JSONField(default=dict, blank=True)
    problems = models.JSONField(default=list, blank=True)
    problem_count = models.PositiveIntegerField(default=0)
    # What was written: counts, and the readings that changed with their old and new values.
    result = models.JSONField(default=dict, blank=True)
    refusal = models.TextField(blank=True)
    # What the English sentences of all these were made of, to be said in a reader's language.
    sentences = models.JSONField(default=dict, blank=True)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # The worker that reads or writes the file holds it until then.
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_waiting(self) -> bool:
        """True while a worker has something to do with it."""
        return self.state in (self.State.UPLOADED, self.State.QUEUED)


class ImportFile(models.Model):
    """
    The uploaded bytes, kept until they are written or refused.

    In the database, so that any worker on any machine can read them.
    """

    source = models.OneToOneField(Import, models.CASCADE, related_name="file")
    content = models.BinaryField()

    def __str__(self) -> str:
        return str(self.source)
