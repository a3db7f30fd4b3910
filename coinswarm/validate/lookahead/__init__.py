"""Look-ahead, proved not promised: nothing a play knows, wants or trades may lean on bars that had not happened yet."""

from coinswarm.validate.lookahead.checking import NAMES, LookaheadReport, ProbeVerdict, check
from coinswarm.validate.lookahead.engine import HONEST, Engine, Trading
from coinswarm.validate.lookahead.findings import Offence, Tie

__all__ = ["HONEST", "NAMES", "Engine", "LookaheadReport", "Offence", "ProbeVerdict", "Tie", "Trading", "check"]
