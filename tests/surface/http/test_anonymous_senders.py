"""Places of senders who have proved nothing."""

import pytest

from gateway.surface.http.anonymous_senders import AnonymousSenders, network_of
from gateway.values.errors import TooManyCalls


def test_one_address_does_not_take_the_places_of_another():
    """An address has so many places, all together so many; a place that is left is free again."""
    strangers = AnonymousSenders(most_of_address=2, most=3)
    with strangers.place("192.0.2.1"), strangers.place("192.0.2.1"):
        with pytest.raises(TooManyCalls), strangers.place("192.0.2.1"):
            pass
        with strangers.place("192.0.2.2"), pytest.raises(TooManyCalls), strangers.place("192.0.2.3"):
            pass
        with strangers.place("192.0.2.3"):
            pass
    with strangers.place("192.0.2.1"):
        pass


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        (None, "no address"),
    ],
)
def test_one_subscriber_is_one(one, another):
    """The addresses that one subscriber can choose from are one sender."""
    assert network_of(one) == network_of(another)
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
