"""Plays in the 3.0.0 format as people keep them: every spelling the format allows, none of it new."""

HEAD = """
version: "3.0.0"
name: "kept_play"
description: |
  A play somebody keeps.
symbol: "BTCUSDT"
timeframes:
  low_tf: "15m"
  med_tf: "1h"
  high_tf: "D"
  exec: "low_tf"
account:
  starting_equity_usdt: 10000.0
  max_leverage: 3.0
  max_drawdown_pct: 30.0
  margin_mode: "isolated_usdt"
  min_trade_notional_usdt: 10.0
  fee_model:
    taker_bps: 5.5
    maker_bps: 2.0
  slippage_bps: 2.0
"""

CASES = (
    HEAD
    + """
features:
  ema_9:
    indicator: ema
    params: {length: 9}
  ema_21:
    indicator: ema
    params: {length: 21}
  ema_50_1h:
    indicator: ema
    params: {length: 50}
    tf: "1h"
  rsi_14: {indicator: rsi, params: {length: 14}}
  bbands_20_2: {indicator: bbands, params: {length: 20, std: 2.0}}
structures:
  exec:
    - type: swing
      key: swing
      params: {left: 5, right: 5, atr_key: atr_14}
    - type: trend
      key: trend
      uses: swing
    - type: market_structure
      key: ms
      depends_on: {swing: swing}
  high_tf:
    "D":
      - type: swing
        key: swing_D
        params: {left: 3, right: 3}
      - type: trend
        key: trend_D
        uses: [swing_D]
actions:
  - id: entry
    cases:
      - when:
          all:
            - ["ema_9", "cross_above", "ema_21"]
            - ["rsi_14", "<", 50]
            - ["trend.direction", "==", 1]
            - ["trend_D.direction", "in", [1, 0]]
            - [ms.choch_this_bar, ==, true]
            - [ms.choch_direction, ==, BULLISH]
        emit:
          - action: entry_long
            metadata:
              entry_atr: {feature_id: "rsi_14"}
              reason: "cross"
      - when:
          any:
            - ["ema_9", "crosses_below", "ema_21"]
            - lhs: {feature_id: "bbands_20_2", field: "percent_b"}
              op: gt
              rhs: 1.0
        emit:
          - action: entry_short
    else:
      emit:
        - action: no_action
  - id: exit
    cases:
      - when:
          any:
            - ["close", ">", "bbands_20_2.upper"]
            - lhs: {feature_id: "close"}
              op: near_pct
              rhs: {feature_id: "ema_50_1h"}
              tolerance: 0.5
        emit:
          - action: exit_long
            percent: 100
      - when:
          not:
            - ["rsi_14", ">", 40]
        emit:
          - action: exit_all
position_policy:
  mode: long_short
  exit_mode: first_hit
  max_positions_per_symbol: 1
  allow_flip: false
  allow_scale_in: false
  allow_scale_out: false
risk:
  stop_loss_pct: 3.0
  take_profit_pct: 6.0
  max_position_pct: 100.0
validation:
  pattern: "trend_stairs"
  bars: 500
expected:
  min_trades: 1
"""
)

WINDOWS = (
    HEAD
    + """
variables:
  fast_len: 9
  oversold: 30
features:
  ema_fast: {indicator: ema, params: {length: "{{ fast_len }}"}}
  volume_sma_20: {indicator: sma, source: volume, params: {length: 20}}
  atr_14: {indicator: atr, params: {length: 14}}
  rsi_14: {indicator: rsi, params: {length: 14}}
  macd_12_26_9: {indicator: macd, params: {fast: 12, slow: 26, signal: 9}}
structures:
  exec:
    - type: rolling_window
      key: rolling_high
      params: {mode: max, size: 20, source: high}
  med_tf:
    - type: swing
      key: swing_1h
setups:
  regime:
    all:
      - lhs: ["volume", "/", "volume_sma_20"]
        op: ">"
        rhs: 0.7
      - ["macd_12_26_9.histogram", ">", 0]
  pause:
    occurred_within:
      bars: 5
      anchor_tf: "1h"
      expr:
        - ["close", "<=", "ema_fast"]
actions:
  entry_long:
    all:
      - setup: regime
      - setup: pause
      - ["rsi_14", "between", [30, 50]]
      - ["close", ">", {"-": ["swing_1h.low_level", 10]}]
      - ["last_price", ">", "rolling_high.value"]
      - lhs: {feature_id: "rsi_14", offset: 1}
        op: "<"
        rhs: "{{ oversold }}"
      - holds_for_duration:
          duration: "1h"
          expr:
            - ["rsi_14", ">", 20]
      - count_true:
          bars: 20
          min_true: 15
          expr:
            - lhs: [["close", "-", "open"], "/", "open"]
              op: "lte"
              rhs: 0.01
  exit_long:
    - ["rsi_14", ">", 70]
    - ["close", "near_abs", "rolling_high.value", 50]
risk_model:
  stop_loss: {type: "atr_multiple", value: 2.0, atr_feature_id: "atr_14"}
  take_profit: {type: "rr_ratio", value: 2.0}
  sizing: {model: "risk_based", value: 1.0, max_leverage: 5.0}
entry:
  order_type: "LIMIT"
  limit_offset_pct: 0.05
  time_in_force: "GTC"
  expire_after_bars: 3
position_policy: {mode: "long_only", exit_mode: "first_hit"}
synthetic: {pattern: "range_wide", bars: 500, seed: 404}
date_range: {start: 2024-01-01, end: 2024-06-01}
risk_limits: {max_open: 1}
"""
)

LISTED = """
id: "listed"
version: 3.0.0
name: listed
symbol_universe: ["SOLUSDT"]
execution_tf: "15m"
features:
  - id: "ema_20"
    tf: "15m"
    type: indicator
    indicator_type: ema
    params: { length: 20 }
  - id: "adx_14_4h"
    tf: "4h"
    type: indicator
    indicator_type: adx
    params: { length: 14 }
structures:
  exec: []
actions:
  entry_short:
    - - close
      - <
      - ema_20
    - - adx_14_4h.adx
      - '>'
      - 25
risk_model:
  stop_loss: { type: trailing_pct, value: 1.5, activation_pct: 1.0 }
  take_profit: { type: fixed_points, value: 200 }
  break_even: { activation_pct: 1.0, offset_pct: 0.1 }
  sizing: { model: fixed_usdt, value: 1000 }
position_policy: { mode: short_only, exit_mode: sl_tp_only }
"""

REGIME = """
name: regime_markov_candidate_001
description: "Generated from Simons Markov knowledge"
features:
  ema_fast: { indicator: ema, params: { length: [8, 12, 20] } }
  ema_slow: { indicator: ema, params: { length: [50, 100, 200] } }
structures:
  exec:
    - type: trend
      key: regime
      params: { ema_length: [20, 50] }
actions:
  entry_long:
    all:
      - [regime.state, "=", trending_up]
      - [regime.transition, "=", recent]
      - [ema_fast, ">", ema_slow]
"""

DESIGN = """
version: "3.0.0"
name: trend_pullback
description: Buy pullbacks in an uptrend.
symbol: BTCUSDT
timeframes: { low_tf: 5m, med_tf: 1h, high_tf: D, exec: low_tf }
account: { starting_equity_usdt: 10000, max_leverage: 1, max_drawdown_pct: 30, margin_mode: isolated_usdt,
           fee_model: { taker_bps: 5.5, maker_bps: 2.0 }, slippage_bps: 2.0, min_trade_notional_usdt: 10, maintenance_margin_rate: 0.005 }
features:
  ema_fast: { indicator: ema, params: { length: [8, 12, 20] } }
  ema_slow: { indicator: ema, params: { length: { min: 50, max: 200, step: 10 } } }
  rsi:      { indicator: rsi, params: { length: 14 }, tf: 1h, source: close }
structures:
  exec:
    - { type: swing, key: swing, params: { left: 5, right: 5 } }
    - { type: trend, key: trend, uses: swing }
constraints:
  - [ema_fast.length, "<", ema_slow.length]
setups:
  uptrend: { all: [ [ema_fast, ">", ema_slow], [trend.direction, "==", 1] ] }
actions:
  entry_long: { all: [ {setup: uptrend}, [rsi, "<", { min: 25, max: 45, step: 5 }] ] }
  exit_long:  { any: [ [ema_fast, cross_below, ema_slow] ] }
risk: { stop_loss_pct: [1.0, 2.0, 3.0], take_profit_pct: { min: 1, max: 6 } }
position_policy: { mode: long_only, exit_mode: first_hit }
provenance: { source: technical, cites: ["Wilder 1978"], from: [] }
"""

ALL = {"cases": CASES, "windows": WINDOWS, "listed": LISTED, "regime": REGIME, "design": DESIGN}
