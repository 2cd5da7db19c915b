import threading
import time
from collections.abc import Iterator

import pytest

from vitrine.core.parallel import map_in_order


@pytest.mark.parametrize(("workers", "chunk"), [(0, 32), (1, 1), (3, 2), (8, 5)])
def test_results_come_in_order(workers: int, chunk: int) -> None:
    def slow_for_some(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * 2

    results = map_in_order(slow_for_some, range(50), workers=workers, chunk=chunk)
    assert list(results) == list(range(0, 100, 2))


def test_the_reader_is_never_far_behind() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = map_in_order(lambda number: number, endless(), workers=2, chunk=5)
    assert [next(results) for _ in range(100)] == list(range(1, 101))
    assert taken <= 100 + 2 * 2 * 5
    results.close()


def test_an_error_comes_at_its_turn_and_leaves_no_thread() -> None:
    def divide(number: int) -> float:
        return 1 / number

    before = threading.active_count()
    results = map_in_order(divide, range(-3, 100), workers=2, chunk=1)
    assert [next(results) for _ in range(3)] == [-1 / 3, -1 / 2, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threading.active_count() == before
