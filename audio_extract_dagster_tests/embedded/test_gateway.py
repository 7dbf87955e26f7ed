"""The gateway takes what the contact centre's takes, and refuses what that refuses."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from audio_extract_dagster.embedded.gateway import Gateway
from audio_extract_dagster_tests.fake_clock import FakeClock


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path / "messages") as gateway:
        yield gateway


def message(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Grabaciones del día",
        "subject": "Grabaciones 2024-01-05: 120 <ok>",
        "priority": "sendinblue",
        "htmlContent": "<p>Señal</p>",
        "to": [{"name": "", "email": "ops@example.com"}],
        **changes,
    }


def test_a_message_becomes_a_page(tmp_path: Path) -> None:
    with Gateway(tmp_path, clock=FakeClock()) as gateway:
        answer = requests.post(gateway.url, json=message(), timeout=10)
    assert answer.status_code == 201
    (page,) = tmp_path.iterdir()
    assert page.name == "20260311T110000000000-grabaciones-2024-01-05-120-ok.html"
    assert answer.json() == {"messageId": page.stem}
    content = page.read_text(encoding="utf-8")
    assert "<p>Señal</p>" in content
    assert "<title>Grabaciones 2024-01-05: 120 &lt;ok&gt;</title>" in content
    assert "ops@example.com" in content


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": "high"},
        {"to": []},
        {"to": "ops@example.com"},
        {"to": [{"email": "ops@example.com"}]},
        {"to": [{"name": "", "email": "nowhere"}]},
        {"title": ""},
        {"htmlContent": None},
        {"subject": 5},
        {"extra": "field"},
    ],
)
def test_what_is_not_the_contract_is_refused(gateway: Gateway, changes: dict[str, Any]) -> None:
    answer = requests.post(gateway.url, json=message(**changes), timeout=10)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_what_is_no_message_is_refused(gateway: Gateway) -> None:
    lacking = message()
    del lacking["title"]
    for body in (b"{", b"[]", b"\xff", b""):
        assert requests.post(gateway.url, data=body, timeout=10).status_code == 400
    assert requests.post(gateway.url, json=lacking, timeout=10).status_code == 400
    assert requests.get(gateway.url, timeout=10).status_code == 501


def test_faults_can_be_switched(gateway: Gateway, tmp_path: Path) -> None:
    gateway.answer = 503
    assert requests.post(gateway.url, json=message(), timeout=10).status_code == 503
    assert not (tmp_path / "messages").exists()
    gateway.answer = None
    assert requests.post(gateway.url, json=message(), timeout=10).status_code == 201


def test_no_message_is_lost_among_many(tmp_path: Path) -> None:
    with Gateway(tmp_path) as gateway, ThreadPoolExecutor(8) as threads:

        def post(number: int) -> int:
            return requests.post(
                gateway.url, json=message(title=str(number)), timeout=10
            ).status_code

        assert set(threads.map(post, range(40))) == {201}
    assert len(list(tmp_path.iterdir())) == 40


def test_a_subject_cannot_leave_the_folder(gateway: Gateway, tmp_path: Path) -> None:
    answer = requests.post(gateway.url, json=message(subject="../../é\0/x"), timeout=10)
    assert answer.status_code == 201
    (page,) = (tmp_path / "messages").iterdir()
    assert page.name.endswith("-é-x.html")
