"""One small file of each source that is recognised, all of the same four made-up bars: 50 coins at 101 to 104, from 2024-01-01 00:00."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import polars as pl

START = 1_704_067_200_000  # 2024-01-01 00:00 UTC
STEP = 300_000
BARS = [(START + at * STEP, 100.5 + at, 103.5 + at, 98.5 + at, 101.5 + at, 50.0, 50 * (101.5 + at)) for at in range(4)]
"""Open time, open, high, low, close, coins, money."""


def text(head: str, rows: list[list[Any]], separator: str = ",", comment: str = "") -> bytes:
    lines = [comment, head, *(separator.join(map(str, row)) for row in rows)]
    return ("\n".join(line for line in lines if line) + "\n").encode()


def printed(ts: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).strftime(form)


def binance(scale: int = 1) -> list[list[Any]]:
    return [[t * scale, o, h, low, c, v, (t + STEP) * scale - 1, q, 9, 20, 20 * c, 0] for t, o, h, low, c, v, q in BARS]


def zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def crypto_data_download(unix: str) -> bytes:
    rows = [[t, printed(t), "BTC/USDT", o, h, low, c, v, q, 9] for t, o, h, low, c, v, q in BARS[::-1]]
    return text(
        f"{unix},date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount", rows, comment="https://www.CryptoDataDownload.com"
    )


def coin_market_cap() -> bytes:
    head = "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;circulatingSupply;timestamp"
    rows = []
    for t, o, h, low, c, _, q in BARS[::-1]:
        opened, closed = (f'"{printed(moment, "%Y-%m-%dT%H:%M:%S.000Z")}"' for moment in (t, t + STEP - 1000))
        rows.append([opened, closed, opened, opened, '"1"', o, h, low, c, q, 9e9, 1e7, closed])
    return text(head, rows, ";")


def okx_rows(*, newest_first: bool) -> list[list[Any]]:
    rows = [[t, o, h, low, c, 100 * v, v, q, 1] for t, o, h, low, c, v, q in BARS]
    return rows[::-1] if newest_first else rows


def frame() -> pd.DataFrame:
    rows = [(o, h, low, c, v) for _, o, h, low, c, v, _ in BARS]
    times = pd.to_datetime([t for t, *_ in BARS], unit="ms")
    return pd.DataFrame(rows, columns=["open", "high", "low", "close", "volume"], index=times)


def feather() -> bytes:
    packed = io.BytesIO()
    pl.from_pandas(frame().rename_axis("date").reset_index()).write_ipc(packed, compression="lz4")
    return packed.getvalue()


def parquet(table: pd.DataFrame) -> bytes:
    packed = io.BytesIO()
    table.to_parquet(packed)
    return packed.getvalue()


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def meta_trader(clock: str) -> list[list[Any]]:
    return [[printed(t, "%Y.%m.%d"), printed(t, clock), o, h, low, c] for t, o, h, low, c, *_ in BARS]


def records(names: str, *, newest_first: bool = False) -> list[dict[str, Any]]:
    rows = [dict(zip(names.split(), (t // 1000, o, h, low, c, v, q), strict=False)) for t, o, h, low, c, v, q in BARS]
    return rows[::-1] if newest_first else rows


def kraken(*, api: bool) -> list[list[Any]]:
    return [[t // 1000, *map(str, (o, h, low, c)), *([str(c)] if api else []), str(v), 9] for t, o, h, low, c, v, _ in BARS]


def dydx() -> list[dict[str, Any]]:
    rows = records("startedAt open high low close baseTokenVolume usdVolume", newest_first=True)
    return [
        {**row, "startedAt": printed(1000 * row["startedAt"], "%Y-%m-%dT%H:%M:%S.000Z"), "ticker": "BTC-USDT", "resolution": "5MINS"}
        for row in rows
    ]


def jesse() -> bytes:
    rows = [["a1-b2", t, o, c, h, low, v, "Binance Spot", "BTC-USDT", "5m"] for t, o, h, low, c, v, _ in BARS]
    return text("id,timestamp,open,close,high,low,volume,exchange,symbol,timeframe", rows)


def apart() -> bytes:
    rows = [[printed(t, "%Y-%m-%d"), printed(t, "%H:%M"), o, h, low, c, v] for t, o, h, low, c, v, _ in BARS]
    return text("Date;Time;Open;High;Low;Close;Volume", rows, ";")


def yahoo() -> bytes:
    return text("Date,Open,High,Low,Close,Adj Close,Volume", [[printed(t), o, h, low, c, c, q] for t, o, h, low, c, _, q in BARS])


_BINANCE = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
_OKX = "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm"
_META = "<DATE> <TIME> <OPEN> <HIGH> <LOW> <CLOSE> <TICKVOL> <VOL> <SPREAD>".replace(" ", "\t")
_BYBIT = {"symbol": "BTCUSDT", "category": "linear", "list": [list(map(str, row)) for row in BARS[::-1]]}
_MILLIS = [{**row, "time": 1000 * row["time"]} for row in records("time open high low close volume")]

SAMPLES: dict[str, list[tuple[str, bytes]]] = {
    "coinswarm": [("binance_BTC-USDT_5m.csv", text("ts,open,high,low,close,volume", [list(row[:6]) for row in BARS]))],
    "Binance archive, spot": [
        ("BTCUSDT-5m-2024-01.csv", text("", binance())),
        ("BTCUSDT-5m-2025-01.zip", zipped("BTCUSDT-5m-2025-01.csv", text("", binance(1000)))),
    ],
    "Binance archive, futures": [("BTCUSDT-5m-2024-01.zip", zipped("BTCUSDT-5m-2024-01.csv", text(_BINANCE, binance())))],
    "Binance API": [("klines.json", as_json([[row[0], *map(str, row[1:6]), *row[6:]] for row in binance()]))],
    "Kraken archive": [("XBTUSDT_5.csv", text("", kraken(api=False)))],
    "Kraken API": [("ohlc.json", as_json({"error": [], "result": {"XBTUSDT": kraken(api=True), "last": 1}}))],
    "Kraken futures API": [("candles.json", as_json({"candles": _MILLIS, "more_candles": False}))],
    "CryptoDataDownload": [("Binance_BTCUSDT_5m.csv", crypto_data_download("unix"))],
    "CryptoDataDownload, older": [("Gemini_BTCUSD.csv", crypto_data_download("Unix Timestamp"))],
    "CoinMarketCap": [("Bitcoin_historical.csv", coin_market_cap())],
    "OKX archive": [
        ("BTC-USDT.csv", text(_OKX, [["BTC-USDT-SWAP", *row[1:], row[0], 1] for row in (row[:-1] for row in okx_rows(newest_first=False))]))
    ],
    "OKX API": [("candles.json", as_json({"code": "0", "data": [list(map(str, row)) for row in okx_rows(newest_first=True)]}))],
    "Bybit API": [("kline.json", as_json({"retCode": 0, "result": _BYBIT}))],
    "Coinbase API": [("candles.json", as_json({"candles": records("start open high low close volume", newest_first=True)}))],
    "dYdX API": [("candles.json", as_json(dydx()))],
    "freqtrade": [("BTC_USDT-5m.feather", feather()), ("BTC_USDT_USDT-5m-futures.feather", feather())],
    "freqtrade or ccxt in JSON": [("BTC_USDT-5m.json", as_json([list(row[:6]) for row in BARS]))],
    "jesse": [("candles.csv", jesse())],
    "pandas index": [
        ("frame.csv", frame().to_csv().encode()),
        ("frame.parquet", parquet(frame())),
        ("named.parquet", parquet(frame().rename_axis("date"))),
        ("zoned.parquet", parquet(frame().tz_localize("UTC").tz_convert("America/New_York"))),
    ],
    "date and time apart": [("apart.csv", apart())],
    "MetaTrader 5": [("BTCUSDT_M5.csv", text(_META, [[*row, 50, 0, 3] for row in meta_trader("%H:%M:%S")], "\t"))],
    "MetaTrader 4, and Bybit's archive for it": [("BTCUSDT_5_2024-01-01.csv", text("", [[*row, 50] for row in meta_trader("%H:%M")]))],
    "Yahoo Finance": [("BTC-USD.csv", yahoo())],
}
"""Files by the name of their source: what they are called, and their bytes."""
