"""What differs between Blender 4.2 and 5.2, asked by capability and answered in this one module."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import bpy

from .shared.errors import RenderError


def is_python_module() -> bool:
    """True if Blender runs as the `bpy` module of a Python, so that there is no Blender binary to start."""
    return bool(getattr(bpy.app, "module", False)) or not bpy.app.binary_path


def series() -> str:
    """This Blender's major and minor version, "4.3" for example."""
    return ".".join(map(str, bpy.app.version[:2]))


def child_command(script: Path, arguments: list[str]) -> list[str]:
    """The command that runs `script` in a child Blender of the same build, with no add-ons and no user settings.

    An exception in the script ends the child with exit code 1. Whether a file's Python code runs is up to the script,
    which opens the file.
    """
    if is_python_module():
        return [sys.executable, str(script), "--", *arguments]
    if not Path(bpy.app.binary_path).is_file():
        raise RenderError(
            "render.no_blender",
            f"The Blender program {bpy.app.binary_path} no longer exists.",
            "Start Blender again.",
        )
    options = ["--background", "--factory-startup", "--disable-autoexec", "--python-exit-code", "1"]
    return [bpy.app.binary_path, *options, "--python", str(script), "--", *arguments]


def user_folder(package: str) -> Path:
    """The folder for an add-on's own files: an extension's, else one in Blender's folder for the user's data."""
    try:
        return Path(bpy.utils.extension_path_user(package))
    except ValueError:  # not installed as an extension
        return Path(bpy.utils.user_resource("DATAFILES", path="latentman"))


def eevee_engine() -> str:
    """EEVEE's engine name: `BLENDER_EEVEE_NEXT` from 4.2 to 4.5, `BLENDER_EEVEE` from 5.0."""
    return "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"


def node_tree_of(material: Any) -> Any:
    """The node tree of a material, made if there is none: from 5.0 every material has one, before it is switched on."""
    if not material.node_tree:
        material.use_nodes = True
    return material.node_tree


def set_multilayer_exr(image_settings: Any) -> None:
    """Choose multilayer OpenEXR as the file format; from 5.0 the media type has to be chosen before it."""
    if hasattr(image_settings, "media_type"):
        image_settings.media_type = "MULTI_LAYER_IMAGE"
    image_settings.file_format = "OPEN_EXR_MULTILAYER"


def new_fcurves(target: Any, action_name: str) -> Any:
    """Give `target` (a datablock) a new action and return the collection in which its F-curves are made.

    From 4.4 an action has slots, and the F-curves live in the slot's channel bag, but only from 5.0 can they be made
    there in a named group; until then the action's own collection still makes them, in its only slot.
    """
    action: Any = bpy.data.actions.new(action_name)
    animation = target.animation_data_create()
    animation.action = action
    if not hasattr(action, "slots"):
        return action.fcurves
    slot = action.slots.new(id_type=target.id_type, name=target.name)
    animation.action_slot = slot
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    bag = strip.channelbag(slot, ensure=True)
    return action.fcurves if hasattr(action, "fcurves") else bag.fcurves


def fcurves_of(target: Any) -> tuple[Any, ...]:
    """The F-curves that animate `target`: those of its action and of its NLA strips."""
    animation = target.animation_data
    if animation is None:
        return ()
    strips = _strips(strip for track in animation.nla_tracks for strip in track.strips)
    return tuple(curve for player in (animation, *strips) for curve in fcurves_played_by(player))


def fcurves_played_by(player: Any) -> tuple[Any, ...]:
    """The F-curves of the action that an object's animation data or an NLA strip plays, from 4.4 those of its slot."""
    collection = _played_collection(player)
    return () if collection is None else tuple(collection)


def new_fcurve_played_by(player: Any, data_path: str, index: int, group: str) -> Any:
    """A new F-curve in the action that `player` plays; it must play one."""
    return new_fcurve(_played_collection(player), data_path, index, group)


def _played_collection(player: Any) -> Any:
    """Where the F-curves of a player's action are; None if it plays nothing."""
    action = player.action
    if action is None:
        return None
    if not hasattr(action, "slots"):
        return action.fcurves
    if player.action_slot is None or not action.layers or not action.layers[0].strips:
        return None
    bag = action.layers[0].strips[0].channelbag(player.action_slot)
    return None if bag is None else bag.fcurves


def slot_played_by(player: Any) -> Any:
    """The slot of its action that an object's animation data or an NLA strip plays; None until 4.3."""
    return getattr(player, "action_slot", None)


def play(player: Any, action: Any, slot: Any) -> None:
    """Have an object's animation data or an NLA strip play an action, from 4.4 its slot."""
    player.action = action
    if slot is not None:
        player.action_slot = slot


def first_slot(action: Any) -> Any:
    """The first slot of an action; None until 4.3, and for an action without one."""
    return next(iter(getattr(action, "slots", ())), None)


def paths_of(action: Any) -> list[str]:
    """The data paths that an action animates, from 4.4 those of all its slots."""
    if not hasattr(action, "slots"):
        return [curve.data_path for curve in action.fcurves]
    strips = [strip for layer in action.layers for strip in layer.strips]
    bags = [strip.channelbag(slot) for strip in strips for slot in action.slots]
    return [curve.data_path for bag in bags if bag is not None for curve in bag.fcurves]


def importer(suffix: str) -> Any:
    """The operator that imports files of a suffix; None if it is not there. FBX has a faster one from 4.5 on."""
    names = {".fbx": ("wm.fbx_import", "import_scene.fbx")}.get(suffix, ("import_scene.gltf",))
    for name in names:
        module, function = name.split(".")
        group = getattr(bpy.ops, module)
        if function in dir(group):
            return getattr(group, function)
    return None


def _strips(strips: Iterable[Any]) -> Iterator[Any]:
    """NLA strips and, of those that hold others, these."""
    for strip in strips:
        yield strip
        yield from _strips(strip.strips)


def is_animated(target: Any, data_path: str) -> bool:
    """Whether keys, NLA strips or a driver may change a property of `target` over time."""
    animation = target.animation_data
    if animation is None:
        return False
    return any(curve.data_path == data_path for curve in (*animation.drivers, *fcurves_of(target)))


def library_is_missing(library: Any) -> bool:
    """Whether a linked file was not found when the open file was loaded; looked for where Blender does not tell."""
    if hasattr(library, "is_missing"):
        return bool(library.is_missing)
    return not Path(bpy.path.abspath(library.filepath, library=library.parent)).is_file()


def switch_off_adaptive_subdivision(item: Any) -> None:
    """Have Cycles subdivide as the evaluated mesh is subdivided: until 4.5 it is the object's setting, then the
    modifier's."""
    if hasattr(getattr(item, "cycles", None), "use_adaptive_subdivision"):
        item.cycles.use_adaptive_subdivision = False
    for modifier in item.modifiers:
        if hasattr(modifier, "use_adaptive_subdivision"):
            modifier.use_adaptive_subdivision = False


def new_fcurve(fcurves: Any, data_path: str, index: int, group: str) -> Any:
    """A new F-curve in the named channel group; 5.0 renamed the keyword, and a slot's curves had none before."""
    keywords = fcurves.bl_rna.functions["new"].parameters.keys()
    named = {key: group for key in ("group_name", "action_group") if key in keywords}
    return fcurves.new(data_path, index=index, **named)


def sequencer_strips(scene: Any) -> Any:
    """The strips of the scene's sequence editor, made if there is none: `strips` from 4.4, `sequences` before."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def present_strips(scene: Any) -> Any:
    """The strips of the scene's sequence editor as they are; an empty tuple if there is no editor."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def last_channel() -> int:
    """The topmost channel of the sequencer: 128, as Blender says itself."""
    kinds: Any = bpy.types  # 4.4 renamed Sequence to Strip
    kind = kinds.Strip if hasattr(kinds, "Strip") else kinds.Sequence
    return int(kind.bl_rna.properties["channel"].hard_max)


def has_operator(name: str) -> bool:
    """Whether there is an operator, `export_scene.gltf` for example: some come with an add-on or a build option."""
    group, function = name.split(".")
    try:
        getattr(getattr(bpy.ops, group), function).get_rna_type()
    except (AttributeError, KeyError):
        return False
    return True


def known_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that this Blender's operator has."""
    group, function = name.split(".")
    known = getattr(getattr(bpy.ops, group), function).get_rna_type().properties.keys()
    return {key: value for key, value in options.items() if key in known}


def show_in_sequencers(scene: Any) -> None:
    """Have the sequencers that show no scene yet show this one: from 5.0 each workspace has its own choice, and none at
    first; before, a sequencer shows the window's scene."""
    for workspace in bpy.data.workspaces:
        if hasattr(workspace, "sequencer_scene") and workspace.sequencer_scene is None:
            workspace.sequencer_scene = scene
