"""Whose certificates are trusted: what the environment names (`REQUESTS_CA_BUNDLE` and its kin)."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from audio_extract_dagster.errors import Never


@dataclass(frozen=True)
class Trust:
    """Certificates of authorities: as PEM text, and in a folder of hashed names."""

    pem: str
    folder: str | None


def named_certificates() -> str | None:
    """The file or folder of certificates that the environment names, as `requests` reads it."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(variable):
            if not Path(path).exists():
                raise Never(f"{variable} names a file or folder of certificates that is not there.")
            return path
    return None


def trusted_certificates() -> Trust:
    """Those that are named, or those of `requests`; and those of the operating system."""
    named = named_certificates()
    context = ssl.create_default_context()
    folder = ssl.get_default_verify_paths().capath
    if named and Path(named).is_dir():
        folder = named
    else:
        context.load_verify_locations(named or DEFAULT_CA_BUNDLE_PATH)
    certificates = context.get_ca_certs(binary_form=True)
    return Trust("".join(map(ssl.DER_cert_to_PEM_cert, certificates)), folder)
