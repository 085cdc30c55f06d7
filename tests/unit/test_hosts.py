"""Of which server an address is: read at a glance where it is written plainly, and then just as the outbound client reads it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from parvis.base import http
from parvis.base.errors import Upstream
from parvis.federation import jsonld

label = st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True) | st.sampled_from(["0x1f", "127", "1", "xn--bcher-kva", "a" * 63, "a" * 64])
octet = st.integers(0, 300).map(str) | st.sampled_from(["00", "01", "0x7f"])
name = st.lists(label, min_size=1, max_size=5).map(".".join) | st.lists(octet, min_size=3, max_size=5).map(".".join)
port = st.none() | st.sampled_from(["80", "443", "0", "080", "8080", "65535", "65536", "99999", "", "x"])
path = st.sampled_from(["", "/", "/users/1", "/a//b", "/%2F?q=1#f", "?q", "#f", "/a b", "/é", "/@x", "/" + "a" * 2100, "\\@evil.example/", "/["])
addresses = st.builds(
    lambda scheme, user, host, number, rest: f"{scheme}://{user}{host}{'' if number is None else ':' + number}{rest}",
    st.sampled_from(["http", "https"]), st.sampled_from(["", "", "", "u@", "u:p@"]), name, port, path,
)


@settings(max_examples=2000, deadline=None)
@given(addresses | addresses.map(str.upper) | st.text(max_size=40).map("https://".__add__))
def test_what_is_read_at_a_glance_is_what_the_client_reads(uri: str) -> None:
    try:
        wanted = http.parsed(uri).raw_authority if uri.startswith(("http://", "https://")) else ""
    except Upstream:
        wanted = ""
    assert jsonld.host(uri) == wanted
