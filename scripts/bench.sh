#!/usr/bin/env bash
# Measures how fast Weighbridge is and how much of it is loaded, after building what is missing. Prints one table; the figures are
# also left in build/bench.json.
#
#   scripts/bench.sh               the table
#   scripts/bench.sh --markdown    the rows of the README's table
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/build.sh >&2
[ -f build/release/build.ninja ] || cmake --preset release >&2
cmake --build build/release --target weighbridge_bench -j "${WEIGHBRIDGE_JOBS:-$(nproc 2>/dev/null || echo 2)}" >&2
exec node scripts/bench.mjs "$@"
