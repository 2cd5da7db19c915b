"""Colours: known values of OKLCH and the words for them."""

import pytest

from vitrine.demo.color import RGB, Tone


@pytest.mark.parametrize(
    ("tone", "rgb"),
    [
        (Tone(0, 0, 0), (0, 0, 0)),
        (Tone(1, 0, 0), (255, 255, 255)),
        (Tone(0.628, 0.2577, 29.23), (255, 0, 0)),
        (Tone(0.8664, 0.2948, 142.5), (0, 255, 0)),
        (Tone(0.452, 0.3132, 264.05), (0, 0, 255)),
    ],
)
def test_rgb_of_known_colours(tone: Tone, rgb: RGB) -> None:
    assert tone.rgb == pytest.approx(rgb, abs=1)


def test_apart_goes_where_there_is_room() -> None:
    assert Tone(0.9, 0.1, 30).apart(0.2).lightness == pytest.approx(0.7)
    assert Tone(0.2, 0.1, 30).apart(0.2).lightness == pytest.approx(0.4)


def test_lit_stays_within_black_and_white() -> None:
    assert Tone(0.9, 0.1, 30).lit(0.5).lightness == 1
    assert Tone(0.1, 0.1, 30).lit(-0.5).lightness > 0


@pytest.mark.parametrize(
    ("tone", "word"),
    [
        (Tone(0.97, 0.01, 0), "white"),
        (Tone(0.2, 0.0, 0), "black"),
        (Tone(0.7, 0.1, 90), "mustard"),
        (Tone(0.4, 0.1, 260), "navy"),
        (Tone(0.6, 0.2, 390), "coral"),
    ],
)
def test_a_shop_has_words_for_colours(tone: Tone, word: str) -> None:
    assert tone.name() == word
