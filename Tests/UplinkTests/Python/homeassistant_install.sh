#!/bin/sh
# Installs Home Assistant from PyPI into a virtual environment: the schemas and the MQTT integration that the payload is checked against.
# usage: homeassistant_install.sh <folder>; exits 3 when this machine cannot have it (no Python 3.12 or later, no PyPI).
set -eu
folder=$1
[ -e "$folder/installed" ] && exit 0

python=
for candidate in python3.13 python3.12 python3 "$HOME"/.pyenv/versions/3.13*/bin/python "$HOME"/.pyenv/versions/3.12*/bin/python; do
  if "$candidate" -c 'import sys, venv; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "Home Assistant needs Python 3.12 or 3.13: none found" >&2
  exit 3
fi

"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --target "$folder/tools" uv || exit 3
install() { "$folder/tools/bin/uv" pip install --quiet --python "$folder/bin/python" "$@" >&2 || exit 3; }
# What mqtt and its dependencies import: the integration's own requirements stand in its manifest.
install homeassistant==2025.1.4 hassil home-assistant-intents
requirements=$("$folder/bin/python" - <<'PY'
import importlib.util, json, pathlib
root = pathlib.Path(importlib.util.find_spec("homeassistant").submodule_search_locations[0])
print(" ".join(json.loads((root / "components/mqtt/manifest.json").read_text())["requirements"]))
PY
)
# shellcheck disable=SC2086
install $requirements
touch "$folder/installed"
