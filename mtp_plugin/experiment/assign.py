"""Which variation a visitor sees, as GrowthBook documents it, so that experiments can move between both.

Source: docs.growthbook.io/lib/build-your-own, "Hashing", "Bucket ranges", "Namespaces".
"""

from __future__ import annotations

from collections.abc import Sequence

FNV_OFFSET, FNV_PRIME = 0x811C9DC5, 0x01000193
Range = tuple[float, float]


def fnv1a_32(text: str) -> int:
    """The 32-bit FNV-1a hash of a text's UTF-8 bytes.

    >>> fnv1a_32("hello")
    1335831723
    """
    value = FNV_OFFSET
    for byte in text.encode("utf-8", "surrogatepass"):
        value = (value ^ byte) * FNV_PRIME & 0xFFFFFFFF
    return value


def bucket(seed: str, key: str, version: int = 2) -> float:
    """A number from 0 (inclusive) to 1 (exclusive) that is always the same for these.

    :param seed: of the experiment; another seed divides the same visitors anew
    :param key: the visitor
    :param version: 2 takes the hash twice and has 10,000 buckets; 1, biased, has 1,000 and is for namespaces
    :raises ValueError: there is no such version
    """
    if version == 2:
        return fnv1a_32(str(fnv1a_32(seed + key))) % 10_000 / 10_000
    if version == 1:
        return fnv1a_32(key + seed) % 1000 / 1000
    raise ValueError(f"version must be 1 or 2, not {version}")


def bucket_ranges(variations: int, coverage: float = 1.0, weights: Sequence[float] = ()) -> tuple[Range, ...]:
    """The stretch of buckets that each variation has.

    :param variations: how many there are
    :param coverage: share of visitors who take part, 0 to 1
    :param weights: how they are divided; evenly when there are none, too few, or they do not add up to 1
    """
    coverage = min(1.0, max(0.0, coverage))
    if len(weights) != variations or not 0.99 <= sum(weights) <= 1.01:
        weights = [1.0 / variations] * variations if variations else []
    ranges: list[Range] = []
    begin = 0.0
    for weight in weights:
        ranges.append((begin, begin + coverage * weight))
        begin += weight
    return tuple(ranges)


def choose(number: float, ranges: Sequence[Range]) -> int:
    """The variation whose stretch holds *number*, -1 for none."""
    for variation, (begin, end) in enumerate(ranges):
        if begin <= number < end:
            return variation
    return -1


def in_namespace(key: str, namespace: tuple[str, float, float]) -> bool:
    """Whether a visitor is in the part of a namespace, ``(name, from, to)``, that an experiment has."""
    name, begin, end = namespace
    return begin <= bucket(f"__{name}", key, 1) < end


def assign(
    key: str,
    *,
    seed: str,
    coverage: float = 1.0,
    weights: Sequence[float] = (),
    namespace: tuple[str, float, float] | None = None,
) -> int:
    """The variation of a visitor, from 0, or -1 for one who takes no part.

    :param key: the visitor; without one nobody is assigned
    """
    if not key or (namespace is not None and not in_namespace(key, namespace)):
        return -1
    return choose(bucket(seed, key), bucket_ranges(len(weights) or 2, coverage, weights))
