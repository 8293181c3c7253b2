"""People: profile and follow."""

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from ..models import Follow, Media, User
from ..viewer import signed_in

CACHE_S = 30
PHOTOS = 12


@require_GET
def profile(request, name):
    """A person with the newest photos."""
    answer = cache.get(f"profile:{name}")
    if answer is None:
        user = get_object_or_404(User, name=name)
        photos = Media.objects.filter(author=user).order_by("-posted_at")[:PHOTOS]
        answer = {
            "id": user.id,
            "name": user.name,
            "biography": user.biography,
            "followers": user.followers,
            "photos": [{"id": photo.id, "likes": photo.likes} for photo in photos],
        }
        cache.set(f"profile:{name}", answer, CACHE_S)
    return JsonResponse(answer)


@require_POST
@signed_in
def follow(request, id):
    """Follow a person; a second time changes nothing."""
    followee = get_object_or_404(User, id=id)
    with transaction.atomic():
        _, created = Follow.objects.get_or_create(
            follower_id=request.viewer_id, followee_id=followee.id
        )
        if created:
            User.objects.filter(id=followee.id).update(followers=F("followers") + 1)
    if created:
        cache.delete(f"profile:{followee.name}")
    return JsonResponse({"following": True, "new": created})
