"""The charts of a search show what there was."""

from vitrine.training.attempt import Attempt, State, best_so_far
from vitrine.training.search_charts import history_chart, importance_chart


def _attempt(number: int, state: State, score: float | None) -> Attempt:
    return Attempt(number, state, score, {"dropout": 0.2}, 1.0, "")


def test_the_history_tells_trials_that_ended_early() -> None:
    whole = [_attempt(1, "complete", 0.5), _attempt(2, "complete", 0.4)]
    more = [*whole, _attempt(3, "pruned", 0.1), _attempt(4, "fail", None)]
    for attempts, early in ((whole, False), (more, True)):
        legend = history_chart(attempts).axes[0].get_legend()
        assert legend is not None
        assert ("ended early" in [text.get_text() for text in legend.get_texts()]) is early


def test_only_finished_trials_make_the_best_score() -> None:
    attempts = [
        _attempt(1, "complete", 0.5),
        _attempt(2, "pruned", 0.9),
        _attempt(4, "complete", 0.4),
        _attempt(5, "complete", 0.6),
    ]
    assert best_so_far(attempts) == [(1, 0.5), (4, 0.5), (5, 0.6)]


def test_the_most_important_key_is_on_top() -> None:
    axes = importance_chart({"learning_rate": 0.8, "dropout": 0.2}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dropout", "learning_rate"]
