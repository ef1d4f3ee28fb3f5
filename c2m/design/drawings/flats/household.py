"""Points of measure of what stands, hangs or lies in a home."""

from c2m.design.drawings.flats.dimension import Dimension, Flat
from c2m.design.drawings.flats.tracing import Draft, Point


def _mug(draft: Draft) -> tuple[Dimension, ...]:
    radius, tall = 0.185 * draft.number("width"), 0.38 * draft.number("height")
    top, base, x = -tall / 2 + 0.01, tall / 2 + 0.01, -0.045
    mouth = radius * (0.9 if draft.choice("body") == "barrel" else 1.0)
    foot = radius * {"straight": 0.9, "tapered": 0.74, "barrel": 0.78}[draft.choice("body")]
    reach = x + radius * 0.93
    return (
        Dimension("口径（外）", "Mouth diameter, outer", ((x - mouth, top), (x + mouth, top)), "above"),
        Dimension("底径", "Base diameter", ((x - foot, base), (x + foot, base)), "below"),
        Dimension("杯高", "Height", ((x - mouth, top), (x - mouth, base)), "left"),
        Dimension("把手外伸", "Handle reach", ((x + radius, 0.05), (reach + 0.143, 0.05)), "below"),
        Dimension(
            "把手高", "Handle height", ((reach + 0.1, -0.37 * tall - 0.018), (reach + 0.1, 0.30 * tall)), "right"
        ),
    )


def _bottle(draft: Draft) -> tuple[Dimension, ...]:
    radius, top = 0.108 * draft.number("width"), 0.385 - 0.56 * draft.number("height")
    neck = radius * 0.62
    if draft.choice("body") == "tumbler":
        return (
            Dimension("杯径（上）", "Diameter at the top", ((-radius * 1.12, top + 0.06), (radius * 1.12, top + 0.06))),
            Dimension("底径", "Base diameter", ((-radius * 0.88, 0.385), (radius * 0.88, 0.385)), "below"),
            Dimension("杯高（不含吸管）", "Height without straw", ((-radius, top + 0.01), (-radius, 0.385)), "left"),
            Dimension("吸管外露", "Straw above the lid", ((radius, top - 0.13), (radius, top + 0.01)), "right"),
        )
    return (
        Dimension("瓶身直径", "Body diameter", draft.across(0, 0.2), "below"),
        Dimension("总高（含盖）", "Total height with cap", ((-radius, top - 0.11), (-radius, 0.385)), "left"),
        Dimension("瓶身高", "Body height", ((radius, top), (radius, 0.385)), "right"),
        Dimension("盖高", "Cap height", ((neck, top - 0.11), (neck, top - 0.012)), "right"),
        Dimension("盖径", "Cap diameter", ((-neck * 1.08, top - 0.09), (neck * 1.08, top - 0.09)), "above"),
    )


def _teapot(draft: Draft) -> tuple[Dimension, ...]:
    (left, _), (right, _) = draft.extent()
    belly, tall = 0.2 * draft.number("width"), 0.29 * draft.number("height")
    top, neck = 0.24 - tall, belly * 0.52
    return (
        Dimension("壶身直径", "Belly diameter", draft.across(0, 0.24 - tall * 0.48)),
        Dimension("含嘴含把全宽", "Overall width", ((left, 0.24), (right, 0.24)), "below"),
        Dimension("含钮全高", "Height with knob", ((left, top - 0.1), (left, 0.24)), "left"),
        Dimension("壶身高", "Body height", ((right, top), (right, 0.24)), "right"),
        Dimension("盖径", "Lid diameter", ((-neck * 1.04, top + 0.006), (neck * 1.04, top + 0.006)), "above"),
    )


def _cup_holder(draft: Draft) -> tuple[Dimension, ...]:
    is_double = draft.choice("cups") == "double"
    half, tall = (0.30 if is_double else 0.185) * draft.number("width"), 0.155 * draft.number("depth")
    well, x = half * 0.86 * (0.37 if is_double else 0.72), half * 0.47 if is_double else 0.0
    return (
        Dimension("托盘直径", "Tray diameter", ((-half, -0.1), (half, -0.1)), "below"),
        Dimension("杯孔内径", "Well diameter, inner", ((x - well, -0.1), (x + well, -0.1)), "above"),
        Dimension("托盘高", "Tray height", ((half, -0.1), (half, -0.1 + tall)), "right"),
        Dimension("总高", "Total height", ((-half, -0.1), (-half, 0.14 + tall)), "left"),
        Dimension("杆径", "Stem diameter", ((-0.05, tall + 0.0), (0.05, tall + 0.0))),
    )


def _towel(draft: Draft) -> tuple[Dimension, ...]:
    low = 0.35 * draft.number("size")
    return (
        Dimension("巾宽", "Width", draft.across(0, 0.12)),
        Dimension("巾长（展开）", "Length, unfolded", ((-0.2, -0.33), (-0.2, low + 0.006)), "left", times=2),
        Dimension("缎档高", "Woven border height", ((0.2, low - 0.085), (0.2, low - 0.045)), "right"),
        Dimension("缎档至边", "Border from the edge", ((0.2, low - 0.045), (0.2, low + 0.006)), "right"),
    )


def _towel_border(draft: Draft) -> tuple[tuple[Point, ...], ...]:
    low, half = 0.35 * draft.number("size"), 0.215 * draft.number("width")
    steps = [step / 10 for step in range(-10, 11)]
    return tuple(
        tuple((half * t, y + 0.012 * (1 - t * t)) for t in steps) for y in (low - 0.085, low - 0.065, low - 0.045)
    )


def _cushion(draft: Draft) -> tuple[Dimension, ...]:
    a, b = 0.315 * draft.number("width"), 0.30 * draft.number("height")
    dimensions = (
        Dimension("套宽（角至角）", "Cover width, corner to corner", ((-a, b), (a, b)), "below", 50),
        Dimension("套高（角至角）", "Cover height, corner to corner", ((-a, -b), (-a, b)), "left", 50),
        Dimension("中宽（充绒后）", "Width at the middle, filled", draft.across(0, 0.0), grade=45),
    )
    if draft.choice("trim") in ("plain", "button"):
        return dimensions
    return (*dimensions, Dimension("滚边直径", "Piping diameter", ((-0.00625, b - 0.02), (0.00625, b - 0.02))))


def _plush(draft: Draft) -> tuple[Dimension, ...]:
    (left, top), (right, low) = draft.extent()
    size, body = draft.number("head"), draft.number("body")
    return (
        Dimension("坐高（含耳）", "Sitting height with ears", ((left, top), (left, low)), "left"),
        Dimension("头宽", "Head width", ((-0.182 * size, -0.125), (0.182 * size, -0.125)), "above"),
        Dimension("头高", "Head height", ((0.182, -0.125 - 0.158 * size), (0.182, -0.125 + 0.158 * size)), "right"),
        Dimension("身宽", "Body width", ((-0.165 * body, 0.165), (0.165 * body, 0.165))),
        Dimension("脚距（外）", "Across the feet", ((left, low), (right, low)), "below"),
    )


def _lamp(draft: Draft) -> tuple[Dimension, ...]:
    wide, tall = 0.2 * draft.number("shade_width"), 0.235 * draft.number("shade_height")
    ratio = {"cone": 0.55, "drum": 0.9, "empire": 0.4}[draft.choice("shade")]
    low = -0.36 + tall
    foot = {"column": 0.104, "gourd": 0.07, "vase": 0.078}[draft.choice("base")]
    return (
        Dimension("灯罩上径", "Shade, top diameter", ((-wide * ratio, -0.36), (wide * ratio, -0.36)), "above"),
        Dimension("灯罩下径", "Shade, bottom diameter", ((-wide, low), (wide, low))),
        Dimension("灯罩高", "Shade height", ((wide, -0.36), (wide, low)), "right"),
        Dimension("灯座高", "Base height", ((wide, low), (wide, 0.4)), "right"),
        Dimension("总高", "Total height", ((-wide, -0.36), (-wide, 0.4)), "left"),
        Dimension("底座直径", "Foot diameter", ((-foot, 0.4), (foot, 0.4)), "below"),
    )


def _chair(draft: Draft) -> tuple[Dimension, ...]:
    wide, top = 0.2 * draft.number("width"), -0.385 * draft.number("back")
    return (
        Dimension("座宽", "Seat width", ((-wide * 1.1, 0.12), (wide * 1.1, 0.12))),
        Dimension("背宽", "Back width", draft.across(0, top + 0.2)),
        Dimension("座高", "Seat height", ((wide * 1.04, 0.05), (wide * 1.04, 0.395)), "right"),
        Dimension("总高", "Total height", ((-wide, top), (-wide, 0.395)), "left"),
        Dimension(
            "前脚距（外）", "Across the front legs", ((-wide * 0.88 - 0.03, 0.395), (wide * 0.9 + 0.03, 0.395)), "below"
        ),
    )


HOUSEHOLD = {
    "mug": Flat(232, 250, _mug, (), "", 1, 1.0),
    "bottle": Flat(340, 375, _bottle, (), "", 1, 1.0, {"body": "round"}),
    "teapot": Flat(330, 330, _teapot, (), "", 1, 1.5),
    "cup_holder": Flat(270, 330, _cup_holder, (), "", 1, 0.8),
    "towel": Flat(1500, 1000, _towel, (), "", 5, 2.0, always={"arrangement": "hung"}, details=_towel_border),
    "cushion": Flat(715, 750, _cushion, ("40×40", "45×45", "50×50"), "45×45", 5, 1.5),
    "plush": Flat(480, 480, _plush, (), "", 5, 2.0),
    "lamp": Flat(640, 640, _lamp, (), "", 1, 1.0),
    "chair": Flat(1060, 1200, _chair, (), "", 5, 1.0, {"style": "dining"}),
}
