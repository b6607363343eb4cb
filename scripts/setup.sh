#!/usr/bin/env bash
# Installs what building and testing need, and only what is missing. Debian 12 and 13 (and their like), as root or with sudo;
# on other systems it says what to install by hand. Second runs take a moment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
node_major() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }

# ------------------------------------------------------------------------------------------------- programs and headers

missing=()
need() { missing+=("$1"); }

have cmake || need cmake
have ninja || need ninja-build
have g++ || have c++ || need g++
have git || need git
[ "$(node_major || true)" ] && [ "$(node_major)" -ge 18 ] || need nodejs
have npm || need npm
have em++ || [ -n "${EMSDK:-}" ] || need emscripten
header() { local dir; for dir in /usr/include /usr/local/include /opt/homebrew/include; do [ -e "$dir/$1" ] && return 0; done; return 1; }
header nlohmann/json.hpp || need nlohmann-json3-dev
header catch2/catch.hpp || header catch2/catch_all.hpp || need catch2
# Only fuzzing is better with clang, and only the browser tests need a browser.
if [ -z "${WEIGHBRIDGE_BUILD_ONLY:-}" ]; then
  have clang++ || need clang
  [ -n "${CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome || need chromium
  if have fc-list; then fc-list ":lang=zh" 2>/dev/null | grep -q . || need fonts-noto-cjk; else need fonts-noto-cjk; fi
fi

# Installs Debian packages; says what to do where it cannot.
lists_are_fresh=
install() {
  if ! have apt-get; then
    say "Missing: $*. This system has no apt-get: install them with its own means (names are Debian's), then run this again."
    return 1
  fi
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    have sudo || { say "Run this as root, or install sudo, or install by hand: apt-get install $*"; return 1; }
    as_root=(sudo)
  fi
  if [ -z "$lists_are_fresh" ]; then
    "${as_root[@]}" apt-get update -q >&2 || say "The package lists could not be brought up to date; trying with those at hand."
    lists_are_fresh=1
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 ||
    { say "Some of these could not be installed: $*"; return 1; }
}

if [ "${#missing[@]}" -gt 0 ]; then
  say "Missing: ${missing[*]}"
  install "${missing[@]}"
fi
# clang's own runtime (libFuzzer, sanitizers) has its version in its name. Without it the fuzz targets run their seeds only.
if [ -z "${WEIGHBRIDGE_BUILD_ONLY:-}" ] && have clang++ && have apt-get && [ -z "$(find "$(clang++ -print-resource-dir)/" -name 'libclang_rt.fuzzer*' -print -quit 2>/dev/null)" ]; then
  version=$(clang++ -dumpversion | cut -d. -f1)
  install "libclang-rt-$version-dev" || say "Fuzzing will only run its seeds."
fi
# The main paths are also tried in other browsers; where these cannot be had, the tests say so and go on.
if [ -z "${WEIGHBRIDGE_BUILD_ONLY:-}" ] && have apt-get; then
  browsers=()
  [ -n "${FIREFOX:-}" ] || have firefox-esr || have firefox || browsers+=(firefox-esr)
  { [ -n "${WEBKIT_DRIVER:-}" ] || have WebKitWebDriver; } || browsers+=(webkit2gtk-driver)
  { [ -n "${DISPLAY:-}" ] || have Xvfb; } || browsers+=(xvfb)
  for package in "${browsers[@]}"; do install "$package" || say "$package: the tests in that browser will be skipped."; done
fi
[ "$(node_major)" -ge 18 ] || { say "Node 18 or newer is needed; this is $(node --version)."; exit 1; }

# -------------------------------------------------------------------------------------------------------- node packages

# node_modules/.stamp remembers which lock file was installed.
wanted=$(cat package-lock.json package.json .npmrc | cksum)
if [ ! -f node_modules/.stamp ] || [ "$(cat node_modules/.stamp)" != "$wanted" ]; then
  npm ci --no-audit --no-fund --loglevel=error >&2
  printf '%s' "$wanted" > node_modules/.stamp
fi
