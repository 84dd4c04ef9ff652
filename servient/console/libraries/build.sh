#!/usr/bin/env bash
# Puts the libraries of package-lock.json into static/libraries; needed only to change them.
set -euo pipefail
cd "$(dirname "$0")"
target=../static/libraries
npm ci --no-audit --no-fund --loglevel=error
version() { node -p "require('./node_modules/$1/package.json').version"; }
npx esbuild preact.js --bundle --minify --format=esm --target=es2022 --legal-comments=none \
    --banner:js="// Preact $(version preact) (MIT) and htm $(version htm) (Apache-2.0): see the licences beside it." \
    --outfile="$target/preact.js"
cp node_modules/preact/LICENSE "$target/LICENSE-preact.txt"
cp node_modules/htm/LICENSE "$target/LICENSE-htm.txt"
