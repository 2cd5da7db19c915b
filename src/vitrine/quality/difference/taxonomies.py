"""What changed in a taxonomy."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from vitrine.core.taxonomy import HEADS, Head, Taxonomy


@dataclass(frozen=True, slots=True)
class HeadChange:
    """What changed among the labels of a head.

    Attributes:
        head: Which head.
        added: Names that are new.
        removed: Names that are gone.
        renamed: (old, new): another name in the same place.
        moved: Whether a label that stayed has another place, so another output index.
    """

    head: Head
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    moved: bool


@dataclass(frozen=True, slots=True)
class TaxonomyChange:
    """What changed in a taxonomy.

    Attributes:
        heads: The heads whose labels or order changed.
        forbidden: Whether other pairs are forbidden.
        display: Whether a label that stayed is displayed otherwise.
        unknown: Whether the files differ and one cannot be read, so that anything may be other.
    """

    heads: tuple[HeadChange, ...] = ()
    forbidden: bool = False
    display: bool = False
    unknown: bool = False

    def __bool__(self) -> bool:
        return bool(self.heads or self.forbidden or self.display or self.unknown)

    @property
    def sentences(self) -> list[str]:
        """What changed, a sentence each; names stand in quotes."""
        said = []
        for one in self.heads:
            for word, names in (("added", one.added), ("removed", one.removed)):
                if names:
                    said.append(f"{one.head} {word}: {', '.join(map(repr, names))}.")
            said += [f"{one.head} {old!r} is now {new!r}." for old, new in one.renamed]
            if one.moved:
                said.append(f"The order of the {one.head} labels changed: so do a model's outputs.")
        if self.forbidden:
            said.append("Other pairs are forbidden.")
        if self.display:
            said.append("Names that people read changed.")
        return said


def compare_taxonomies(before: Taxonomy, after: Taxonomy) -> TaxonomyChange:
    """Compare two taxonomies."""
    heads = (_compare_head(head, before.names(head), after.names(head)) for head in HEADS)
    return TaxonomyChange(
        heads=tuple(one for one in heads if one is not None),
        forbidden=set(before.forbidden) != set(after.forbidden),
        display=any(
            old.display != new.display
            for head in HEADS
            for old in before.labels(head)
            for new in after.labels(head)
            if old.name == new.name
        ),
    )


def _compare_head(head: Head, old: tuple[str, ...], new: tuple[str, ...]) -> HeadChange | None:
    if old == new:
        return None
    renamed = []
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for step, from_, to, first, last in steps:
        if step == "replace" and to - from_ == last - first:
            pairs = zip(old[from_:to], new[first:last], strict=True)
            renamed += [(one, other) for one, other in pairs if one not in new and other not in old]
    gone, come = ({pair[side] for pair in renamed} for side in (0, 1))
    both = set(old) & set(new)
    return HeadChange(
        head,
        added=tuple(name for name in new if name not in both and name not in come),
        removed=tuple(name for name in old if name not in both and name not in gone),
        renamed=tuple(renamed),
        moved=any(old.index(name) != new.index(name) for name in both),
    )
