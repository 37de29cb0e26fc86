"""Numbers that any language makes alike: a hash of (seed, index), exact in float32.
tests/support/hashed.h is its twin.
"""
import numpy as np


def uniform(seed, *shape):
    """float64 array in [0, 1), multiples of 2^-24: element i is the high bits of splitmix64(seed *
    2^32 + i).
    """
    x = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.uint64) + np.uint64(seed << 32)
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return ((x >> np.uint64(40)).astype(np.float64) * 2.0**-24).reshape(shape)


def signed(seed, *shape):
    """float64 array in [-1, 1)."""
    return uniform(seed, *shape) * 2 - 1


def name_seed(name):
    """32-bit FNV-1a hash."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h
