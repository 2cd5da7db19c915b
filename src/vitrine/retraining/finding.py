"""What is found out about one dependency of a stage."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a stage has to run again, or need not.

    Attributes:
        reasons: What changed in a way that counts, half a sentence each.
        ignored: What changed in a way that does not count.
        notes: What a reader must know besides, half a sentence each.
    """

    reasons: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
