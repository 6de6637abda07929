"""Build the Blender extension: one zip a platform and Python ABI, each with one pinned pyzmq wheel.

    python build_addon.py [--output dist] [--platform linux-x64] [--python cp311] [--backend] [--blender PATH]

The cp311 zips are for Blender 4.2 to 5.0, the cp312-abi3 zips for 5.1 and later. They are never one zip: Blender
refuses an extension that holds a wheel for another Python. A distribution's Blender may have a later Python than
Blender's own of that version: it takes the cp312-abi3 zip, built with --blender-min. The zips are reproducible: equal
sources give equal bytes. With --backend the backend's wheel is built too. Beside them lies `index.json`: the folder is
an extension repository that Blender installs and updates from. With --blender the zips are validated by that Blender
as well, and it writes the index.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent
PYZMQ = "27.3.0"
IGNORED_FOLDERS = frozenset({"__pycache__"})
IGNORED_SUFFIXES = frozenset({".pyc", ".part"})
CHECKOUT_ONLY = frozenset({"blender_manifest.toml", "checkout.py"})  # of blender_addon/: not copied as they are
# Pages of docs/ that the add-on shows under Help; `blender_addon.help.manual` names them.
MANUAL = (
    "panel.md",
    "troubleshooting.md",
    "install.md",
    "stable_diffusion.md",
    "glossary.md",
    "methods.md",
    "surfacelock.md",
    "models.md",
    "upscale.md",
)
# latentman_child is the add-on itself, as the child Blender that renders the passes loads it.
ADDON_IMPORTS = frozenset({"latentman_child", "blf", "bpy", "bmesh", "bpy_extras", "mathutils", "gpu", "numpy"})
SHARED_IMPORTS = frozenset({"numpy"})
# The client of add-on and command line has the one socket of the program's clients; nothing else of shared needs more.
CLIENT_FOLDER = "protocol/client/"
CLIENT_IMPORTS = SHARED_IMPORTS | {"zmq"}
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_EPOCH_S = 315532800  # the same day, as a wheel's builder wants it
_FILE_MODE = 0o100644
_SYMLINK_TYPE = 0o120000


class BuildError(Exception):
    """The zip cannot be built, or is not as it must be; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel by its exact name and content."""

    name: str
    sha256: str

    @property
    def tags(self) -> tuple[str, str, str]:
        """Python, ABI and platform tag."""
        python, abi, platform = self.name.removesuffix(".whl").split("-")[-3:]
        return python, abi, platform


@dataclass(frozen=True, slots=True)
class PythonAbi:
    """A Python ABI and the Blenders that have it."""

    name: str
    blender_version_min: str
    blender_version_max: str | None  # the first version that does not fit any more
    fits: str  # the Blenders that take it, for whoever builds it


@dataclass(frozen=True, slots=True)
class Target:
    """One zip: a Blender platform, a Python ABI and the wheel for the two."""

    platform: str
    abi: PythonAbi
    wheel: Wheel

    def zip_name(self, version: str) -> str:
        """The file name of the zip."""
        return f"latentman-{version}-{self.platform}-{self.abi.name}.zip"


CP311 = PythonAbi("cp311", "4.2.0", "5.1.0", "for Blenders with Python 3.11: 4.2 to 5.0")
ABI3 = PythonAbi(
    "cp312-abi3",
    "5.1.0",
    None,
    "for Blenders with Python 3.12 or later: 5.1 and up; an older one of a distribution needs --blender-min",
)


def _wheel(tags: str, sha256: str) -> Wheel:
    return Wheel(f"pyzmq-{PYZMQ}-{tags}.whl", sha256)


_MANYLINUX = "manylinux_2_26_x86_64.manylinux_2_28_x86_64"
_LINUX_311 = _wheel(f"cp311-cp311-{_MANYLINUX}", "477b8ad30d66fc905c5388351e83b9ac25824b00e82c0d052b72ea6392636dfd")
_LINUX_ABI3 = _wheel(f"cp312-abi3-{_MANYLINUX}", "858fe25231e0fd8612da142efde019faa5ef63fa150a821a27870e791b38c798")
_WINDOWS_311 = _wheel("cp311-cp311-win_amd64", "df98c790f86b6aa2378b4bb94dec7b85b0adb195b880b41e429a4990aed2a8c9")
_WINDOWS_ABI3 = _wheel("cp312-abi3-win_amd64", "3ea8e8fa5c097e68fef91d70b150fda96f307758103868018fc4deeb9c214122")
_MACOS_311 = _wheel(
    "cp311-cp311-macosx_10_15_universal2", "86fb4408797aabb54a31e147176ae0f2474d99f1715a36a4564089eca9ef9ce8"
)
_MACOS_ABI3 = _wheel(
    "cp312-abi3-macosx_10_15_universal2", "15155fd8f308d3bd47f67a8f6cc809f9db90abbf63c514c384a17622e2cf080f"
)
TARGETS = (
    Target("linux-x64", CP311, _LINUX_311),
    Target("linux-x64", ABI3, _LINUX_ABI3),
    Target("windows-x64", CP311, _WINDOWS_311),
    Target("windows-x64", ABI3, _WINDOWS_ABI3),
    Target("macos-arm64", CP311, _MACOS_311),
    Target("macos-arm64", ABI3, _MACOS_ABI3),
    Target("macos-x64", CP311, _MACOS_311),
    Target("macos-x64", ABI3, _MACOS_ABI3),
)


def project_version(root: Path = ROOT) -> str:
    """The version of shared/version.py, read and not run."""
    constants = _string_constants(ast.parse((root / "shared" / "version.py").read_text()))
    if "VERSION" not in constants:
        raise BuildError('shared/version.py must say VERSION = "...".')
    return constants["VERSION"]


def manifest_text(root: Path, target: Target, *, blender_min: str | None = None, with_wheel: bool = True) -> str:
    """The manifest of one zip: the source's, with the version, the platform, the wheel and the range of Blenders."""
    manifest = tomllib.loads((root / "blender_addon" / "blender_manifest.toml").read_text())
    manifest["version"] = project_version(root)
    manifest["blender_version_min"] = blender_min or target.abi.blender_version_min
    if target.abi.blender_version_max:
        manifest["blender_version_max"] = target.abi.blender_version_max
    manifest["platforms"] = [target.platform]
    if with_wheel:
        manifest["wheels"] = [f"./wheels/{target.wheel.name}"]
    tables = {key: value for key, value in manifest.items() if isinstance(value, dict)}
    lines = [f"{key} = {_toml(value)}" for key, value in manifest.items() if key not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A string or a list of strings in TOML, all that a manifest holds."""
    if isinstance(value, str):
        if any(character in value for character in '"\\\n'):
            raise BuildError(f"The manifest's value {value!r} holds a character that this builder does not write.")
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    raise BuildError(f"The manifest holds {value!r}; only strings and lists of strings are expected.")


def source_files(root: Path = ROOT) -> Iterator[tuple[str, Path]]:
    """Every file of the zip that is copied as it is: name in the zip, path. shared/ becomes a sub-package."""
    yield "LICENSE", root / "LICENSE"
    yield from ((f"manual/{name}", root / "docs" / name) for name in MANUAL)
    for prefix, folder in (("", root / "blender_addon"), ("shared/", root / "shared")):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_symlink():
                raise BuildError(f"{path} is a symbolic link; an extension holds plain files only.")
            if path.is_dir() or IGNORED_FOLDERS & set(inside.parts) or path.suffix in IGNORED_SUFFIXES:
                continue
            if prefix or inside.as_posix() not in CHECKOUT_ONLY:
                yield prefix + inside.as_posix(), path


def wheel_cache() -> Path:
    """Where downloaded wheels are kept."""
    return Path(os.environ.get("LATENTMAN_CACHE", Path.home() / ".cache" / "latentman")) / "wheels"


def fetch_wheel(wheel: Wheel, cache: Path) -> bytes:
    """The content of a pinned wheel, downloaded by pip once. Raises BuildError when it is another content."""
    path = cache / wheel.name
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        python, abi, platform = wheel.tags
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", f"{python[2]}.{python[3:]}"]
        command += ["--abi", abi, *(part for tag in platform.split(".") for part in ("--platform", tag))]
        done = subprocess.run(
            [*command, "--dest", str(cache), f"pyzmq=={PYZMQ}"], capture_output=True, text=True, check=False
        )
        if done.returncode or not path.is_file():
            reason = (done.stderr.strip().splitlines() or ["another file came"])[-1]
            raise BuildError(f"{wheel.name} cannot be downloaded: {reason}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise BuildError(f"{path} is not the pinned wheel: its SHA-256 is {found}, expected {wheel.sha256}; delete it.")
    return content


def build_zip(
    target: Target, output: Path, *, root: Path = ROOT, cache: Path | None = None, blender_min: str | None = None
) -> Path:
    """Build and check one zip, in place at once or not at all; `cache=None` leaves the wheel out."""
    version = project_version(root)
    manifest = manifest_text(root, target, blender_min=blender_min, with_wheel=cache is not None)
    entries = {name: path.read_bytes() for name, path in source_files(root)}
    entries["blender_manifest.toml"] = manifest.encode()
    if cache is not None:
        entries[f"wheels/{target.wheel.name}"] = fetch_wheel(target.wheel, cache)
    output.mkdir(parents=True, exist_ok=True)
    path = output / target.zip_name(version)
    part = path.with_name(path.name + ".part")
    with zipfile.ZipFile(part, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.external_attr = _FILE_MODE << 16
            info.create_system = 3
            archive.writestr(info, entries[name], zipfile.ZIP_DEFLATED, 9)
    check_zip(part)
    os.replace(part, path)
    return path


def check_zip(path: Path) -> None:
    """Check a built zip's content, whatever made it. Raises BuildError with the first fault."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = [info.filename for info in infos]
        if len(set(names)) != len(names):
            raise BuildError(f"{path.name} holds a name twice.")
        for info in infos:
            _check_member(path, info)
        missing = {"__init__.py", "blender_manifest.toml", "LICENSE", "shared/__init__.py"} - set(names)
        if missing:
            raise BuildError(f"{path.name} lacks {', '.join(sorted(missing))}.")
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        wheels = sorted(f"./{name}" for name in names if name.endswith(".whl"))
        if wheels != manifest.get("wheels", []) or len(wheels) > 1:
            raise BuildError(f"{path.name} holds the wheels {wheels}, its manifest says {manifest.get('wheels', [])}.")
        sources = {name: archive.read(name).decode() for name in names if name.endswith(".py")}
    faults = addon_import_faults(sources)
    if faults:
        raise BuildError(f"{path.name}: {faults[0]}")


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    name = PurePosixPath(info.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in info.filename or ":" in info.filename:
        raise BuildError(f"{path.name} holds the unsafe path {info.filename!r}.")
    if (info.external_attr >> 16) & 0o170000 == _SYMLINK_TYPE:
        raise BuildError(f"{path.name} holds the symbolic link {info.filename!r}.")


def addon_import_faults(sources: Mapping[str, str]) -> list[str]:
    """Import faults of an add-on laid out as in the zip: {name: source}, `shared/` inside."""
    faults = []
    for name, source in sorted(sources.items()):
        inside = name.removeprefix("shared/")
        allowed = ADDON_IMPORTS if inside == name else shared_imports(inside)
        faults += import_faults(name, source, allowed, inside.count("/"))
    return faults


def shared_imports(name: str) -> frozenset[str]:
    """What a module of shared/ may import beside the standard library; `name` is its path inside shared/."""
    return CLIENT_IMPORTS if name.startswith(CLIENT_FOLDER) else SHARED_IMPORTS


def import_faults(name: str, source: str, allowed: frozenset[str], depth: int) -> list[str]:
    """Imports in `source` that are neither the standard library, nor `allowed`, nor relative within the package.

    depth: how many folders below its package's root the module lies; a relative import must not climb higher.
    """
    tree = ast.parse(source, name)
    constants = _string_constants(tree)
    faults = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt | ast.expr):
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            if node.level > depth + 1:
                faults.append(f"{name}:{node.lineno} imports from above its package.")
            continue
        for module in imported_modules(node, constants):
            if module is None:
                faults.append(f"{name}:{node.lineno} imports a module whose name is only known at run time.")
            elif module.split(".")[0] not in allowed | sys.stdlib_module_names:
                faults.append(f"{name}:{node.lineno} imports {module}, which this side must not.")
    return faults


def imported_modules(node: ast.AST, constants: Mapping[str, str]) -> list[str | None]:
    """The absolute modules that one node imports, also through importlib; None for one that the source hides.

    constants: the module's own names for strings (`_string_constants`).
    """
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module]
    if isinstance(node, ast.Call):
        function = node.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if called in ("import_module", "__import__"):
            found = _module_text(node.args[0], constants) if node.args else None
            return [] if found is not None and found.startswith(".") else [found]
    return []


def _string_constants(tree: ast.Module) -> dict[str, str]:
    """Names that a module gives to strings at its top level."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _module_text(expression: ast.expr, constants: Mapping[str, str]) -> str | None:
    """What is sure of a module's name: all of a string, an f-string up to what varies in it; None where its top-level
    package is not sure."""
    if isinstance(expression, ast.Constant):
        return expression.value if isinstance(expression.value, str) else None
    if not isinstance(expression, ast.JoinedStr):
        return None
    text = ""
    for piece in expression.values:
        value = piece.value if isinstance(piece, ast.FormattedValue) else piece
        if isinstance(value, ast.Name) and value.id in constants:
            text += constants[value.id]
        elif isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
        else:
            break
    return text if "." in text else None


def build_backend(output: Path, *, root: Path = ROOT) -> Path:
    """Build the backend's wheel, which the add-on's preferences install. Raises BuildError.

    It is built from a copy: what an earlier build left in the project's folder would get into the wheel.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="latentman-build-") as folder:
        copy, made = Path(folder, "source"), Path(folder, "wheel")
        for package in ("backend", "shared"):
            shutil.copytree(root / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(root / name, copy / name)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--wheel-dir", str(made), str(copy)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(_EPOCH_S)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        found = sorted(made.glob("*.whl"))
        if done.returncode or not found:
            reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
            raise BuildError(f"The backend's wheel cannot be built: {reason}")
        return Path(shutil.move(found[0], output / found[0].name))


def write_index(output: Path) -> Path:
    """Write `index.json` over all zips in a folder, as Blender's `extension server-generate` does: with it the folder,
    served under any address, is an extension repository."""
    document = {"version": "v1", "blocklist": [], "data": [index_entry(path) for path in sorted(output.glob("*.zip"))]}
    path = output / "index.json"
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)
    return path


def index_entry(path: Path) -> dict[str, object]:
    """One zip's entry in the index: its manifest, the Pythons of its wheels, its size and hash."""
    with zipfile.ZipFile(path) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    wheels = [Wheel(PurePosixPath(name).name, "") for name in manifest.pop("wheels", [])]
    pythons = sorted({_python_version(wheel) for wheel in wheels})
    return {
        **manifest,
        **({"python_versions": pythons} if pythons else {}),
        "archive_url": f"./{path.name}",
        "archive_size": path.stat().st_size,
        "archive_hash": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
    }


def _python_version(wheel: Wheel) -> str:
    """`3.11` for a wheel of that Python alone, `3` for one of the stable ABI."""
    python, abi, _ = wheel.tags
    return python[2] if abi == "abi3" else f"{python[2]}.{python[3:]}"


def generate_index(blender: str, output: Path) -> None:
    """Let Blender validate the zips and write `index.json` itself."""
    for path in sorted(output.glob("*.zip")):
        _blender([blender, "--command", "extension", "validate", str(path)])
    _blender([blender, "--command", "extension", "server-generate", "--repo-dir", str(output)])


def _blender(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"Blender cannot be started as {command[0]!r}: {error.strerror}.") from error
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed: {(done.stdout + done.stderr).strip()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the chosen zips; 0 when all are built and checked."""
    parser = argparse.ArgumentParser(prog="build_addon.py", description="Build the LatentMan extension zips.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder of the zips (default: dist)")
    parser.add_argument("--platform", choices=sorted({target.platform for target in TARGETS}), help="this one only")
    parser.add_argument("--python", choices=[CP311.name, ABI3.name], help="this Python ABI only")
    parser.add_argument(
        "--blender-min", metavar="VERSION", help="another minimum: a distribution's Blender may have a later Python"
    )
    parser.add_argument("--backend", action="store_true", help="also the backend's wheel, to install from")
    parser.add_argument("--no-wheels", action="store_true", help="for a Blender whose Python already has pyzmq")
    parser.add_argument("--blender", metavar="PATH", help="a Blender 4.2 or later that validates and makes the index")
    chosen = parser.parse_args(arguments)
    try:
        for target in TARGETS:
            if chosen.platform in (None, target.platform) and chosen.python in (None, target.abi.name):
                cache = None if chosen.no_wheels else wheel_cache()
                path = build_zip(target, chosen.output, cache=cache, blender_min=chosen.blender_min)
                print(f"{path}  {path.stat().st_size / 1e6:.1f} MB, {target.abi.fits}")
        if chosen.backend:
            path = build_backend(chosen.output)
            print(f"{path}  {path.stat().st_size / 1e6:.1f} MB, the backend")
        print(write_index(chosen.output))
        if chosen.blender:
            generate_index(chosen.blender, chosen.output)
            print(f"{chosen.blender} has validated the zips and written the index itself")
    except BuildError as error:
        print(f"build_addon: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
