# The image of audio-extract: every command is an argument, the UI is the default.
#
#   docker build -t audio-extract .
#   docker run --rm --init --env-file .env audio-extract audio-extract doctor
#
# docs/operations.md shows the services of a permanent installation.

FROM python:3.13-slim AS builder
WORKDIR /build
# Every file is checked against its hash here. Nothing below this step asks the network.
COPY requirements.lock .
RUN pip download --no-cache-dir --only-binary :all: --require-hashes --no-deps --dest /wheels \
        --requirement requirements.lock
# What builds the project's own wheel; it does not get into the image.
RUN echo "setuptools==80.9.0 --hash=sha256:062d34222ad13e0cc312a4c02d73f059e86a4acbfbdea8f8f76b28c99f306922" \
        > build.lock \
    && pip download --no-cache-dir --only-binary :all: --require-hashes --no-deps --dest /wheels \
        --requirement build.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY audio_extract_dagster audio_extract_dagster
# An environment without pip, filled from the checked files only: of what the lock holds, the tools
# for tests and checks and the embedded PostgreSQL stay behind.
RUN python -m venv --without-pip /opt/audio-extract \
    && PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels \
        pip --python /opt/audio-extract/bin/python install --no-cache-dir ".[gcs]"

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin audio-extract \
    && install --directory --owner audio-extract --mode 0700 \
        /srv/audio-extract /srv/audio-extract/data /srv/audio-extract/data/dagster \
    && pip uninstall --yes --quiet --root-user-action ignore pip
COPY --from=builder /opt/audio-extract /opt/audio-extract
# Dagster wants its home absolute, and dagster.yaml reads the port.
ENV PATH=/opt/audio-extract/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DAGSTER_HOME=/srv/audio-extract/data/dagster \
    PG_PORT=5432
WORKDIR /srv/audio-extract
USER 10001
VOLUME /srv/audio-extract/data
EXPOSE 3000
# Of the UI. Other commands are run with --no-healthcheck or a --health-cmd of their own.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/server_info', timeout=5)"]
CMD ["dagster-webserver", "-m", "audio_extract_dagster.definitions", "-h", "0.0.0.0", "-p", "3000"]
