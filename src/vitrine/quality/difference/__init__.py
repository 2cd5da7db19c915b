"""What changed in the data between two versions, without checking either of them out."""

from vitrine.quality.difference.comparing import compare
from vitrine.quality.difference.result import Difference
from vitrine.quality.difference.sides import AtCommit, Folder, Side, commit_of, resolve

__all__ = ["AtCommit", "Difference", "Folder", "Side", "commit_of", "compare", "resolve"]
