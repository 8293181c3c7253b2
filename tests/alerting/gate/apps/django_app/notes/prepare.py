"""Fill an empty database."""

from datetime import timedelta


def fill():
    import django

    django.setup()
    from django.db import connection
    from django.utils import timezone

    from .models import Note

    with connection.schema_editor() as editor:
        editor.create_model(Note)
    Note.objects.bulk_create(
        Note(title=f"Note number {number}", written_at=timezone.now() - timedelta(hours=number))
        for number in range(12)
    )
