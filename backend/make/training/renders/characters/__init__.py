"""The characters of the training pictures: paint and clothes, with variation from one instance to the next."""

from backend.make.training.renders.characters.armour import ARMOUR
from backend.make.training.renders.characters.fancy import FANCY
from backend.make.training.renders.characters.look import Character, Look, random_look
from backend.make.training.renders.characters.people import PEOPLE

__all__ = ["CHARACTERS", "Character", "Look", "random_look"]

# The order is part of the recipe: pictures are drawn by it from a seed.
_ORDER = (
    "robot",
    "astronaut",
    "superhero",
    "ninja",
    "skeleton",
    "clown",
    "firefighter",
    "knight",
    "wizard",
    "ballerina",
    "alien",
    "pirate",
    "trooper",
    "cowboy",
    "footballer",
    "santa",
)
CHARACTERS: dict[str, Character] = {name: (ARMOUR | FANCY | PEOPLE)[name] for name in _ORDER}
