"""Evidence is where an image speaks for one class more than for the others."""

import numpy as np

from vitrine.bundle.evidence import evidence


def test_what_speaks_for_all_classes_alike_is_no_evidence() -> None:
    maps = np.zeros((2, 3, 4), np.float32)
    maps[0, 0] = 9
    maps[1, 2, 1] = 4
    maps[1, 1, 1] = 2
    np.testing.assert_allclose(evidence(maps, 1), [[0, 0, 0], [0, 0.5, 1]])
    np.testing.assert_array_equal(evidence(maps, 0), np.zeros((2, 3)))
