"""One linear or mixed-integer program handed to HiGHS, and its answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray

INFINITY = highspy.kHighsInf
LARGEST_INT = 2**31 - 1

Vector = NDArray[np.float64]


@dataclass(slots=True)
class Program:
    """A minimisation built column by column and row by row."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    index: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def column(self, cost: float, lower: float, upper: float, integer: bool = False) -> int:
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.cost) - 1

    def row(self, lower: float, upper: float, terms: Sequence[tuple[int, float]]) -> int:
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        for column, factor in terms:
            self.index.append(column)
            self.value.append(factor)
        self.starts.append(len(self.index))
        return len(self.row_lower) - 1

    def passed(self) -> highspy.HighsLp:
        """The program as HiGHS takes it."""
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.row_lower)
        lp.col_cost_ = np.array(self.cost, dtype=np.float64)
        lp.col_lower_ = np.array(self.lower, dtype=np.float64)
        lp.col_upper_ = np.array(self.upper, dtype=np.float64)
        lp.row_lower_ = np.array(self.row_lower, dtype=np.float64)
        lp.row_upper_ = np.array(self.row_upper, dtype=np.float64)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(self.starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(self.index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(self.value, dtype=np.float64)
        if any(self.integer):
            kinds = {True: highspy.HighsVarType.kInteger, False: highspy.HighsVarType.kContinuous}
            lp.integrality_ = [kinds[integer] for integer in self.integer]
        return lp


@dataclass(frozen=True, slots=True)
class Answer:
    """What HiGHS found: `values` is None without a feasible point, `bound` holds for a MIP only (−∞ if none)."""

    values: Vector | None
    row_duals: Vector | None
    bound: float
    finished: bool
    infeasible: bool
    timed_out: bool
    iterations: int


def minimise(
    program: Program,
    *,
    seconds: float,
    seed: int = 0,
    nodes: float = INFINITY,
    gap: float = 0.0,
    start: Vector | None = None,
    presolve: bool = True,
    interrupted: Callable[[], bool] | None = None,
) -> Answer:
    """Solve a program within a time and, for a MIP, a number of nodes, from a feasible start if there is one.

    Runs on the calling thread alone, so that solves on different threads don't meet. `interrupted` is asked now and
    then, and ends the run.
    """
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | float | str] = {
        "output_flag": False,
        "threads": 1,
        "parallel": "off",
        "random_seed": seed % LARGEST_INT,
        "time_limit": max(0.01, seconds),
        "mip_rel_gap": gap,
        "mip_abs_gap": 1e-6,
        "presolve": "choose" if presolve else "off",
    }
    if nodes < LARGEST_INT:
        options["mip_max_nodes"] = int(nodes)
    for name, option in options.items():
        highs.setOptionValue(name, option)
    highs.passModel(program.passed())
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        highs.setSolution(solution)
    if interrupted is not None:

        def look_up(event: highspy.highs.HighsCallbackEvent) -> None:
            if interrupted():
                event.interrupt()

        highs.cbSimplexInterrupt += look_up
        highs.cbMipInterrupt += look_up
    highs.run()
    status, info = highs.getModelStatus(), highs.getInfo()
    infeasible = status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    solution = highs.getSolution()
    is_mip = any(program.integer)
    return Answer(
        values=np.array(solution.col_value) if found else None,
        row_duals=np.array(solution.row_dual) if found and not is_mip else None,
        bound=float(info.mip_dual_bound) if is_mip else -INFINITY,
        finished=status == highspy.HighsModelStatus.kOptimal,
        infeasible=infeasible,
        timed_out=status in (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt),
        iterations=max(0, int(info.simplex_iteration_count)),
    )
