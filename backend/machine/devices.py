"""Which graphics cards each of several worker processes sees: its share of those that the user allows."""

from __future__ import annotations

from collections.abc import Mapping

# The lists of NVIDIA's and AMD's drivers; an entry is an index, a UUID or the name of a part of a card (MIG).
CARD_LISTS = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


def card_environment(environment: Mapping[str, str], places: int, index: int) -> dict[str, str]:
    """The variables that tie place `index` of `places` to its share of the cards.

    A list that the user set is divided; an empty one means no card and stays so. Where none is set, each place takes
    the card of its own number. A single place keeps what there is.
    """
    if places == 1:
        return {}
    given = {name: environment[name] for name in CARD_LISTS if name in environment}
    if not given:
        return {CARD_LISTS[0]: str(index)}
    return {name: _share(cards, places, index) for name, cards in given.items()}


def _share(cards: str, places: int, index: int) -> str:
    """Every `places`-th entry of a list; where there are fewer entries than places, some places share one."""
    entries: list[str] = []
    for entry in map(str.strip, cards.split(",")):
        if entry in ("", "-1"):  # the driver reads no further
            break
        entries.append(entry)
    if not entries:
        return cards
    return ",".join(entries[index::places] or [entries[index % len(entries)]])
