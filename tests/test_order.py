"""The order in which the files of tests begin."""

from tests.demonstration import ROOT
from tests.order import kept


def test_each_file_is_there():
    """What is known of a file that is gone, or has another name, orders nothing: every file that is named is there."""
    assert [] == [file for file in kept() if not (ROOT / file).is_file()]


def test_the_longest_begin(request):
    """Of the files that are known to take long, none begins after one that takes less."""
    files = dict.fromkeys(item.nodeid.partition("::")[0] for item in request.session.items)
    seconds = [kept()[file] for file in files if file in kept()]
    assert sorted(seconds, reverse=True) == seconds
