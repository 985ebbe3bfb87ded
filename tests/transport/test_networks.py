"""Which addresses may be called."""

import pytest

from gateway.transport.networks import is_permitted, networks

PUBLIC = [
    "93.184.215.14",
    "8.8.8.8",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
]
REFUSED = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",  # carrier-grade NAT
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # a cloud's metadata service
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    """An address on the public internet may be called without being named."""
    assert is_permitted(address, ())


@pytest.mark.parametrize("address", REFUSED)
def test_refused(address):
    """An address that is private, reserved, or hides another one may not be called unless it is named."""
    assert not is_permitted(address, ())


@pytest.mark.parametrize("address", REFUSED)
def test_named_by_the_operator(address):
    """Naming everything allows everything, so each refusal above is the rule's and not an accident of parsing."""
    assert is_permitted(address, networks(["0.0.0.0/0", "::/0"]))


@pytest.mark.parametrize(
    ("expected", "address"),
    [
        (True, "10.1.2.3"),
        (True, "::ffff:10.1.2.3"),
        (False, "10.2.0.1"),
        (False, "127.0.0.1"),
        (True, "fd00::5"),
        (False, "fd00::6"),
        (True, "8.8.8.8"),
    ],
)
def test_allow_opens_only_what_it_names(expected, address):
    """A named network opens itself, also for its addresses written as IPv6, and nothing beside it."""
    assert expected is is_permitted(address, networks(["10.1.0.0/16", "fd00::5"]))


@pytest.mark.parametrize("text", ["10.1.2.3/8", "localhost", "", "10.0.0.0/33", "10.0.0.0-10.0.0.9"])
def test_no_network(text):
    """What is no network, or has bits set beyond its prefix, is refused and not read somehow."""
    with pytest.raises(ValueError, match=r"does not appear to be|has host bits set"):
        networks([text])


def test_no_address():
    """A host name is no address: the rule is asked about what would be connected to."""
    with pytest.raises(ValueError, match="does not appear to be"):
        is_permitted("localhost", ())
