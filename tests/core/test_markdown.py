"""Text that stays text, and the forms around it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from vitrine.core.markdown import bullets, fenced, folded, plain, table

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = st.text("ab1 \t\n\r\\`*_[]()<>&|~#+=-.!:/@$'\"\u2028灯", max_size=30)
LINKS = re.compile(r"://|www\.|@\w|#\d|:\w+:|\bgh-\d", re.IGNORECASE)
"""What GitHub makes something of even in plain text."""


def shown(markdown: str) -> tuple[list[str], list[str]]:
    """Return the names of all tokens and the texts of the inline ones."""
    names, texts = [], []
    for token in READER.parse(markdown):
        names.append(token.type)
        if token.type == "inline":
            names += [child.type for child in token.children]
            texts.append("".join(child.content for child in token.children))
    return names, [text.replace("\u200b", "") for text in texts]


@given(NASTY, NASTY)
def test_text_is_shown_as_it_is_in_a_list_and_in_a_table(first: str, second: str) -> None:
    lines = [" ".join(text.split()) for text in (f"x{first}", f"{second}x")]
    escaped = [plain(text) for text in (f"x{first}", f"{second}x")]
    names, texts = shown(bullets(escaped))
    assert texts == lines
    assert names.count("inline") == names.count("paragraph_open") == len(lines)
    names, texts = shown(table(("one", "other"), [escaped]))
    assert texts == ["one", "other", *lines]
    assert set(names) <= {"inline", "text", "text_special"} | {
        f"{part}_{end}"
        for part in ("table", "thead", "tbody", "tr", "th", "td")
        for end in ("open", "close")
    }


@pytest.mark.parametrize(
    "text",
    [
        "# a", "## a", "- a", "+ a", "1. a", "12) a", "---", "===", "> a", "~~~", "```", "a *b* _c_",
        "<b>a</b>", "<!-- a", "&amp;", "[a](b)", "![a](b)", "~~a~~", "\\*a*", "<https://a.b>",
        "-0.5", "+3", "1.5", "- - -", "$a$",
    ],
)  # fmt: skip
def test_nothing_that_begins_a_line_takes_effect(text: str) -> None:
    names, texts = shown(bullets([plain(text)]))
    assert texts == [text]
    assert [name for name in names if name.endswith("_open")] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org", "WWW.example.org", "a@example.org", "@team/all", "see #12",
        "someone/thing#3", "gh-7", ":tada:", "12:30:45",
    ],
)  # fmt: skip
def test_nobody_is_mentioned_and_nothing_is_linked(text: str) -> None:
    assert LINKS.search(text)
    assert not LINKS.search(plain(text))
    assert plain(text).replace("\u200b", "") == text


def test_long_text_is_cut_and_control_characters_are_left_out() -> None:
    assert plain("abc\nefg", 5) == "abc e …"
    assert plain("abcd", 4) == "abcd"
    assert plain("a\x1b[31mb\u202ec") == "a\\[31mbc"


@pytest.mark.parametrize("text", ["a", "```", "a\n````\n</details>\n@someone", "`````` b"])
def test_a_block_of_code_holds_all_of_its_text(text: str) -> None:
    (token,) = READER.parse(fenced(text, "text"))
    assert (token.type, token.info, token.content) == ("fence", "text", f"{text}\n")


def test_a_folded_part_may_hold_markdown() -> None:
    names, texts = shown(folded("Images", table(("image",), [["a"]])))
    assert names[0] == names[-1] == "html_block"
    assert texts == ["image", "a"]
