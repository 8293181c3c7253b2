"""Recency: how fresh a photo is."""

import math

#: (half-life in hours, weight): what is minutes old, of the day, of the month.
DECAYS = ((0.5, 0.2), (3.0, 0.25), (24.0, 0.25), (168.0, 0.2), (720.0, 0.1))
LATE_HOURS = (0.4, 0.3, 0.25, 0.2, 0.25, 0.35)


def recency_score(candidate, now_s):
    """0..1: a mixture of decays, a little less for what was posted at night."""
    age_h = max(0.0, now_s - candidate.posted_s) / 3600.0
    fresh = 0.0
    for half_life_h, weight in DECAYS:
        fresh += weight * math.exp(-age_h * math.log(2.0) / half_life_h)
    hour = int(candidate.posted_s // 3600) % 24
    day = int(candidate.posted_s // 86400) % 7
    calm = LATE_HOURS[hour] if hour < len(LATE_HOURS) else 1.0 - abs(15 - hour) / 40.0
    weekend = 1.05 if day in (2, 3) else 1.0
    burst = 1.0 / (1.0 + math.exp(min(50.0, age_h - 6.0)))
    settled = math.log1p(age_h) / math.log1p(age_h + 24.0)
    return min(1.0, weekend * (0.7 * fresh + 0.15 * calm + 0.1 * burst + 0.05 * settled))
