"""What an account did: the arrays all figures are computed from."""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm import check, errors
from coinswarm.types import BoolArray, FloatArray


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class History:
    """An account from its first decision bar to its last bar. Money is in quote currency.

    Attributes:
        starting_equity: account value before the first bar; above 0.
        equity: (n_obs,) account value at the close of each bar.
        in_position: (n_obs,) whether the bar ended in a position.
        periods_per_year: bars in 365.25 days of the time they span, see `Bars.periods_per_year`.
        pnl: (n_trades,) net result of each closed trade.
        trade_returns: (n_trades,) the same over the entry notional.
        bars_held: (n_trades,) exit bar minus entry bar.
        traded: notional of all fills.
        fees, slippage, funding: paid, those of an open position included; negative funding was received.
        n_open, n_rejected, n_liquidated, n_gaps: counts as docs/simulation.md has them.
    """

    starting_equity: float
    equity: FloatArray
    in_position: BoolArray
    periods_per_year: float
    pnl: FloatArray
    trade_returns: FloatArray
    bars_held: FloatArray
    traded: float = 0.0
    fees: float = 0.0
    slippage: float = 0.0
    funding: float = 0.0
    n_open: int = 0
    n_rejected: int = 0
    n_liquidated: int = 0
    n_gaps: int = 0

    def __post_init__(self) -> None:
        check.vector(self.equity, "equity")
        check.positive(self.starting_equity, "starting_equity")
        check.positive(self.periods_per_year, "periods_per_year")
        if self.in_position.shape != self.equity.shape:
            raise errors.ShapeMismatch("in_position must have one value per equity value", found=self.in_position.shape)
        if not self.pnl.shape == self.trade_returns.shape == self.bars_held.shape:
            raise errors.ShapeMismatch("pnl, trade_returns and bars_held must have one value per closed trade")

    @property
    def years(self) -> float:
        """Length of the history in years of 365.25 days."""
        return self.equity.size / self.periods_per_year
