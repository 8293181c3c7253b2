"""Whether this worker can serve: the database answers."""

from django.db import connection
from django.http import JsonResponse


def health(request):
    """200 once the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
