"""What counts as a change of code."""

import pytest

from vitrine.retraining.code import alike

MODULE = b'''"""A module."""

import math

LIMIT = 3
"""What is too many."""


class Scale:
    """A scale."""

    def area(self, x):
        """Return an area."""
        return math.pi * x**2  # of a circle
'''
SAME = b"""# -*- coding: utf-8 -*-
import math
LIMIT = (3)

class Scale:
    # Other words.
    def area(self, x):
        '''Other words,
        in two lines.'''
        'and one more'

        return (math.pi
                * x ** 2)
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MODULE, SAME),
        (MODULE, MODULE.replace(b"\n", b"\r\n")),
        (b"x = 'a' 'b'", b'x = "ab"'),
        (b"x = 1_000.0", b"x = 1e3"),
        (b"x = '\\d'", b"x = '\\d' # an escape that Python warns of"),
        (b"", b'"""Words."""\n'),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(before: bytes, after: bytes) -> None:
    assert alike("scale.py", before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MODULE, MODULE.replace(b"3", b"4")),
        (MODULE, MODULE.replace(b"x**2", b"x**3")),
        (MODULE, MODULE + b"\n    def edge(self): ...\n"),
        (b"x = 1", b"x = 1.0"),
        (b"x = 'a'", b"x = b'a'"),
        (b"x = f(1)\ny = f(2)", b"y = f(2)\nx = f(1)"),
        (b"print('a')", b"print('b')"),
        (b"def f(): 'doc'", b"def f(): return 'doc'"),
        (b'"""One."""\nprint(__doc__)', b'"""Two."""\nprint(__doc__)'),
        (b"if a:\n  b()\nc()", b"if a:\n  b()\n  c()"),
    ],
)
def test_what_runs_otherwise_counts(before: bytes, after: bytes) -> None:
    assert not alike("scale.py", before, after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("page.css", b"a {}", b"a { }"),
        ("scale.py", b"x = (", b"x = ( # broken"),
        ("scale.py", b"x = 1\0", b"x = 1\0 "),
    ],
)
def test_what_is_no_python_is_compared_by_its_bytes(name: str, before: bytes, after: bytes) -> None:
    assert not alike(name, before, after)
    assert alike(name, before, before)
