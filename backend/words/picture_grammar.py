"""The words that the embedded picture model was trained on, by what they mean; each is one token of its own."""

from __future__ import annotations

CHARACTER_WORDS: dict[str, tuple[str, ...]] = {
    "robot": ("robot", "robot", "android", "machine"),
    "astronaut": ("astronaut", "astronaut", "spaceman", "cosmonaut"),
    "superhero": ("superhero", "superhero", "hero"),
    "ninja": ("ninja", "ninja", "warrior"),
    "skeleton": ("skeleton", "skeleton", "bones"),
    "clown": ("clown", "clown", "jester"),
    "firefighter": ("firefighter", "firefighter", "fireman", "worker"),
    "knight": ("knight", "knight", "crusader"),
    "wizard": ("wizard", "wizard", "sorcerer", "mage"),
    "ballerina": ("ballerina", "ballerina", "dancer", "princess"),
    "alien": ("alien", "alien", "martian"),
    "pirate": ("pirate", "pirate", "captain"),
    "trooper": ("trooper", "trooper", "stormtrooper", "soldier"),
    "cowboy": ("cowboy", "cowboy", "sheriff"),
    "footballer": ("footballer", "footballer", "player", "athlete"),
    "santa": ("santa", "santa claus", "father christmas"),
}
ACTION_WORDS: dict[str, tuple[str, ...]] = {
    "standing": ("standing", "posing", "waiting"),
    "walking": ("walking", "strolling", "marching"),
    "running": ("running", "jogging", "sprinting"),
    "jumping": ("jumping", "leaping", "hopping"),
    "squatting": ("squatting", "crouching", "sitting"),
    "dancing": ("dancing", "turning", "spinning"),
    "waving": ("waving", "greeting"),
    "kicking": ("kicking", "fighting"),
}
PLACE_WORDS: dict[str, tuple[str, ...]] = {
    "moon": ("on the moon", "on the moon", "on the lunar surface"),
    "space": ("in space", "in outer space", "in the galaxy"),
    "beach": ("on the beach", "on a beach", "by the sea", "at the ocean"),
    "desert": ("in the desert", "in a desert", "in the sand dunes"),
    "mountains": ("in the mountains", "in snowy mountains", "in the snow"),
    "forest": ("in the forest", "in a forest", "in the woods", "in the jungle"),
    "city": ("in the city", "in a city", "in new york", "downtown"),
    "street": ("in the street", "on the street", "on a road", "in a village"),
    "stage": ("on stage", "on a stage", "on the stage", "in a theater"),
    "field": ("in a field", "on the grass", "in a meadow", "in the park", "on a grass field"),
    "studio": ("in a studio", "in the studio", "on a plain background"),
    "disco": ("in a disco", "in the dance hall", "in a dance hall", "in a nightclub"),
}
COLOUR_SYNONYMS: dict[str, tuple[str, ...]] = {
    "turquoise": ("turquoise", "cyan"),
    "purple": ("purple", "violet"),
    "grey": ("grey", "gray"),
    "gold": ("golden", "gold"),
    "silver": ("silver", "metallic"),
}
