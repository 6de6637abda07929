"""The extension zips: what is in them, and that they are the same every time."""

from __future__ import annotations

import hashlib
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon
from blender_addon.help.manual import PAGES, page_text
from build_addon import ABI3, CP311, TARGETS, BuildError, Wheel, build_zip, check_zip, fetch_wheel, manifest_text
from shared.version import VERSION

ROOT = build_addon.ROOT


def target(platform: str, abi: build_addon.PythonAbi) -> build_addon.Target:
    return next(t for t in TARGETS if t.platform == platform and t.abi is abi)


def rewritten(source: Path, destination: Path, *, drop: str = "", add: dict[str, bytes] | None = None) -> Path:
    """A copy of a zip with members left out or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(destination, "w") as new:
        for name in old.namelist():
            if name != drop:
                new.writestr(name, old.read(name))
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return destination


@pytest.fixture(scope="module")
def plain_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zip(target("linux-x64", ABI3), tmp_path_factory.mktemp("zip"))


def test_there_is_one_zip_a_platform_and_python() -> None:
    pairs = {(t.platform, t.abi.name) for t in TARGETS}
    platforms = {"linux-x64", "windows-x64", "macos-arm64", "macos-x64"}
    assert pairs == {(platform, abi) for platform in platforms for abi in ("cp311", "cp312-abi3")}
    assert len(pairs) == len(TARGETS)
    assert {t.wheel.tags[0] for t in TARGETS if t.abi is CP311} == {"cp311"}
    assert {t.wheel.tags[1] for t in TARGETS if t.abi is ABI3} == {"abi3"}


def test_equal_sources_make_equal_bytes(plain_zip: Path, tmp_path: Path) -> None:
    again = build_zip(target("linux-x64", ABI3), tmp_path)
    assert again.name == plain_zip.name
    assert again.read_bytes() == plain_zip.read_bytes()


def test_the_zip_holds_every_source_and_nothing_built(plain_zip: Path) -> None:
    with zipfile.ZipFile(plain_zip) as archive:
        names = archive.namelist()
        assert archive.read("shared/errors.py") == (ROOT / "shared" / "errors.py").read_bytes()
    assert names == sorted(names)
    assert {"__init__.py", "cli/__init__.py", "blender_manifest.toml", "LICENSE", "shared/__init__.py"} <= set(names)
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]


def test_the_zip_holds_the_pages_of_the_manual_that_help_names(plain_zip: Path) -> None:
    assert [page.file for page in PAGES] == list(build_addon.MANUAL)
    with zipfile.ZipFile(plain_zip) as archive:
        for page in PAGES:
            assert archive.read(f"manual/{page.file}").decode() == page_text(page.name)[1]


@pytest.mark.parametrize(
    ("abi", "lowest", "highest"), [(CP311, "4.2.0", "5.1.0"), (ABI3, "5.1.0", None)], ids=["cp311", "abi3"]
)
def test_the_manifest_names_platform_wheel_and_blenders(
    abi: build_addon.PythonAbi, lowest: str, highest: str | None
) -> None:
    chosen = target("windows-x64", abi)
    manifest = tomllib.loads(manifest_text(ROOT, chosen))
    source = tomllib.loads((ROOT / "blender_addon" / "blender_manifest.toml").read_text())
    assert manifest["platforms"] == ["windows-x64"]
    assert manifest["wheels"] == [f"./wheels/{chosen.wheel.name}"]
    assert (manifest["blender_version_min"], manifest.get("blender_version_max")) == (lowest, highest)
    assert {key: manifest[key] for key in ("id", "name", "license", "permissions")} == {
        key: source[key] for key in ("id", "name", "license", "permissions")
    }


def test_the_zip_has_the_version_of_the_program(plain_zip: Path) -> None:
    with zipfile.ZipFile(plain_zip) as archive:
        assert tomllib.loads(archive.read("blender_manifest.toml").decode())["version"] == VERSION
    assert plain_zip.name == f"latentman-{VERSION}-linux-x64-cp312-abi3.zip"


def test_a_version_that_is_not_written_out_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "version.py").write_text("VERSION = '.'.join(('0', '1'))\n")
    with pytest.raises(BuildError, match="must say VERSION"):
        build_addon.project_version(tmp_path)


def test_the_manifest_keeps_blenders_own_limits() -> None:
    manifest = tomllib.loads((ROOT / "blender_addon" / "blender_manifest.toml").read_text())
    assert len(manifest["tagline"]) <= 64 and manifest["tagline"][-1].isalnum()
    assert all(len(reason) <= 64 and reason[-1].isalnum() for reason in manifest["permissions"].values())


def test_another_wheel_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    wheel = Wheel("pyzmq-27.3.0-cp312-abi3-win_amd64.whl", hashlib.sha256(b"the real one").hexdigest())
    (tmp_path / wheel.name).write_bytes(b"another one")
    with pytest.raises(BuildError, match=hashlib.sha256(b"another one").hexdigest()):
        fetch_wheel(wheel, tmp_path)
    (tmp_path / wheel.name).write_bytes(b"the real one")
    assert fetch_wheel(wheel, tmp_path) == b"the real one"


def test_the_wheel_goes_into_the_zip_unchanged(tmp_path: Path) -> None:
    wheel = Wheel("pyzmq-27.3.0-cp312-abi3-win_amd64.whl", hashlib.sha256(b"content").hexdigest())
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / wheel.name).write_bytes(b"content")
    with zipfile.ZipFile(build_zip(build_addon.Target("windows-x64", ABI3, wheel), tmp_path, cache=cache)) as archive:
        assert archive.read(f"wheels/{wheel.name}") == b"content"


@pytest.mark.parametrize(
    ("add", "words"),
    [
        ({"../outside.py": b""}, "unsafe path '../outside.py'"),
        ({"/etc/passwd": b""}, "unsafe path '/etc/passwd'"),
        ({"C:evil.py": b""}, "unsafe path 'C:evil.py'"),
        ({"client/bad.py": b"import torch\n"}, "imports torch"),
        ({"wheels/extra.whl": b""}, "extra.whl"),
    ],
)
def test_a_bad_member_is_found(plain_zip: Path, tmp_path: Path, add: dict[str, bytes], words: str) -> None:
    with pytest.raises(BuildError, match=words.replace("(", r"\(")):
        check_zip(rewritten(plain_zip, tmp_path / "bad.zip", add=add))


def test_a_symbolic_link_is_found(plain_zip: Path, tmp_path: Path) -> None:
    bad = rewritten(plain_zip, tmp_path / "bad.zip")
    link = zipfile.ZipInfo("link.py")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BuildError, match="symbolic link 'link.py'"):
        check_zip(bad)


def test_a_missing_member_is_found(plain_zip: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="lacks LICENSE"):
        check_zip(rewritten(plain_zip, tmp_path / "bad.zip", drop="LICENSE"))


def test_the_backends_wheel_holds_its_model_and_nothing_that_an_earlier_build_left(tmp_path: Path) -> None:
    path = build_addon.build_backend(tmp_path)
    assert path == tmp_path / f"latentman-{build_addon.project_version()}-py3-none-any.whl"
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    modules = [*(ROOT / "backend").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    sources = {module.relative_to(ROOT).as_posix() for module in modules}
    assert {name for name in names if name.endswith(".py")} == sources
    weights = {path.relative_to(ROOT).as_posix() for path in (ROOT / "backend" / "embedded").rglob("*.safetensors")}
    assert weights and weights <= names
