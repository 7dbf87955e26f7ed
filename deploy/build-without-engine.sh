#!/usr/bin/env bash
# Build the image of the Dockerfile where no Docker engine runs, as root on Debian or Ubuntu:
#
#   apt-get install --no-install-recommends buildah mmdebstrap
#   deploy/build-without-engine.sh            # audio-extract.tar, as docker load reads it
#
# The base is made from Debian's packages, so that no registry of images is asked. What a network
# needs (a proxy, a certificate) goes into BUILD_OPTIONS, which buildah gets as they are.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${DEBIAN_SUITE:-bookworm}
image=${IMAGE:-localhost/audio-extract}
archive=${1:-audio-extract.tar}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Neither an overlay file system nor namespaces are needed.
storage=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
buildah=(buildah "${storage[@]}")

mmdebstrap --variant=minbase --include=ca-certificates,python3,python3-venv \
  --aptopt='Apt::Install-Recommends "false"' "$suite" "$work/base.tar"
base=$("${buildah[@]}" from scratch)
"${buildah[@]}" add --quiet "$base" "$work/base.tar" /
"${buildah[@]}" commit --quiet --rm "$base" "localhost/debian-python:$suite"

# OCI knows no HEALTHCHECK; the format of Docker does.
read -ra options <<<"${BUILD_OPTIONS:-}"
"${buildah[@]}" build --isolation chroot --format docker --pull-never "${options[@]}" \
  --build-arg "BASE=localhost/debian-python:$suite" --tag "$image" .
"${buildah[@]}" push --quiet "$image" "docker-archive:$archive:${image##*/}"
echo "$archive holds $image. Load it with: docker load --input $archive"
