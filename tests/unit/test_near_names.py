"""Names are suggested when one is near, and only then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.ledger import identity
from coinswarm.market import naming
from coinswarm.market.naming import Name
from coinswarm.printable import counted

STORED = [Name(1, "binance", "BTC/USDT", 300_000, synthetic=False), Name(2, "binance", "ETH/USDT", 300_000, synthetic=False)]


@given(st.text(max_size=12), st.lists(st.text(min_size=1, max_size=12), max_size=30))
def test_at_most_three_names_are_suggested_and_each_is_one_that_is_there(name, known):
    close = errors.nearest(name, known)
    assert len(close) <= 3
    assert set(close) <= set(known)
    assert errors.near_hint(name, known, listed="all").startswith("did you mean") == bool(close)


def test_where_no_name_is_near_the_hint_says_how_to_list_them():
    names = [f"figure_{number}" for number in range(24)]
    assert errors.not_found("figure", "zzz", names, listed="`list` shows all").hint == "`list` shows all"
    assert errors.not_found("figure", "zzz", names).hint == ""
    assert errors.not_found("section", "zzz", ["odds", "luck"]).hint == "there is odds, luck"
    assert errors.not_found("token", "zzz").hint == "there is no token yet"


def test_a_file_that_is_not_there_is_told_by_its_path():
    assert str(errors.no_file("plays/nofile.yml", ["trend.yml"])) == "file not found: plays/nofile.yml."
    assert errors.no_file("plays/trnd.yml", ["trend.yml"]).hint == "did you mean trend.yml?"


@pytest.mark.parametrize(
    ("market", "timeframe", "hint"),
    [
        ("DOGE/USDT", None, "`coinswarm bars fetch binance DOGE/USDT` fetches it"),
        ("doge-usdt", "1h", "`coinswarm bars fetch binance DOGE/USDT -t 1h` fetches it"),
        ("kraken:XMR/EUR:5m", None, "`coinswarm bars fetch kraken XMR/EUR -t 5m` fetches it"),
        ("BTCC/USDT", None, "did you mean binance:BTC/USDT:5m? If not, `coinswarm bars fetch binance BTCC/USDT` fetches it"),
        ("nonsense", None, "`coinswarm bars list` shows what is stored"),
    ],
)
def test_a_market_that_is_not_stored_can_be_fetched(market, timeframe, hint):
    assert naming.unknown(market, timeframe, STORED).hint == hint


def test_ids_are_not_guessed():
    assert identity.unknown("job", "evolve-1").hint == "`coinswarm jobs list` shows the newest"
    with pytest.raises(errors.Conflict, match=r"'9' matches several evaluations: 9a, 9b, 9c\. Hint: give more characters"):
        identity.only_match("evaluation", "9", ["9a", "9b", "9c", "9d"])


def test_counts_have_real_plurals():
    assert [counted(n, "job") for n in (0, 1, 2, 1000)] == ["0 jobs", "1 job", "2 jobs", "1,000 jobs"]
    assert counted(2, "campaign with a vault", "campaigns with a vault") == "2 campaigns with a vault"
