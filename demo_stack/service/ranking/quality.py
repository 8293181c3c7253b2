"""Quality: the shape of a photo and the care taken with its caption."""

GOLDEN = 1.618
SPAM = frozenset(("follow", "giveaway", "promo", "discount", "free", "dm"))


def quality_score(candidate):
    """0..1: size and proportions, words that inform, and no shouting or spam."""
    pixels = candidate.width * candidate.height
    size = min(1.0, pixels / 2_000_000)
    long_side = max(candidate.width, candidate.height) or 1
    short_side = min(candidate.width, candidate.height) or 1
    proportion = 1.0 - min(1.0, abs(long_side / short_side - GOLDEN) / GOLDEN)
    tags = letters = spam = 0
    words = candidate.caption.split()
    for word in words:
        if word[0] == "#":
            tags += 1
        elif word.lower() in SPAM:
            spam += 1
        letters += len(word)
    text = min(1.0, letters / 80.0) - 0.05 * max(0, tags - 4) - 0.2 * spam
    return max(0.0, min(1.0, 0.4 * size + 0.25 * proportion + 0.35 * text))
