"""The one door for pixels: bytes of an image file in, an upright RGB array of a fixed size out.

Every stage and the service come through `load`, so what a network is trained on and what it is
asked later are made by the same code. All functions may be called from many threads at once;
Pillow releases the GIL while it decodes and resizes.
"""

from vitrine.imaging.reading import ImageInfo, decode, examine, load, probe, read, resize

__all__ = ["ImageInfo", "decode", "examine", "load", "probe", "read", "resize"]
