"""The optimiser: `solve(problem, stop, seed, params) -> Plan`, free of database and web."""

from c2m.matching.optimiser.check import InvalidPlan, check
from c2m.matching.optimiser.crew import Crew, Hire, crew_of
from c2m.matching.optimiser.generate import generate
from c2m.matching.optimiser.interchange import (
    explanation_document,
    plan_document,
    read_problem,
    write_plan,
    write_problem,
)
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
from c2m.matching.optimiser.reasons import Considered, Explanation, Regret, Standing, Unlock, explain, regret_without
from c2m.matching.optimiser.solve import Progress, solve
from c2m.matching.optimiser.stop import Stop
from c2m.matching.optimiser.validation import InvalidProblem, validate

__all__ = [
    "QUICK",
    "THOROUGH",
    "Allocation",
    "Backup",
    "Considered",
    "CostSplit",
    "Crew",
    "Explanation",
    "Factory",
    "Frozen",
    "Hire",
    "Horizon",
    "InvalidPlan",
    "InvalidProblem",
    "Line",
    "Load",
    "Offer",
    "Params",
    "Plan",
    "Problem",
    "Progress",
    "Rate",
    "Reason",
    "Regret",
    "Settings",
    "Sheet",
    "Standing",
    "Status",
    "Stop",
    "Tier",
    "Unlock",
    "Unserved",
    "Variant",
    "check",
    "crew_of",
    "explain",
    "explanation_document",
    "generate",
    "plan_document",
    "read_problem",
    "regret_without",
    "solve",
    "validate",
    "write_plan",
    "write_problem",
]
