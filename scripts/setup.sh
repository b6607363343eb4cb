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

if [ "${#missing[@]}" -gt 0 ]; then
  say "Missing: ${missing[*]}"
  if ! have apt-get; then
    say "This system has no apt-get. Install the above (names are Debian's) with its own means, then run this again."
    exit 1
  fi
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    have sudo || { say "Run this as root, or install sudo, or install by hand: apt-get install ${missing[*]}"; exit 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q >&2 || say "The package lists could not be brought up to date; trying with those at hand."
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 ||
    { say "Some of these could not be installed: ${missing[*]}"; exit 1; }
fi
[ "$(node_major)" -ge 18 ] || { say "Node 18 or newer is needed; this is $(node --version)."; exit 1; }

# -------------------------------------------------------------------------------------------------------- node packages

# node_modules/.stamp remembers which lock file was installed.
wanted=$(cat package-lock.json package.json .npmrc | cksum)
if [ ! -f node_modules/.stamp ] || [ "$(cat node_modules/.stamp)" != "$wanted" ]; then
  npm ci --no-audit --no-fund --loglevel=error >&2
  printf '%s' "$wanted" > node_modules/.stamp
fi
