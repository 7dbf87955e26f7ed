#!/usr/bin/env bash
# Try the image that build-without-engine.sh made, each role by its command, as its own user:
#
#   PG_HOST=… PG_PORT=… PG_USER=… PG_PASSWORD=… PG_DATABASE=… deploy/try-image.sh audio-extract.tar
#
# The database may be an empty one; the two schemas are created in it. Ports 3000 and 4000 are used.
set -euo pipefail
archive=${1:?which archive}
work=$(mktemp -d)
buildah=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs)

# With chroot isolation a role outlives the buildah that started it. Its environment says that it is
# ours: the number of its user somebody else may have.
mark="TRY_IMAGE=$work"
end() {
  grep -lszxF "$mark" /proc/[0-9]*/environ | cut -d/ -f3 | xargs --no-run-if-empty kill || true
  wait
  "${buildah[@]}" rm --all >/dev/null
  rm -rf "$work"
}
trap end EXIT

container=$("${buildah[@]}" from --quiet "docker-archive:$archive")
variables=(--env "$mark")
for name in PG_HOST PG_PORT PG_USER PG_PASSWORD PG_DATABASE; do
  variables+=(--env "$name=${!name:?is not set}")
done

inside() { "${buildah[@]}" run --isolation chroot "${variables[@]}" "$container" -- "$@"; }
# Not through `inside`, so that the job is buildah itself, which ends what it runs. A role also ends
# by itself, whatever becomes of this script.
serve() {
  "${buildah[@]}" run --isolation chroot "${variables[@]}" "$container" -- timeout 600 "$@" \
    >"$work/$1.log" 2>&1 &
}
try() {
  local what=$1
  shift
  if "$@" >"$work/try.log" 2>&1; then
    echo "ok: $what"
  else
    echo "FAILED: $what" && cat "$work/try.log"
    exit 1
  fi
}
# Tries for two minutes: a role takes some seconds to start.
soon() {
  for _ in $(seq 60); do
    if "$@"; then return 0; fi
    sleep 2
  done
  return 1
}
doctor_names_what_is_not_set() {
  [[ $(inside audio-extract doctor 2>&1 || true) == *GENESYS_CLOUD_CLIENT_ID* ]]
}

try "no root" inside sh -c 'test "$(id -u)" = 10001'
try "no build tools" inside sh -c '! command -v gcc cc make pip git curl && ! python -m pip'
try "the program cannot change itself" inside sh -c '! touch /opt/audio-extract/x'
try "no secret in the environment of the image" inside sh -c '! env | grep -iE "secret|token"'
try "the tables are there" inside audio-extract migrate
try "the doctor names what is not set" doctor_names_what_is_not_set

# From here on the instance of Cloud Run, which is in the image. No run is started.
variables+=(--env DAGSTER_HOME=/srv/audio-extract/cloud-run --env "PGHOST=$PG_HOST"
  --env PROJECT_ID=none --env REGION=none)
connect="import socket; socket.create_connection(('127.0.0.1', 4000))"
ask="import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/server_info')"
locations="
import json, urllib.request
query = '{locationStatusesOrError{...on WorkspaceLocationStatusEntries{entries{name loadStatus}}}}'
url = 'http://127.0.0.1:3000/graphql'
headers = {'Content-Type': 'application/json'}
request = urllib.request.Request(url, json.dumps({'query': query}).encode(), headers)
answer = json.load(urllib.request.urlopen(request))['data']['locationStatusesOrError']
assert answer['entries'] == [{'name': 'audio_extract', 'loadStatus': 'LOADED'}], answer
"
serve dagster code-server start -m audio_extract_dagster.definitions -h 127.0.0.1 -p 4000
try "the code server listens" soon inside python -c "$connect"
serve dagster-webserver -w workspace.yaml -h 127.0.0.1 -p 3000
try "the web server answers" soon inside python -c "$ask"
try "it has the code location from the code server" inside python -c "$locations"
serve dagster-daemon run -w workspace.yaml
try "the daemon is alive" soon inside dagster-daemon liveness-check
