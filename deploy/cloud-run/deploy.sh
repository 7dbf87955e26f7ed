#!/usr/bin/env bash
# Bring one environment to one image: deploy/cloud-run/deploy.sh prod REGION-docker.pkg.dev/…@sha256:…
# Shown and not done with DRY_RUN=1. Rolling back is the same with the image of before.
set -euo pipefail
cd "$(dirname "$0")"

environment=${1:?which environment: dev, stg or prod}
export IMAGE=${2:?which image, best by its digest}
set -a
# shellcheck source=/dev/null
source "$environment.env"
set +a

# Only our own variables are filled in.
variables=$(sed -n 's/^\([A-Z_]*\)=.*/${\1}/p' "$environment.env")'${IMAGE}'

apply() {
  if [[ -n ${DRY_RUN:-} ]]; then
    echo "---"
    envsubst "$variables" <"$2"
  else
    envsubst "$variables" <"$2" |
      gcloud run "$1" replace - --project "$PROJECT_ID" --region "$REGION"
  fi
}

# The job first, because it also brings the schema up to date, which the code of before can go on
# working with.
apply jobs run-job.yaml
if [[ -z ${DRY_RUN:-} ]]; then
  gcloud run jobs execute audio-extract-run --args audio-extract,migrate --wait \
    --project "$PROJECT_ID" --region "$REGION"
fi
apply services daemon.yaml
apply services webserver.yaml
