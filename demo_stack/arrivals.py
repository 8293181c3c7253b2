"""The traffic as a plan: which request at which moment, from a seed and nothing else."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt

__all__ = ["MIX", "SEEDED_MEDIA", "SEEDED_USERS", "UPLOADS", "Arrival", "rising", "schedule"]

#: What the service was seeded with.
SEEDED_USERS = 370
SEEDED_MEDIA = 6_660
#: How many different photos are uploaded.
UPLOADS = 6
#: Kind of request -> its share of the requests.
MIX: Mapping[str, float] = {
    "feed": 0.64,
    "media": 0.14,
    "profile": 0.08,
    "search": 0.05,
    "like": 0.05,
    "follow": 0.02,
    "upload": 0.02,
}
WORDS = ("light", "river", "morning", "bread", "summer", "train", "sea", "#sunset", "#coffee")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: `at_s` seconds after the start, whether or not earlier ones are answered."""

    at_s: float
    #: key of MIX
    kind: str
    user: int
    #: what it is about: a media id, a user id, or the number of a photo to upload
    subject: int
    word: str


def schedule(seed: int, rate_rps: float, seconds: float) -> Iterator[Arrival]:
    """Poisson arrivals at `rate_rps` for `seconds`; a longer plan begins with the shorter one."""
    rng = random.Random(seed)
    kinds, shares = list(MIX), list(MIX.values())
    at_s = rng.expovariate(rate_rps)
    while at_s < seconds:
        kind = rng.choices(kinds, shares)[0]
        # Few photos and people draw most of the looks.
        popular = rng.paretovariate(1.1)
        last = {"upload": UPLOADS, "profile": SEEDED_USERS, "follow": SEEDED_USERS}
        subject = 1 + int(popular * 7) % last.get(kind, SEEDED_MEDIA)
        yield Arrival(at_s, kind, rng.randint(1, SEEDED_USERS), subject, rng.choice(WORDS))
        at_s += rng.expovariate(rate_rps)


def rising(seed: int, from_rps: float, to_rps: float, seconds: float) -> Iterator[Arrival]:
    """The same requests in the same order, at a rate that goes in a straight line to `to_rps`."""
    expected = (from_rps + to_rps) / 2 * seconds
    slope = (to_rps - from_rps) / seconds
    for arrival in schedule(seed, from_rps, expected / from_rps):
        before = from_rps * arrival.at_s
        at_s = 2 * before / (from_rps + sqrt(from_rps**2 + 2 * slope * before))
        yield replace(arrival, at_s=at_s)
