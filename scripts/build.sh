#!/usr/bin/env bash
# Builds dist/site, dist/weighbridge.html, dist/embed/weigh-bridge.js and dist/npm. Second runs rebuild what changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
WEIGHBRIDGE_BUILD_ONLY=1 scripts/setup.sh

jobs=${WEIGHBRIDGE_JOBS:-$(nproc 2>/dev/null || echo 2)}

# ------------------------------------------------------------------------------------------------------------- WebAssembly

mkdir -p build
if [ ! -f build/wasm/build.ninja ]; then cmake --preset wasm >&2; fi
cmake --build --preset wasm -j "$jobs" >&2

# A target is built again when one of its inputs is newer than its stamp.
stale() { local stamp=$1; shift; [ ! -f "$stamp" ] || [ -n "$(find "$@" -type f -newer "$stamp" -print -quit 2>/dev/null)" ]; }
module=build/wasm/module
mkdir -p build/stamps dist

shared=(wasm "$module" package.json package-lock.json)

# --------------------------------------------------------------------------------------------------- site, file, element

vite() { node_modules/.bin/vite build web -c web/vite.config.ts --mode "$1" --logLevel warn; }
for mode in site single embed; do
  if stale "build/stamps/$mode" "${shared[@]}" web scripts/build_embed.mjs tests/measurements; then
    vite "$mode" >&2
    if [ "$mode" = embed ]; then node scripts/build_embed.mjs; fi
    touch "build/stamps/$mode"
  fi
done

# ------------------------------------------------------------------------------------------------------------ the package

if stale build/stamps/npm "${shared[@]}" web/api.json web/element.d.ts dist/embed/weigh-bridge.js scripts/build_npm.mjs scripts/generate_types.mjs; then
  node scripts/build_npm.mjs
  touch build/stamps/npm
fi
