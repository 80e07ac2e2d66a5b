"""Made-up lesions for the tests of radiomics."""

import numpy as np

from her2study.imaging.radiomics import Lesions
from her2study.study import Radiomics

RADIOMICS = Radiomics(
    families=("statistics", "intensity_histogram", "cooccurrence_matrix"),
    bin_number=8,
    peritumoural_families=("statistics",),
)
SPACING_MM = (1.5, 1.5, 1.5)


def cube(side: int = 4, size: int = 14) -> np.ndarray:
    mask = np.zeros((size, size, size), np.uint8)
    mask[5 : 5 + side, 5 : 5 + side, 5 : 5 + side] = 1
    return mask


def ball(radius: float = 4, size: int = 14) -> np.ndarray:
    at = np.indices((size, size, size)) - (size - 1) / 2
    return ((at**2).sum(axis=0) <= radius**2).astype(np.uint8)


def invent_lesions(masks: list[np.ndarray], seed: int = 0) -> Lesions:
    """Lesions that enhance and wash out in tissue that does neither much."""
    channels = []
    for number, mask in enumerate(masks):
        rng = np.random.default_rng([seed, number])
        inside = mask[None] * np.array([0, 0.8 + 0.1 * number, -0.3])[:, None, None, None]
        tissue = np.array([1, 0.4, 0])[:, None, None, None]
        channels.append(tissue + inside + rng.normal(0, 0.1, (3, *mask.shape)))
    n = len(masks)
    return Lesions(
        [f"P{number}" for number in range(1, n + 1)],
        np.stack(channels).astype(np.float16),
        np.stack(masks),
        np.full(n, 90.0),
        np.full(n, 360.0),
        SPACING_MM,
    )
