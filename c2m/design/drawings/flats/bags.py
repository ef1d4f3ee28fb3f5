"""Points of measure of what is carried."""

from c2m.design.drawings.flats.dimension import Dimension, Flat
from c2m.design.drawings.flats.tracing import Draft, Point


def _tote(draft: Draft) -> tuple[Dimension, ...]:
    half, tall = 0.215 * draft.number("width"), 0.40 * draft.number("height")
    drop, top = 0.25 * draft.number("handles"), 0.37 - 0.40 * draft.number("height")
    return (
        Dimension("袋口宽", "Opening width", ((-half, top), (half, top)), "on"),
        Dimension("袋底宽", "Base width", draft.across(0, 0.33), "below"),
        Dimension("袋身高", "Body height", ((half, 0.37 - tall), (half, 0.374)), "right"),
        Dimension("提手垂高", "Handle drop", ((-half * 0.46, top - drop * 0.94), (-half * 0.46, top)), "left"),
        Dimension("提手间距", "Between the handles", ((-half * 0.46, top + 0.1), (half * 0.46, top + 0.1)), "on"),
        Dimension(
            "提手宽", "Strap width", ((half * 0.46 - 0.016, top - 0.05), (half * 0.46 + 0.016, top - 0.05)), "on"
        ),
    )


def _backpack(draft: Draft) -> tuple[Dimension, ...]:
    half, top = 0.2 * draft.number("width"), -0.335 * draft.number("height")
    return (
        Dimension("包身宽", "Body width", ((-half, 0.05), (half, 0.05)), "on"),
        Dimension("包身高", "Body height", ((-half, top), (-half, 0.377)), "left"),
        Dimension("含侧袋全宽", "Width with side pockets", ((-half - 0.035, 0.3), (half + 0.035, 0.3)), "below"),
        Dimension("前袋宽", "Front pocket width", draft.across(0, 0.3)),
        Dimension("前袋高", "Front pocket height", ((half * 0.5, 0.075), (half * 0.5, 0.353)), "right"),
        Dimension("提把宽", "Grab handle width", ((-0.05, top - 0.03), (0.05, top - 0.03)), "above"),
    )


def _suitcase(draft: Draft) -> tuple[Dimension, ...]:
    half, top = 0.195 * draft.number("width"), -0.225 * draft.number("height")
    return (
        Dimension("箱体宽", "Case width", draft.across(0, 0.2), "below", 50),
        Dimension("箱体高", "Case height", ((-half, top), (-half, 0.345)), "left", 100),
        Dimension("含轮含提把全高", "Height with wheels and grip", ((half, top - 0.03), (half, 0.397)), "right", 100),
        Dimension("拉杆宽", "Trolley bar width", ((-half * 0.42, top - 0.09), (half * 0.42, top - 0.09)), "on", 20),
        Dimension("轮距", "Between the wheels", ((-half * 0.76, 0.397), (half * 0.76, 0.397)), "below", 40),
    )


def _suitcase_ribs(draft: Draft) -> tuple[tuple[Point, ...], ...]:
    half, top, base = 0.195 * draft.number("width"), -0.225 * draft.number("height"), 0.345
    if draft.choice("shell") == "vertical":
        spots = [half * 0.235 * (step + 0.5) for step in range(-4, 4)]
        return tuple(((x, top + 0.1), (x, base - 0.06)) for x in spots if abs(x) < half - 0.03)
    if draft.choice("shell") == "horizontal":
        levels = [top + 0.072 * (step + 0.25) for step in range(1, 8)]
        return tuple(((-half + 0.03, y), (half - 0.03, y)) for y in levels if top + 0.09 < y < base - 0.06)
    return ()


def _umbrella(draft: Draft) -> tuple[Dimension, ...]:
    half, tall = 0.40 * draft.number("width"), 0.30 * draft.number("dome")
    return (
        Dimension("撑开直径", "Span, open", ((-half, 0.0), (half, 0.0)), "below"),
        Dimension("伞面高", "Canopy height", ((-half, -tall), (-half, 0.0)), "left"),
        Dimension("全长", "Total length", ((half, -tall - 0.055), (half, 0.4)), "right"),
        Dimension("手柄长", "Handle length", ((0.1, 0.24), (0.1, 0.4)), "right"),
    )


def _phone_case(draft: Draft) -> tuple[Dimension, ...]:
    half = 0.172 * draft.number("width")
    return (
        Dimension("壳宽", "Width", ((-half, 0.36), (half, 0.36)), "below"),
        Dimension("壳高", "Height", ((-half, -0.36), (-half, 0.36)), "left"),
        Dimension("镜头框宽", "Camera frame width", draft.across(-half + 0.1, -0.25), "above"),
        Dimension("镜头框上边距", "Camera frame from top", ((-half + 0.1, -0.36), (-half + 0.1, -0.338)), "left"),
        Dimension("按键至顶", "Keys from top", ((half, -0.36), (half, -0.16)), "right"),
    )


BAGS = {
    "tote": Flat(880, 950, _tote, (), "", 5, 1.5),
    "backpack": Flat(740, 620, _backpack, (), "", 5, 1.5),
    "suitcase": Flat(
        960, 880, _suitcase, ("20″", "24″", "28″"), "20″", 5, 0.8, {"guards": "contrast"}, details=_suitcase_ribs
    ),
    "umbrella": Flat(1260, 1180, _umbrella, (), "", 5, 1.0),
    "phone_case": Flat(214, 207, _phone_case, (), "", 1, 0.3),
}
