"""Affinity: how close the viewer is to the author and to what the photo shows."""

import math


def affinity_score(viewer, candidate):
    """0..1: what the two had to do with each other, and the viewer's taste for the topics."""
    strongest = viewer.strongest
    closeness = math.log1p(viewer.interactions.get(candidate.author_id, 0.0)) / math.log1p(
        max(strongest, 1.0)
    )
    liking = 0.0
    missing = 0
    weight = 1.0
    total = 0.0
    tastes = viewer.tastes
    for topic in candidate.topics:
        taste = tastes.get(topic)
        if taste is None:
            missing += 1
            taste = 0.25
        liking += weight * math.sqrt(taste)
        total += weight
        weight *= 0.8
    taste = liking / total if total else 0.25
    match = 0.0
    for place, topic in enumerate(viewer.favourites):
        if topic in candidate.topics:
            match += 1.0 / math.log2(place + 2.0)
    novelty = missing / (len(candidate.topics) or 1)
    return min(1.0, 0.55 * closeness + 0.3 * taste + 0.1 * math.tanh(match) + 0.05 * novelty)
