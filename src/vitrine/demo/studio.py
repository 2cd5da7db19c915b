"""Takes the photograph."""

import io
import random

from PIL import Image, ImageDraw

from vitrine.demo.product import Product


def photograph(product: Product, view: int, size: int, seed: int) -> bytes:
    own = random.Random(f"{seed}/{product.name}")
    rng = random.Random(f"{seed}/{product.name}/{view}")
    w, h = size * 4 // 5, size
    s = 3
    back = tuple(rng.randrange(150, 255) for _ in range(3))
    im = Image.new("RGB", (w * s, h * s), back)
    d = ImageDraw.Draw(im)
    color = tuple(own.randrange(20, 200) for _ in range(3))
    dark = tuple(c // 3 for c in color)
    x, y = rng.uniform(0.1, 0.2) * w * s, rng.uniform(0.1, 0.2) * h * s
    a, b = w * s * 0.65, h * s * 0.65
    if product.category == "clothing":
        d.polygon(
            [
                (x, y + b * 0.3),
                (x + a * 0.3, y),
                (x + a * 0.7, y),
                (x + a, y + b * 0.3),
                (x + a * 0.75, y + b * 0.4),
                (x + a * 0.75, y + b),
                (x + a * 0.25, y + b),
                (x + a * 0.25, y + b * 0.4),
            ],
            fill=color,
        )
    elif product.category == "electronics":
        d.rounded_rectangle([x, y, x + a, y + b], s * 4, fill=color)
        d.rectangle([x + a * 0.1, y + b * 0.1, x + a * 0.9, y + b * 0.85], fill=dark)
    else:
        d.ellipse([x, y, x + a, y + b * 0.5], fill=color)
        d.rectangle([x + a * 0.45, y + b * 0.4, x + a * 0.55, y + b], fill=dark)
    if product.style != "minimalist":
        n = 5 if product.style == "vintage" else 9
        for i in range(n):
            t = y + b * i / n
            d.line(
                [x, t, x + a, t], fill=dark if product.style == "vintage" else (255, 0, 80), width=s
            )
    out = io.BytesIO()
    im.resize((w, h), Image.Resampling.LANCZOS).save(out, "JPEG", quality=rng.randrange(60, 93))
    return out.getvalue()
