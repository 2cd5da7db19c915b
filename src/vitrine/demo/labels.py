"""The demo catalogue's styles and categories."""

from itertools import product

from vitrine.core.taxonomy import Label, Taxonomy

TAXONOMY = Taxonomy(
    styles=(
        Label(name="minimalist", display={"en": "Minimalist", "zh": "极简"}),
        Label(name="vintage", display={"en": "Vintage", "zh": "复古"}),
        Label(name="fashion", display={"en": "Fashion", "zh": "时尚"}),
    ),
    categories=(
        Label(name="clothing", display={"en": "Clothing", "zh": "服装"}),
        Label(name="electronics", display={"en": "Electronics", "zh": "电子产品"}),
        Label(name="home", display={"en": "Home", "zh": "家居"}),
    ),
)

CELLS = tuple(product(TAXONOMY.names("style"), TAXONOMY.names("category")))
"""Every pair of a style and a category; the catalogue holds about as many products of each."""
