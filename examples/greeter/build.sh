#!/usr/bin/env bash
# Builds the component: build.sh [TARGET]. Needs npm; the tool and its version stand in package.json.
#
# The same source does not give the same bytes twice: the snapshot of the JavaScript engine differs.
set -euo pipefail
target=$(realpath -m "${1:-"$(dirname "$0")/greeter.wasm"}")
cd "$(dirname "$0")"
# Not `npm ci`, which refuses a lock file that lacks the tool's packages for other platforms.
[ node_modules/.package-lock.json -nt package-lock.json ] ||
    npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2
# Synchronous and without WASI: a JavaScript engine that asks nothing of its host.
node_modules/.bin/componentize-qjs --sync --stub-wasi --opt-size \
    --wit greeter.wit --js greeter.js --output "$target"
