"""Candidates: what the database offers for a feed."""

import json
from dataclasses import dataclass

from django.db import connection


@dataclass(slots=True)
class Candidate:
    """A photo with what the scores look at."""

    id: int
    author_id: int
    caption: str
    topics: list[str]
    posted_s: float
    likes: int
    comments: int
    saves: int
    views: int
    width: int
    height: int


def load_candidates(viewer_id, wanted):
    """The newest photos that the viewer may want to see, at most `wanted`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, author_id, caption, topics::text, extract(epoch FROM posted_at)::float8,"
            " likes, comments, saves, views, width, height FROM feed_candidates(%s, %s)",
            [viewer_id, wanted],
        )
        return [_candidate(row) for row in cursor.fetchall()]


def _candidate(row):
    return Candidate(row[0], row[1], row[2], json.loads(row[3]), *row[4:])
