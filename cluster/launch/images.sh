#!/bin/sh
# Refuses an image without a version: `images.sh [FILE]`, of lines like those of .env. `make up` asks first.
set -eu
file="${1:-$(dirname "$0")/../../.env}"
versioned='^[A-Z]+_IMAGE=([a-z0-9.-]+(:[0-9]+)?/)?[a-z0-9._/-]+:[0-9]+\.[0-9]+[A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?$'
if grep '^[^#]*IMAGE' "$file" | grep -Ev "$versioned" >&2; then
    echo "images: NAME_IMAGE=name:version, and @sha256:digest behind it if you like; these have no version" >&2
    exit 1
fi
