"""Uploads are counted while they arrive: one that is too large is never kept."""

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.utils.translation import gettext

MEGABYTE = 1024 * 1024


class LimitedUploadHandler(FileUploadHandler):
    """
    Drops a file once it exceeds `UPLOAD_LIMIT_MB`, and notes its name on the request.

    The rest is read and thrown away rather than the connection cut, so that
    the browser gets to show our page. Forms call `refusal` to say so.
    """

    def new_file(self, *args, **kwargs) -> None:
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_LIMIT_MB * MEGABYTE:
            self.request.META["lanemate.upload_refused"] = self.file_name
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def refusal(request) -> str:
    """Why an upload was dropped, in words; empty when none was."""
    name = request.META.get("lanemate.upload_refused")
    if not name:
        return ""
    return gettext(
        "“%(name)s” is larger than %(most)s MB. Export fewer weeks or fewer columns, or save it "
        "as CSV and compress nothing; or have the limit raised (UPLOAD_LIMIT_MB)."
    ) % {"name": name, "most": settings.UPLOAD_LIMIT_MB}
