# The one image of audio-extract: UI, daemon, code server and run worker differ by their command.
#
#   docker build -t audio-extract .
#   docker run --rm --init --env-file .env audio-extract audio-extract doctor
#
# Without a Docker engine: deploy/build-without-engine.sh. docs/deployment.md has the rest.

# Any base will do that has Python 3.10 to 3.13 with venv.
ARG BASE=python:3.13-slim

FROM ${BASE} AS builder
WORKDIR /build
# Every file is checked against its hash here. Nothing below this step asks the network.
COPY requirements.lock deploy/build.lock ./
RUN python3 -m venv installer \
    && installer/bin/pip download --no-cache-dir --only-binary :all: --require-hashes --no-deps \
        --dest wheels --requirement requirements.lock --requirement build.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY audio_extract_dagster audio_extract_dagster
# An environment without pip, filled from the checked files only: of what the lock holds, the tools
# for tests and checks and the embedded PostgreSQL stay behind.
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/build/wheels
# hadolint ignore=DL3013
RUN python3 -m venv --without-pip /opt/audio-extract \
    && installer/bin/pip --python /opt/audio-extract/bin/python install --no-cache-dir \
        ".[gcs,cloud-run,kubernetes]"

FROM ${BASE}
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin audio-extract \
    && install --directory --owner audio-extract --mode 0700 /srv/audio-extract \
        /srv/audio-extract/cloud-run /srv/audio-extract/data /srv/audio-extract/data/dagster \
    && if python3 -m pip --version; then \
        python3 -m pip uninstall --yes --quiet --root-user-action ignore pip; fi
COPY --from=builder /opt/audio-extract /opt/audio-extract
WORKDIR /srv/audio-extract
COPY deploy/workspace.yaml ./
# The home of an instance on Cloud Run. Elsewhere the first command writes one into the volume.
COPY deploy/cloud-run/dagster.yaml cloud-run/
# Dagster wants its home absolute, and dagster.yaml reads the port.
ENV PATH=/opt/audio-extract/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DAGSTER_HOME=/srv/audio-extract/data/dagster \
    PG_PORT=5432
USER 10001
VOLUME /srv/audio-extract/data
EXPOSE 3000
# Of the UI. Other commands are run with --no-healthcheck or a --health-cmd of their own.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/server_info', timeout=5)"]
CMD ["dagster-webserver", "-m", "audio_extract_dagster.definitions", "-h", "0.0.0.0", "-p", "3000"]
