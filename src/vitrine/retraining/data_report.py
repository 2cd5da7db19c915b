"""What `vitrine diff` left for a pull request, as a part of a comment."""

import re
from dataclasses import dataclass
from pathlib import Path

_VERDICT = re.compile(r"\*\*(.+)\*\*")
_PICTURES = re.compile(r"!\[(?P<text>.+)\]\((?P<file>[^()]+)\)")
_HEADING = re.compile(r"#+ ")
_OPEN, _CLOSED = "<details>", "</details>"
_LEFT = "\n\n… cut here; all of it is in the artifact: "


@dataclass(frozen=True, slots=True)
class DataReport:
    """The Markdown of a difference, which has nothing of the data in it that is not escaped.

    Attributes:
        path: The file.
        verdict: The result in a sentence, Markdown.
        body: The rest.
    """

    path: Path
    verdict: str
    body: str

    @classmethod
    def read(cls, path: Path) -> "DataReport | None":
        """Read a diff.md; None where it is missing or another thing."""
        try:
            title, _, rest = path.read_text(encoding="utf-8").partition("\n\n")
        except (OSError, ValueError):
            return None
        verdict, _, body = rest.partition("\n\n")
        found = _VERDICT.fullmatch(verdict.strip())
        if found is None or not _HEADING.match(title):
            return None
        return cls(path, found[1], "\n".join(map(_fitted, body.strip().splitlines())))

    def cut(self, room: int) -> str:
        """Return the body, or as many of its lines as there is room for.

        Args:
            room: Characters.
        """
        if len(self.body) <= room:
            return self.body
        lines, depth = [], 0
        left = f"{_LEFT}{self.path.as_posix()}"
        free = room - len(left)
        for line in self.body.splitlines():
            opened = depth + line.count(_OPEN) - line.count(_CLOSED)
            free -= len(line) + 1
            # What is open has to be closed too.
            if free < opened * (len(_CLOSED) + 2):
                break
            lines.append(line)
            depth = opened
        return "\n".join(lines) + f"\n\n{_CLOSED}" * depth + left


def _fitted(line: str) -> str:
    """Return a line for a part within a comment, beside which no file lies."""
    if found := _PICTURES.fullmatch(line):
        return f"({found['text']}: `{found['file']}` in the artifact)"
    return _HEADING.sub("#### ", line) if _HEADING.match(line) else line
