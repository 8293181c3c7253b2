"""Ranking: five scores a candidate, then variety."""

from operator import itemgetter

from .affinity import affinity_score
from .diversity import diversify
from .engagement import engagement_score
from .quality import quality_score
from .recency import recency_score

__all__ = ["rank"]

SHORTLIST = 120


def rank(viewer, candidates, *, now_s, wanted):
    """The best `wanted` candidates for the viewer as (score, candidate), best first."""
    scored = []
    for candidate in candidates:
        score = (
            2.0 * affinity_score(viewer, candidate)
            + 1.2 * recency_score(candidate, now_s)
            + engagement_score(candidate)
            + 0.5 * quality_score(candidate)
        )
        scored.append((score, candidate))
    scored.sort(key=itemgetter(0), reverse=True)
    return diversify(scored[:SHORTLIST], wanted)
