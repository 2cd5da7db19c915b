"""What is said of settings that changed."""

from vitrine.retraining.settings import differing


def test_a_tree_of_settings_is_compared_by_full_names() -> None:
    before = {"a": {"b": None, "c": [1]}, "d": "x", "e": 1, "same": 1}
    after = {"a": {"b": True, "c": [1, 2]}, "d": {"y": 1}, "f": 1, "same": 1.0}
    assert list(differing(before, after)) == [
        "a.b null → true",
        "a.c [1] → [1, 2]",
        'd x → {"y": 1}',
        "e is gone",
        "f is new",
    ]
