"""What is known of the viewer: tastes from the cache, interactions from Redis."""

from dataclasses import dataclass

from django.core.cache import cache

from ..redis_client import redis_client

TASTES_S = 300
FAVOURITES = 6
TOPICS = (
    "animals", "architecture", "art", "beach", "city", "coffee", "cycling", "family", "fashion",
    "film", "food", "forest", "garden", "mountains", "music", "night", "portrait", "snow",
    "street", "sunset", "surf", "travel", "vintage", "winter",
)  # fmt: skip


@dataclass(slots=True)
class Viewer:
    """The person who asks for a feed."""

    id: int
    #: author id -> how much the viewer had to do with the author
    interactions: dict[int, float]
    #: the largest of `interactions`, at least 1
    strongest: float
    #: topic -> liking, 0..1
    tastes: dict[str, float]
    #: the topics liked best, best first
    favourites: list[str]


def load_viewer(viewer_id):
    """The viewer with interactions and tastes."""
    stored = redis_client().hgetall(f"interactions:{viewer_id}")
    interactions = {int(author): float(weight) for author, weight in stored.items()}
    tastes = cache.get_or_set(f"tastes:{viewer_id}", lambda: _tastes(viewer_id), TASTES_S)
    return Viewer(
        id=viewer_id,
        interactions=interactions,
        strongest=max(interactions.values(), default=1.0),
        tastes=tastes,
        favourites=sorted(tastes, key=tastes.__getitem__, reverse=True)[:FAVOURITES],
    )


def note_interaction(viewer_id, author_id):
    """Count one more thing that the viewer had to do with the author."""
    redis_client().hincrbyfloat(f"interactions:{viewer_id}", str(author_id), 1.0)


def _tastes(viewer_id):
    """A liking for each topic that stays the same for one viewer."""
    return {
        topic: (viewer_id * 7919 + place * 104729) % 1000 / 1000
        for place, topic in enumerate(TOPICS)
    }
