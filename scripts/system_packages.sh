#!/usr/bin/env bash
# Chromium and redis-server for the tests: installed by apt where that is allowed, otherwise said what is missing.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v redis-server >/dev/null || missing+=(redis-server)
[ ${#missing[@]} -eq 0 ] && exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq "${missing[@]}" >/dev/null && exit 0
fi

echo "Missing for the tests: ${missing[*]}. Install them (Debian: sudo apt-get install ${missing[*]})." >&2
if [ "${CI:-}" = true ]; then exit 1; fi
echo "The tests that need them will be skipped." >&2
