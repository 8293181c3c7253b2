"""One table."""

from django.db import models


class Note(models.Model):  # type: ignore[misc]
    """A note and when it was written."""

    title = models.CharField(max_length=80)
    written_at = models.DateTimeField()
