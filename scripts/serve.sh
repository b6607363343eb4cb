#!/usr/bin/env bash
# Installs what is missing, builds, and serves dist/site on this machine only.
#
#   scripts/serve.sh [PORT]        default 8080, or the next free one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/build.sh
exec node scripts/static_server.mjs --root dist/site --port "${1:-${PORT:-8080}}"
