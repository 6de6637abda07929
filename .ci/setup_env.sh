#!/bin/sh
# Makes the virtual environment that make demo and make test use: setup_env.sh DIRECTORY. Each failure is one sentence.
set -eu
venv=$1
python=${PYTHON:-python3}

fail() {
    echo "latentman: $1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 || fail "no '$python' on this machine; install Python 3.11 and run make PYTHON=/path/to/python3.11 again."
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = "3.11" ] || fail "'$python' is Python $version, but the bpy package needs 3.11; install it and run make PYTHON=/path/to/python3.11 again."
"$python" -c 'import venv, ensurepip' 2>/dev/null || fail "this Python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3.11-venv."

bin="$venv/bin"
case "$(uname -s)" in MINGW* | MSYS* | CYGWIN*) bin="$venv/Scripts" ;; esac
[ -x "$bin/python" ] || "$python" -m venv "$venv"
echo "latentman: installing the pinned packages into $venv (once; about two minutes)" >&2
"$bin/python" -m pip install --quiet --disable-pip-version-check --requirement requirements.lock \
    || fail "the pinned packages could not be installed; the lines above say why (no network, or a full disk?)."
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    || fail "the project itself could not be installed into $venv."

[ "$(uname -s)" = Linux ] || exit 0
missing=$("$bin/python" - <<'EOF'
import importlib.util
import pathlib
import subprocess

folder = pathlib.Path(importlib.util.find_spec("bpy").origin).parent
library = next(folder.glob("*.so"), None) or next(folder.rglob("bpy*.so"))
lines = subprocess.run(["ldd", str(library)], capture_output=True, text=True).stdout.splitlines()
print(" ".join(sorted({line.split()[0] for line in lines if "not found" in line})))
EOF
)
[ -z "$missing" ] || fail "Blender's libraries need $missing; on Debian and Ubuntu: apt-get install libx11-6 libxi6 libxxf86vm1 libxfixes3 libxrender1 libsm6 libice6 libxkbcommon0 libgl1 libegl1."
