"""The project's counter-based random numbers (src/core/random.h) and what it draws from them for
denoising queries.
"""
import numpy as np

U32 = 0xFFFFFFFF
U64 = 0xFFFFFFFFFFFFFFFF
DENOISING = 3  # Stream::kDenoising


def philox4x32(c, k):
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = ((p1 >> 32) ^ c[1] ^ k[0], p1 & U32, (p0 >> 32) ^ c[3] ^ k[1], p0 & U32)
        k = ((k[0] + 0x9E3779B9) & U32, (k[1] + 0xBB67AE85) & U32)
    return c


def splitmix(x):
    x = (x + 0x9E3779B97F4A7C15) & U64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & U64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & U64
    return x ^ (x >> 31)


def numbers(seed, stream, a, b):
    """An endless sequence of 32-bit numbers."""
    key = splitmix(splitmix(seed) ^ stream)
    block = 0
    while True:
        yield from philox4x32((block, b, a & U32, a >> 32), (key & U32, key >> 32))
        block += 1


def denoising_draws(seed, step, images, queries, classes):
    """label_u [B, N], label_new [B, N], box_sign [B, N, 4], box_u [B, N, 4]; see
    src/model/denoising.h.
    """
    label_u, label_new = np.empty((images, queries)), np.empty((images, queries), np.int64)
    sign, u = np.empty((images, queries, 4), np.int64), np.empty((images, queries, 4))
    for i in range(images):
        source = numbers(seed, DENOISING, step, i)
        unit = lambda source=source: (next(source) >> 8) * 2.0**-24
        for q in range(queries):
            label_u[i, q] = unit()
            # Lemire's method; the rare second draw is not needed here
            product = (next(source) << 32 | next(source)) * classes
            assert product & U64 >= classes
            label_new[i, q] = product >> 64
            signs = next(source)
            sign[i, q] = [signs >> (28 + k) & 1 for k in range(4)]
            u[i, q] = [unit() for _ in range(4)]
    return label_u, label_new, sign, u
