"""The optimiser: `solve(problem, stop, seed, params) -> Plan`, free of database and web."""

from c2m.matching.optimiser.check import InvalidPlan, check
from c2m.matching.optimiser.generate import generate
from c2m.matching.optimiser.interchange import plan_document, read_problem, write_plan, write_problem
from c2m.matching.optimiser.params import QUICK, THOROUGH, Params
from c2m.matching.optimiser.plan import Allocation, Backup, CostSplit, Plan, Reason, Status, Unserved
from c2m.matching.optimiser.problem import (
    Factory,
    Frozen,
    Horizon,
    Line,
    Load,
    Offer,
    Problem,
    Rate,
    Settings,
    Sheet,
    Tier,
    Variant,
)
from c2m.matching.optimiser.solve import solve
from c2m.matching.optimiser.stop import Stop
from c2m.matching.optimiser.validation import InvalidProblem, validate

__all__ = [
    "QUICK",
    "THOROUGH",
    "Allocation",
    "Backup",
    "CostSplit",
    "Factory",
    "Frozen",
    "Horizon",
    "InvalidPlan",
    "InvalidProblem",
    "Line",
    "Load",
    "Offer",
    "Params",
    "Plan",
    "Problem",
    "Rate",
    "Reason",
    "Settings",
    "Sheet",
    "Status",
    "Stop",
    "Tier",
    "Unserved",
    "Variant",
    "check",
    "generate",
    "plan_document",
    "read_problem",
    "solve",
    "validate",
    "write_plan",
    "write_problem",
]
