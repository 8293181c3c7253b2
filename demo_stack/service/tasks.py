"""Tasks that the Celery worker runs."""

import io

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from .celery_app import app
from .models import Media

THUMBNAIL_PIXELS = 320


@app.task(name="media.make_thumbnail")
def make_thumbnail(media_id):
    """Scale a stored photo down beside it and note where; safe to run twice."""
    media = Media.objects.get(id=media_id)
    thumbnail = f"thumbnails/{media_id}.jpg"
    with default_storage.open(media.image) as source, Image.open(source) as photo:
        photo.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
        encoded = io.BytesIO()
        photo.convert("RGB").save(encoded, "JPEG", quality=85)
    default_storage.delete(thumbnail)
    default_storage.save(thumbnail, ContentFile(encoded.getvalue()))
    Media.objects.filter(id=media_id).update(thumbnail=thumbnail)
    cache.delete(f"media:{media_id}")
