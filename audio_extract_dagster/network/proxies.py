"""Through which proxy: what the environment names (`HTTPS_PROXY`, `NO_PROXY` and their kin)."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies

from requests.utils import select_proxy, should_bypass_proxies

from audio_extract_dagster.errors import Never
from audio_extract_dagster.network.loopback import is_loopback


class UnknownProxy(Never):
    """The environment names a proxy that cannot be used."""


class Proxies:
    """The proxies that the environment or the operating system names, read once.

    None is ever used for this machine: what may go there in the clear would be seen by the proxy.
    """

    def __init__(self) -> None:
        self._named = {scheme: proxy for scheme, proxy in getproxies().items() if scheme != "no"}

    def for_url(self, url: str) -> str | None:
        """The proxy on the way to `url`, None for none; it may hold a password.

        Raises `UnknownProxy` if it is one that cannot be used.
        """
        if not self._named:
            return None
        try:
            parts = urlsplit(url)
            if is_loopback(parts.hostname) or should_bypass_proxies(url, no_proxy=None):
                return None
        except ValueError:  # not a URL: it leads nowhere
            return None
        proxy = select_proxy(url, self._named)
        return _usable(proxy, parts.scheme, parts.hostname) if proxy else None

    def for_requests(self, url: str) -> dict[str, str]:
        """The same for `requests`, which asks the environment itself where nothing is said."""
        return dict.fromkeys(("http", "https"), self.for_url(url) or "")


def _usable(proxy: str, scheme: str, host: str | None) -> str:
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    kind = proxy.partition("://")[0]
    try:
        if kind.lower() in ("http", "https") and urlsplit(proxy).hostname:
            return proxy
    except ValueError:
        pass
    raise UnknownProxy(
        f"{scheme.upper()}_PROXY (or ALL_PROXY) names a proxy that cannot be used (it begins with "
        f"{kind}://). Name an http:// or https:// proxy, or exempt {host} in NO_PROXY."
    )
