"""Engagement: what others did with a photo, held back while few have seen it."""

import math

Z = 1.96


def engagement_score(candidate):
    """0..1: lower ends of the rates' intervals (Wilson), weighted by what each act is worth."""
    views = max(candidate.views, 1)
    score = 0.0
    for count, worth in (
        (candidate.likes, 0.5),
        (candidate.comments, 0.3),
        (candidate.saves, 0.2),
    ):
        rate = min(1.0, count / views)
        centre = rate + Z * Z / (2.0 * views)
        spread = Z * math.sqrt((rate * (1.0 - rate) + Z * Z / (4.0 * views)) / views)
        lower = max(0.0, (centre - spread) / (1.0 + Z * Z / views))
        score += worth * math.tanh(3.0 * lower)
    reach = math.log10(views + 1.0) / 6.0
    talk = candidate.comments / (candidate.likes + 1.0)
    return min(1.0, 0.8 * score + 0.15 * min(1.0, reach) + 0.05 * min(1.0, talk))
