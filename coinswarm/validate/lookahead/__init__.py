"""Look-ahead checks: nothing that a play computes, decides or trades may depend on later bars."""

from coinswarm.validate.lookahead.checking import NAMES, LookaheadReport, ProbeVerdict, check
from coinswarm.validate.lookahead.engine import HONEST, Engine, Trading
from coinswarm.validate.lookahead.findings import Offence, Tie

__all__ = ["HONEST", "NAMES", "Engine", "LookaheadReport", "Offence", "ProbeVerdict", "Tie", "Trading", "check"]
