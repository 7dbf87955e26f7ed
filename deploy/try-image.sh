#!/usr/bin/env bash
# Try the image that build-without-engine.sh made, each role by its command, as its own user:
#
#   PG_HOST=… PG_PORT=… PG_USER=… PG_PASSWORD=… PG_DATABASE=… deploy/try-image.sh audio-extract.tar
#
# The database may be an empty one; the two schemas are created in it.
set -euo pipefail
archive=${1:?which archive}
work=$(mktemp -d)
buildah=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; "${buildah[@]}" rm --all >/dev/null; rm -rf "$work"' EXIT

container=$("${buildah[@]}" from --quiet "docker-archive:$archive")
variables=()
for name in PG_HOST PG_PORT PG_USER PG_PASSWORD PG_DATABASE; do
  variables+=(--env "$name=${!name:?is not set}")
done
# Cloud Run's instance is in the image; its job's project is not asked before a run starts.
cloud_run=(--env DAGSTER_HOME=/srv/audio-extract/cloud-run --env "PGHOST=$PG_HOST"
  --env PROJECT_ID=none --env REGION=none)
inside() { "${buildah[@]}" run --isolation chroot "${variables[@]}" "$container" -- "$@"; }

answers() {
  for _ in $(seq 60); do
    if inside python -c "
import socket, sys, urllib.request
host, port = '127.0.0.1', $1
urllib.request.urlopen(f'http://{host}:{port}/server_info') if $2 else socket.create_connection((host, port))
" 2>/dev/null; then return 0; fi
    sleep 2
  done
  return 1
}
say() { echo "ok: $*"; }

[[ $(inside id -u) == 10001 ]] && say "no root"
inside sh -c '! command -v gcc cc make pip git curl && ! python -m pip 2>/dev/null' && say "no build tools"
inside sh -c '! touch /opt/audio-extract/x 2>/dev/null' && say "the program cannot change itself"
inside sh -c '! env | grep -iE "secret|token"' && say "no secret in the environment of the image"
inside audio-extract migrate && say "the tables are there"
[[ $(inside audio-extract doctor 2>&1) == *GENESYS_CLOUD_CLIENT_ID* ]] && say "the doctor names what is not set"

variables+=("${cloud_run[@]}")
inside dagster code-server start -m audio_extract_dagster.definitions -h 127.0.0.1 -p 4000 >"$work/code-server.log" 2>&1 &
answers 4000 0 && say "the code server listens"
inside dagster-webserver -w workspace.yaml -h 127.0.0.1 -p 3000 >"$work/webserver.log" 2>&1 &
answers 3000 1 && say "the web server answers"
inside dagster-daemon run -w workspace.yaml >"$work/daemon.log" 2>&1 &
for _ in $(seq 30); do inside dagster-daemon liveness-check >/dev/null 2>&1 && break || sleep 2; done
inside dagster-daemon liveness-check >/dev/null && say "the daemon is alive"
inside python -c "
import json, urllib.request
query = '{locationStatusesOrError { ... on WorkspaceLocationStatusEntries { entries { name loadStatus } } }}'
request = urllib.request.Request('http://127.0.0.1:3000/graphql', json.dumps({'query': query}).encode(), {'Content-Type': 'application/json'})
entries = json.load(urllib.request.urlopen(request))['data']['locationStatusesOrError']['entries']
assert entries == [{'name': 'audio_extract', 'loadStatus': 'LOADED'}], entries
" && say "the web server has the code location from the code server"
