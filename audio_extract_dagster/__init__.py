"""audio-extract: every call recording of a Genesys Cloud contact centre, accounted for."""
