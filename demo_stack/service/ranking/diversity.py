"""Diversity: no page full of one author or one topic."""

AUTHOR_AGAIN = 0.55
TOPIC_AGAIN = 0.9


def diversify(scored, wanted):
    """Pick `wanted` of (score, candidate), best first; authors and topics count less again."""
    authors: dict[int, float] = {}
    topics: dict[str, float] = {}
    left = list(scored)
    picked: list[tuple[float, object]] = []
    while left and len(picked) < wanted:
        best, best_score = 0, -1.0
        for place, (score, candidate) in enumerate(left):
            if score <= best_score:
                break
            adjusted = score * authors.get(candidate.author_id, 1.0)
            for topic in candidate.topics:
                adjusted *= topics.get(topic, 1.0)
            if adjusted > best_score:
                best, best_score = place, adjusted
        _, candidate = left.pop(best)
        picked.append((best_score, candidate))
        authors[candidate.author_id] = authors.get(candidate.author_id, 1.0) * AUTHOR_AGAIN
        for topic in candidate.topics:
            topics[topic] = topics.get(topic, 1.0) * TOPIC_AGAIN
    return picked
