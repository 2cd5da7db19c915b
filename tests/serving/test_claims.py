"""Numbers belong to one process, for as long as it lives."""

from pathlib import Path

from vitrine.serving.claims import claim, is_abandoned, unheld


def test_the_lowest_free_number_is_given(tmp_path: Path) -> None:
    held = [claim(tmp_path) for _ in range(3)]
    assert [one.number for one in held] == [0, 1, 2]
    held[1].free()
    again = claim(tmp_path)
    assert again.number == 1
    for one in (held[0], again, held[2]):
        one.free()


def test_numbers_that_are_held_no_more_are_found(tmp_path: Path) -> None:
    assert not is_abandoned(tmp_path)
    one, other = claim(tmp_path), claim(tmp_path)
    assert unheld(tmp_path) == []
    one.free()
    assert not is_abandoned(tmp_path)
    (found,) = unheld(tmp_path)
    assert found.number == 0
    found.free()
    other.free()
    assert is_abandoned(tmp_path)
