"""Search in captions."""

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.http import JsonResponse
from django.views.decorators.http import require_GET

from ..models import Media

RESULTS = 20
QUERY_LETTERS_MAX = 100


@require_GET
def search(request):
    """The newest photos whose caption has all words of `q`."""
    words = request.GET.get("q", "").strip()
    if not words or len(words) > QUERY_LETTERS_MAX:
        return JsonResponse({"error": f"q: 1 to {QUERY_LETTERS_MAX} letters"}, status=400)
    found = (
        Media.objects.annotate(words=SearchVector("caption", config="simple"))
        .filter(words=SearchQuery(words, config="simple"))
        .order_by("-posted_at")
        .values("id", "caption", "likes")[:RESULTS]
    )
    return JsonResponse({"results": list(found)})
