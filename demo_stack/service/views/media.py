"""Photos: upload, detail, like."""

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.crypto import get_random_string
from django.views.decorators.http import require_GET, require_POST
from PIL import Image, UnidentifiedImageError

from ..counts import counts
from ..models import Like, Media
from ..ranking.context import note_interaction
from ..tasks import make_thumbnail
from ..viewer import signed_in

CACHE_S = 60
FORMATS = {"JPEG": "jpg", "PNG": "png"}
PIXELS_MAX = 50_000_000


@require_POST
@signed_in
def media_collection(request):
    """Store an uploaded photo (multipart field `image`, `caption`) and have it thumbnailed."""
    upload = request.FILES.get("image")
    if upload is None or upload.size > settings.UPLOAD_BYTES_MAX:
        limit = settings.UPLOAD_BYTES_MAX
        return JsonResponse({"error": f"field image: a photo up to {limit} bytes"}, status=400)
    photo = _inspect(upload)
    if photo is None:
        return JsonResponse({"error": "field image: neither a JPEG nor a PNG"}, status=400)
    suffix, width, height = photo
    name = default_storage.save(f"photos/{get_random_string(16)}.{suffix}", upload)
    media = Media.objects.create(
        author_id=request.viewer_id,
        caption=request.POST.get("caption", "")[:2000],
        image=name,
        width=width,
        height=height,
    )
    make_thumbnail.delay(media.id)
    counts.incr("uploads")
    counts.timing("upload_kib", upload.size / 1024)
    return JsonResponse({"id": media.id, "width": width, "height": height}, status=201)


@require_GET
def media_detail(request, id):
    """One photo, from the cache for a minute."""
    detail = cache.get(f"media:{id}")
    if detail is None:
        media = get_object_or_404(Media.objects.select_related("author"), id=id)
        detail = {
            "id": media.id,
            "author": media.author.name,
            "caption": media.caption,
            "topics": media.topics,
            "posted_at": media.posted_at.isoformat(),
            "likes": media.likes,
            "comments": media.comments,
            "width": media.width,
            "height": media.height,
            "thumbnail": media.thumbnail,
        }
        cache.set(f"media:{id}", detail, CACHE_S)
    liked = Like.objects.filter(user_id=request.viewer_id, media_id=id).exists()
    return JsonResponse({**detail, "liked": liked})


@require_POST
@signed_in
def like(request, id):
    """Like a photo; a second like changes nothing."""
    media = get_object_or_404(Media.objects.only("id", "author_id"), id=id)
    with transaction.atomic():
        _, created = Like.objects.get_or_create(user_id=request.viewer_id, media_id=id)
        if created:
            Media.objects.filter(id=id).update(likes=F("likes") + 1)
    if created:
        note_interaction(request.viewer_id, media.author_id)
        cache.delete(f"media:{id}")
    return JsonResponse({"liked": True, "new": created})


def _inspect(upload):
    """(suffix, width, height) of an image that can be decoded, or None."""
    try:
        with Image.open(upload, formats=tuple(FORMATS)) as photo:
            suffix, (width, height) = FORMATS[str(photo.format)], photo.size
            if width * height > PIXELS_MAX:
                return None
            photo.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        return None
    upload.seek(0)
    return suffix, width, height
