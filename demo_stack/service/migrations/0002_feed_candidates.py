"""The function that the feed asks for its candidates."""

from pathlib import Path

from django.db import migrations

SOURCE = Path(__file__).parents[1] / "sql" / "feed_candidates.sql"


class Migration(migrations.Migration):  # type: ignore[misc]
    dependencies = [("photos", "0001_initial")]
    operations = [
        migrations.RunSQL(SOURCE.read_text(), "DROP FUNCTION feed_candidates(bigint, integer)")
    ]
