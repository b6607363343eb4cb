#!/usr/bin/env bash
# Searches for requests and files that break the core: a crash, a sanitizer's finding, or an answer that breaks its promises
# (tests/fuzz/invariants.hpp). An input that does is kept under build/fuzz/crashes, and the script fails.
#
#   scripts/fuzz.sh                     15 seconds for each target, two at a time
#   FUZZ_SECONDS=600 scripts/fuzz.sh    longer
#   scripts/fuzz.sh estimate            one target: estimate, calls, config, gguf, safetensors
#   scripts/fuzz.sh estimate FILE…      these inputs only, once each: does a kept one still break?
#
# With clang and its libFuzzer it searches by coverage; elsewhere it runs the seeds and their beginnings once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
out=build/fuzz
seconds=${FUZZ_SECONDS:-15}
jobs=${WEIGHBRIDGE_JOBS:-$(nproc 2>/dev/null || echo 2)}
[[ $seconds =~ ^[0-9]+$ ]] || { say "FUZZ_SECONDS is \"$seconds\", which is no whole number of seconds."; exit 2; }

mkdir -p "$out"
clang=${CLANGXX:-clang++}
can_search() {
  printf 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' > "$out/probe.cpp"
  "$clang" -fsanitize=fuzzer,address,undefined "$out/probe.cpp" -o "$out/probe" >/dev/null 2>&1
}
if can_search; then
  compiler=$clang libfuzzer=ON build=$out/search
else
  say "There is no clang++ with libFuzzer here (Debian: clang and libclang-rt-<version>-dev): only the seeds are run."
  compiler=${CXX:-c++} libfuzzer=OFF build=$out/replay
fi

[ -f "$build/build.ninja" ] || cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-g1 -O1" \
  "-DCMAKE_CXX_COMPILER=$compiler" -DWEIGHBRIDGE_SANITIZE=ON "-DWEIGHBRIDGE_LIBFUZZER=$libfuzzer" >&2
cmake --build "$build" -j "$jobs" --target fuzz >&2

rm -rf "$out/seeds"
node tests/fuzz/make_seeds.mjs "$out/seeds" >&2

all=(estimate calls config gguf safetensors)
one=${1:-}
[ -z "$one" ] || [[ " ${all[*]} " == *" $one "* ]] || { say "There is no target \"$one\"; use one of: ${all[*]}."; exit 2; }
targets=("${all[@]}")
[ -z "$one" ] || targets=("$one")

if [ "$#" -gt 1 ]; then
  exec "$build/tests/${one}_fuzz" "${@:2}"
fi

# The leak check needs ptrace, which many containers forbid. Then it is left out, and said.
leaks=1
if ! "$build/tests/estimate_fuzz" "$out/seeds/estimate/$(ls "$out/seeds/estimate" | head -1)" > "$out/probe.log" 2>&1; then
  grep -q "LeakSanitizer has encountered a fatal error" "$out/probe.log" && leaks=0
fi
[ "$leaks" = 1 ] || say "Leaks cannot be looked for here (no ptrace): everything else is."
export ASAN_OPTIONS="detect_leaks=$leaks:${ASAN_OPTIONS:-}" UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"

mkdir -p "$out/crashes"
run() {
  local target=$1 program="$build/tests/$1_fuzz"
  if [ "$libfuzzer" = ON ]; then
    mkdir -p "$out/corpus/$target"
    "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=16384 -dict="$out/seeds/request.dict" -print_final_stats=1 \
      -artifact_prefix="$out/crashes/$target-" "$out/corpus/$target" "$out/seeds/$target" > "$out/$target.log" 2>&1
  else
    "$program" "$out/seeds/$target" > "$out/$target.log" 2>&1
  fi
}
broken=()
for ((first = 0; first < ${#targets[@]}; first += 2)); do
  pids=()
  for target in "${targets[@]:first:2}"; do
    run "$target" & pids+=("$!:$target")
  done
  for one in "${pids[@]}"; do
    wait "${one%%:*}" || broken+=("${one#*:}")
  done
done
if [ "$libfuzzer" = ON ]; then
  for target in "${targets[@]}"; do
    say "$target: $seconds s, $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log") executions"
  done
fi

if [ "${#broken[@]}" -gt 0 ]; then
  for target in "${broken[@]}"; do
    say "---- $target ($out/$target.log)"
    grep -vE "^#[0-9]+|^(NEW_FUNC|INFO:)" "$out/$target.log" | cut -c1-500 | head -60 >&2 || true
  done
  say "Kept inputs: $(ls "$out/crashes" 2>/dev/null | sed "s|^|$out/crashes/|" | tr '\n' ' ')"
  exit 1
fi
