"""Lists of servers as Mastodon exports them, and whatever else may come under that name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.base.errors import Invalid
from parvis.borders import policy
from parvis.borders.model import Entry

EXPORT = """#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
Bad.example,suspend,True,true,"Spam, and worse",false
loud.example,silence,false,false,,false
small.example,noop,true,false,Pictures,false
b*d.ex*mple,suspend,false,false,hidden,true
home.example,suspend,false,false,ourselves,false
odd.example,banish,false,false,,false
loud.example,suspend,false,false,again,false
bücher.example,suspend,,,,
"""


def test_a_list_as_mastodon_exports_it() -> None:
    assert policy.entries("\ufeff" + EXPORT, "home.example") == [
        Entry("bad.example", "suspend", True, True, "Spam, and worse"),
        Entry("loud.example", "suspend", False, False, "again"),  # the last word on a server counts
        Entry("small.example", "noop", True, False, "Pictures"),
        Entry("xn--bcher-kva.example", "suspend", False, False, ""),
    ]


def test_a_plain_list_of_names_and_columns_in_another_order() -> None:
    assert [one.domain for one in policy.entries("a.example\r\n\r\nB.example\n", "home.example")] == ["a.example", "b.example"]
    assert policy.entries("severity,domain\nsilence,a.example\n", "home.example") == [Entry("a.example", "silence", False, False, "")]


@pytest.mark.parametrize("text", ["", "\n\n", "#domain,#severity\n", "<html><body>Not found</body></html>", 'a.example,"open', "home.example\n"])
def test_what_is_no_list_is_none(text: str) -> None:
    with pytest.raises(Invalid, match="not_a_list"):
        policy.entries(text, "home.example")


def test_a_list_may_not_be_endless() -> None:
    with pytest.raises(Invalid, match="not_a_list"):
        policy.entries("\n".join(f"s{number}.example" for number in range(policy.ENTRIES + 1)), "home.example")


@given(st.text(max_size=300))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    try:
        found = policy.entries(text, "home.example")
    except Invalid:
        return
    assert all("\x00" not in one.domain + one.comment and len(one.comment) <= 5000 for one in found)


@pytest.mark.parametrize(("name", "url"), [("", None), ("x" * 101, None), ("Ours", "http://lists.example/x.csv"), ("Ours", "https://"),
                                           ("Ours", "https://[x"), ("Ours", "https://lists.example/" + "x" * 2000)])
def test_a_list_has_a_name_and_an_address_on_the_web(name: str, url: str | None) -> None:
    with pytest.raises(Invalid):
        policy.may_subscribe(name, url)
