#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test. Stops at the first stage that fails, with its output.
#
#   scripts/test.sh                     everything
#   scripts/test.sh core wasm           these stages only (names as printed; what they need must have been built)
#   FUZZ_SECONDS=600 scripts/test.sh    a longer search
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=${WEIGHBRIDGE_JOBS:-$(nproc 2>/dev/null || echo 2)}
export WEIGHBRIDGE_JOBS=$jobs
only=" $* "
logs=build/test-logs
mkdir -p "$logs"

# stage NAME COMMAND…: one line with the seconds it took; its output only when it fails.
ran=0
stage() {
  local name=$1 start=$SECONDS code=0
  shift
  [ "$only" = "  " ] || [[ $only == *" $name "* ]] || return 0
  ran=$((ran + 1))
  printf '%-12s ' "$name"
  "$@" > "$logs/$name.log" 2>&1 < /dev/null || code=$?
  if [ "$code" -ne 0 ]; then
    printf 'FAILED after %d s (exit code %d)\n' "$((SECONDS - start))" "$code"
    tail -n "${WEIGHBRIDGE_LOG_LINES:-300}" "$logs/$name.log"
    grep -E -A 24 '^ *not ok ' "$logs/$name.log" || true
    printf '%s failed; all of its output is in %s\n' "$name" "$logs/$name.log"
    exit 1
  fi
  printf '%4d s\n' "$((SECONDS - start))"
}

# Text files end their lines in LF, have no blanks at a line's end, and end in a line.
check_style() {
  git rev-parse --git-dir >/dev/null 2>&1 || { echo "not a git checkout: nothing is checked"; return 0; }
  local found=0 file
  git grep -nIE '[[:blank:]]+$|'$'\r''$' -- ':!*.md' ':!package-lock.json' && found=1
  while IFS= read -r -d '' file; do
    [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ] && { echo "$file: no line break at its end"; found=1; }
  done < <(git ls-files -z -- '*.cpp' '*.hpp' '*.ts' '*.mjs' '*.sh' '*.css' '*.html' '*.txt' '*.cmake' 'core/data/*.json' 'tests/**/*.json')
  return "$found"
}

native_build() {
  [ -f build/dev/build.ninja ] || cmake --preset dev
  cmake --build --preset dev -j "$jobs"
}

# The leak check needs ptrace, which many containers forbid: then it is left out, and said.
core_tests() {
  local probe
  probe=$(build/dev/tests/weighbridge_cli version < /dev/null 2>&1) || case $probe in
    *"LeakSanitizer has encountered a fatal error"*) export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}"; echo "leaks cannot be looked for here (no ptrace)" ;;
  esac
  ctest --preset dev -j "$jobs"
}

types_check() {
  node_modules/.bin/tsc -p wasm --noEmit
  [ ! -f web/tsconfig.json ] || node_modules/.bin/tsc -p web --noEmit
}

# As many files at once as there are processors: by itself Node leaves one of them idle. Before 18.19 it cannot be told to.
node_tests() {
  local at_once=()
  if node --test-concurrency=1 --version >/dev/null 2>&1; then at_once=("--test-concurrency=$jobs"); fi
  node --test ${at_once[@]+"${at_once[@]}"} "$1"/*.test.mjs
}

stage setup scripts/setup.sh
stage style check_style
stage native native_build
stage build scripts/build.sh
stage catalogue node_tests tests/catalog
stage core core_tests
if grep -q "no ptrace" "$logs/core.log" 2>/dev/null; then echo "             (leaks could not be looked for: no ptrace here)"; fi
stage fuzz scripts/fuzz.sh
if grep -q "only the seeds" "$logs/fuzz.log" 2>/dev/null; then echo "             (no libFuzzer here: only the seeds were run)"; fi
stage types types_check
stage wasm node_tests tests/wasm
if compgen -G "tests/web/*.test.mjs" > /dev/null; then stage web node_tests tests/web; fi
stage browsers node_tests tests/browsers
grep -h "IS NOT TESTED HERE" "$logs/browsers.log" 2>/dev/null | sed 's/^/             /' || true

[ "$ran" -gt 0 ] || { echo "There is no stage of this name: $*"; exit 2; }
printf 'All passed in %d s.\n' "$SECONDS"
