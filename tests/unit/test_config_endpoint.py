"""Which addresses of a store are willing to be talked to."""

from __future__ import annotations

import pytest

from repatria.config.endpoint import checked_endpoint, same_machine


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://s3.hamar.example.net", "https://s3.hamar.example.net"),
        ("https://S3.Hamar.Example.NET/", "https://s3.hamar.example.net"),
        ("https://store:443", "https://store"),
        ("https://store:9000", "https://store:9000"),
        ("https://10.1.2.3", "https://10.1.2.3"),
        ("http://127.0.0.1:5001", "http://127.0.0.1:5001"),
        ("http://127.8.8.8:80", "http://127.8.8.8"),
        ("http://localhost:9000/", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("https://[2001:db8::7]", "https://[2001:db8::7]"),
    ],
)
def test_an_endpoint_is_brought_to_one_form(written: str, meant: str) -> None:
    assert checked_endpoint(written) == meant
    assert checked_endpoint(meant) == meant


@pytest.mark.parametrize(
    "written",
    [
        "http://s3.example.net",
        "http://10.0.0.1:9000",
        "http://[2001:db8::7]",
        "http://localhost.example.net",
        "http://127.0.0.1.example.net",
        "ftp://s3.example.net",
        "s3.example.net",
        "//s3.example.net",
        "https://",
        "https://user@s3.example.net",
        "https://user:hunter2@s3.example.net",
        "https://dublin-1@169.254.169.254",
        "https://s3.example.net/path",
        "https://s3.example.net?x=1",
        "https://s3.example.net/?",
        "https://s3.example.net#x",
        "https://s3.example.net\\@other",
        "https://s3.example.net:0",
        "https://s3.example.net:99999",
        "https://s3.example.net:port",
        "https://s3 .example.net",
        "https://s3.exam\nple.net",
        "https://s3.exämple.net",
        "https://s3_x.example.net",
        "https://-s3.example.net",
        "https://s3.example.net.",
        "https://169.254.169.254",
        "http://169.254.169.254",
        "https://169.254.170.2",
        "https://[fe80::1]",
        "https://[fe80::1%25eth0]",
        "https://[::ffff:169.254.169.254]",
        "https://[fd00:ec2::254]",
        "https://100.100.100.200",
        "https://metadata.google.internal",
        "https://0.0.0.0",
        "https://[::]",
        "https://224.0.0.1",
        "http://2852039166",
        "https://2852039166",
        "https://127.1",
        "http://127.1",
        "http://0x7f.1",
        "https://0x7f000001",
        "https://0251.0376.0251.0376",
        "http://127.0.0.01",
        "https://store.0x1f",
        "https://[::1",
        "https://" + "a" * 600,
    ],
)
def test_an_endpoint_that_leads_astray_is_refused_and_not_shown(written: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        checked_endpoint(written)
    assert "hunter2" not in str(caught.value)


def test_every_name_of_this_machine_is_one() -> None:
    names = ["http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]:9000"]
    assert {same_machine(name) for name in names} == {"loopback:9000"}
    assert same_machine("http://localhost:9001") == "loopback:9001"
    assert same_machine("https://store") == "store:443"
