"""Which proxy is used for what. Certificates are tested where they are checked."""

from __future__ import annotations

import pytest

from audio_extract_dagster.errors import Never
from audio_extract_dagster.network.certificates import trusted_certificates
from audio_extract_dagster.network.proxies import Proxies, UnknownProxy

PROXY = "http://user:s3cret@proxy.example:3128"


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_another_machine_is_reached_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    assert Proxies().for_url("https://api.example/x") is None
    monkeypatch.setenv(variable, PROXY)
    proxies = Proxies()
    assert proxies.for_url("https://api.example/x") == PROXY
    assert proxies.for_requests("https://api.example/x")["https"] == PROXY


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/oauth/token",
        "http://localhost/x",
        "https://[::1]:8443/x",
        "https://exempt.example/x",
        "https://a.exempt.example/x",
        "https://10.1.2.3/x",
        "https://[s3cret",
        "https://host:port/",
        "",
    ],
)
def test_this_machine_and_what_is_exempt_are_not(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "exempt.example,10.0.0.0/8")
    proxies = Proxies()
    assert proxies.for_url(url) is None
    assert set(proxies.for_requests(url).values()) == {""}


def test_a_proxy_without_its_scheme_is_asked_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert Proxies().for_url("https://api.example") == "http://proxy.example:3128"


@pytest.mark.parametrize(
    "proxy", ["socks5://user:s3cret@proxy.example:1080", "gopher://x", "http://", "https://["]
)
def test_a_proxy_that_cannot_be_used_is_named_where_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "exempt.example")
    proxies = Proxies()
    assert proxies.for_url("http://127.0.0.1/") is None
    assert proxies.for_url("https://exempt.example/") is None
    with pytest.raises(UnknownProxy, match=r"HTTPS_PROXY .* api\.example") as caught:
        proxies.for_url("https://api.example/x?s3cret")
    assert isinstance(caught.value, Never)
    assert "s3cret" not in str(caught.value)


def test_certificates_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(Never, match="REQUESTS_CA_BUNDLE"):
        trusted_certificates()
