"""The feed: candidates from the database, ranked for the viewer."""

import time

from django.http import JsonResponse
from django.views.decorators.http import require_GET

from ..ranking import rank
from ..ranking.candidates import load_candidates
from ..ranking.context import load_viewer
from ..viewer import signed_in

CANDIDATES = 500
PAGE = 30


@require_GET
@signed_in
def feed(request):
    """The viewer's best `PAGE` photos out of the newest `CANDIDATES`."""
    viewer = load_viewer(request.viewer_id)
    candidates = load_candidates(viewer.id, CANDIDATES)
    ranked = rank(viewer, candidates, now_s=time.time(), wanted=PAGE)
    return JsonResponse(
        {
            "candidates": len(candidates),
            "items": [
                {
                    "id": candidate.id,
                    "author": candidate.author_id,
                    "caption": candidate.caption,
                    "likes": candidate.likes,
                    "score": round(score, 4),
                }
                for score, candidate in ranked
            ],
        }
    )
