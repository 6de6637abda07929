"""The list of everything that is registered, in order; taken back in the opposite order."""

from __future__ import annotations

from importlib import import_module

_MODULES = (
    "scene.preferences",
    "scene.properties",
    "shot.running",
    "ops.import_motion",
    "ops.check_motion",
    "ops.frame_shot",
    "ops.picture_size",
    "look.depth_preview",
    "ops.preview_parts",
    "ops.preview_depth",
    "ops.settings",
    "ops.mending",
    "ops.models",
    "ops.backend",
    "ops.edit_prompts",
    "ops.generate",
    "ops.takes",
    "ops.watch_takes",
    "ui.models",
    "ui.panel",
    "cli",
)


def register() -> None:
    """Register all modules. Where one fails, those before it are taken back."""
    done = []
    try:
        for name in _MODULES:
            module = import_module(f".{name}", __package__)
            module.register()
            done.append(module)
    except BaseException:
        for module in reversed(done):
            module.unregister()
        raise


def unregister() -> None:
    """Take all modules back."""
    for name in reversed(_MODULES):
        import_module(f".{name}", __package__).unregister()
