from audio_extract_dagster.database.migrate import schema_is_current
import pytest


@pytest.mark.parametrize("n", range(5))
def test_x(engine, n):
    assert schema_is_current(engine)
