"""What people write and no row of the actions means: phrases that a clause may be nearer to than to any action."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# By theme, so that a gap is seen; the names are shown to nobody.
OTHERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "(nature)": ("grows", "rains", "barks", "flows", "shines", "falls from the sky", "burns down", "blooms"),
        "(mind)": (
            "dreams", "remembers", "hopes", "loves", "hates", "believes", "forgets", "learns", "studies",
            "counts",
        ),
        "(voice)": (
            "sings", "shouts", "screams", "whispers", "whistles", "coughs", "sneezes", "yells", "hums", "snores",
        ),
        "(fate)": (
            "explodes", "vanishes", "melts", "evaporates", "disappears", "burns", "freezes",
            "transforms into a frog",
        ),
        "(kitchen)": (
            "cooks dinner", "bakes a cake", "stirs soup", "washes dishes", "peels potatoes", "chops onions",
        ),
        "(craft)": (
            "knits a scarf", "sews a dress", "paints a picture", "draws a line", "builds a house", "repairs a car",
            "carves wood", "ties a knot", "folds paper", "irons a shirt",
        ),
        "(office)": (
            "types on a keyboard", "writes a letter", "reads a book", "takes a photo", "plays chess",
            "watches TV",
        ),
        "(vehicle)": (
            "drives a car", "rides a bicycle", "rides a horse", "flies a plane", "sails a boat", "skates on ice",
        ),
        "(body)": (
            "brushes teeth", "combs hair", "shaves", "gets dressed", "takes a shower", "blinks", "smiles",
            "breathes",
        ),
        "(feats)": (
            "flies through the air", "floats", "levitates", "does the moonwalk", "juggles balls", "does a handstand",
            "does a backflip", "surfs a wave", "skis down a hill", "dives into water",
        ),
        "(company)": (
            "hugs a friend", "shakes hands", "carries a child on the back", "marries", "wrestles",
        ),
        "(things)": (
            "opens a door", "buys bread", "pays the bill", "sells a house", "waters the plants", "feeds the dog",
        ),
    }
)  # fmt: skip
