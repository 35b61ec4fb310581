"""What another policy would have earned: estimates from the log of the one that served, with a verdict."""

from .compare import Estimate, Report, compare
from .intervals import mean_interval
from .log import Log, Target
from .reward_model import CellMeans
from .support import Support, support_of
from .verdict import Verdict, judge

__all__ = [
    "CellMeans",
    "Estimate",
    "Log",
    "Report",
    "Support",
    "Target",
    "Verdict",
    "compare",
    "judge",
    "mean_interval",
    "support_of",
]
