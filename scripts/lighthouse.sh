#!/usr/bin/env bash
# Lighthouse over the built site, served as scripts/serve.sh serves it: the median of several runs, on a phone and on a desktop. Not part of
# the tests: its scores depend on how busy the machine is.
#
#   scripts/lighthouse.sh [RUNS]    default 5
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/build.sh >&2
exec node scripts/lighthouse.mjs "$@"
