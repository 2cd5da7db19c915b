"""Colours by lightness, chroma and hue, as the eye orders them."""

import math
from typing import NamedTuple

RGB = tuple[int, int, int]


class Tone(NamedTuple):
    """A colour in OKLCH (Ottosson 2020, "A perceptual color space for image processing").

    Args:
        lightness: 0 (black) to 1 (white).
        chroma: 0 (grey) to about 0.3 (as vivid as a screen can be).
        hue: Degrees: 30 red, 90 yellow, 145 green, 195 teal, 260 blue, 330 pink.
    """

    lightness: float
    chroma: float
    hue: float

    @property
    def rgb(self) -> RGB:
        """The nearest sRGB colour, each channel 0 to 255."""
        a = self.chroma * math.cos(math.radians(self.hue))
        b = self.chroma * math.sin(math.radians(self.hue))
        long = (self.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (self.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (self.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        return (
            _encode(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
            _encode(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
            _encode(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short),
        )

    def lit(self, change: float) -> "Tone":
        """Return the tone made lighter by `change`, or darker where that is negative."""
        return self._replace(lightness=min(1.0, max(0.05, self.lightness + change)))

    def apart(self, change: float) -> "Tone":
        """Return the tone with its lightness moved by `change` to where there is more room."""
        return self.lit(-change if self.lightness > 0.55 else change)

    def name(self) -> str:
        """Return the word that a shop would use, such as `mustard` or `navy`."""
        if self.chroma < 0.035:
            return _nearest(_GREYS, self.lightness)
        hue = self.hue % 360
        light, dark = next((light, dark) for below, light, dark in _HUES if hue < below)
        return light if self.lightness > 0.55 else dark


_GREYS = ((0.2, "black"), (0.4, "charcoal"), (0.62, "grey"), (0.8, "stone"), (0.95, "white"))
_HUES = (
    (20, "pink", "burgundy"),
    (48, "coral", "rust"),
    (75, "apricot", "brown"),
    (105, "mustard", "olive"),
    (160, "green", "forest"),
    (215, "mint", "teal"),
    (290, "blue", "navy"),
    (330, "lilac", "violet"),
    (361, "pink", "magenta"),
)


def _nearest(words: tuple[tuple[float, str], ...], value: float) -> str:
    return min(words, key=lambda entry: abs(entry[0] - value))[1]


def _encode(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    curve = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * curve)
