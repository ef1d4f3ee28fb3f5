"""Points of measure of what is worn; one picture width is a garment's width with its sleeves, at size M."""

from c2m.design.drawings.flats.dimension import Dimension, Flat
from c2m.design.drawings.flats.tracing import Draft

_LETTERS = ("S", "M", "L", "XL")


def _tshirt(draft: Draft) -> tuple[Dimension, ...]:
    half, hem = 0.205 * draft.number("width"), 0.335 * draft.number("length")
    is_long = draft.choice("sleeves") == "long"
    cuff = ((half + 0.09, 0.225), (half + 0.165, 0.2)) if is_long else ((half + 0.075, -0.005), (half + 0.165, -0.065))
    neck = -0.205 if draft.choice("neck") == "v" else -0.25
    return (
        Dimension("胸围（半）", "Chest, half", draft.across(0, -0.09), grade=25),
        Dimension("下摆（半）", "Hem, half", draft.across(0, hem - 0.03), grade=25),
        Dimension(
            "肩宽（落肩）", "Shoulder to shoulder", ((-half - 0.028, -0.287), (half + 0.028, -0.287)), "above", 20
        ),
        Dimension("领宽", "Neck width", ((-0.092, -0.338), (0.092, -0.338)), "above", 5),
        Dimension("前领深", "Front neck drop", ((0, -0.338), (0, neck)), "on", 3),
        Dimension(
            "衣长（肩颈点起）", "Body length from neck point", ((-0.092, -0.338), (-0.092, hem + 0.01)), "left", 20
        ),
        Dimension("袖长", "Sleeve length", ((half + 0.028, -0.287), cuff[1]), "beside", 10),
        Dimension("袖口（半）", "Sleeve opening, half", cuff, "on", 5),
    )


def _hoodie(draft: Draft) -> tuple[Dimension, ...]:
    half, hem = 0.195 * draft.number("width"), 0.30 * draft.number("length")
    return (
        Dimension("胸围（半）", "Chest, half", draft.across(0, -0.055), grade=25),
        Dimension("下摆罗纹（半）", "Hem rib, half", draft.across(0, hem + 0.03), grade=25),
        Dimension("肩宽", "Shoulder to shoulder", ((-half + 0.01, -0.245), (half - 0.01, -0.245)), "on", 15),
        Dimension("帽宽", "Hood width", draft.across(0, -0.3), "above", 5),
        Dimension("帽高", "Hood height", draft.down(-0.11, -0.3), "left", 5),
        Dimension("衣长（含罗纹）", "Body length with rib", ((-0.09, -0.262), (-0.09, hem + 0.047)), "left", 20),
        Dimension(
            "袖长（含罗纹）", "Sleeve length with rib", ((half - 0.012, -0.246), (half + 0.125, 0.283)), "beside", 15
        ),
        Dimension("袖口罗纹高", "Cuff rib height", ((half + 0.122, 0.241), (half + 0.122, 0.283)), "on", 0),
    )


def _coat(draft: Draft) -> tuple[Dimension, ...]:
    half, hem = 0.178 * draft.number("width"), 0.375 * draft.number("length")
    return (
        Dimension("胸围（半）", "Chest, half", draft.across(-0.1, -0.115), grade=25),
        Dimension("下摆（半）", "Hem, half", draft.across(0, hem - 0.02), grade=25),
        Dimension(
            "肩宽（落肩）", "Shoulder to shoulder", ((-half - 0.022, -0.322), (half + 0.022, -0.322)), "above", 15
        ),
        Dimension(
            "衣长（肩颈点起）", "Body length from neck point", ((-0.082, -0.372), (-0.082, hem + 0.006)), "left", 20
        ),
        Dimension("袖长", "Sleeve length", ((half + 0.022, -0.322), (half + 0.108, 0.17)), "beside", 15),
        Dimension("袖口（半）", "Cuff, half", ((half + 0.022, 0.187), (half + 0.108, 0.17)), "on", 5),
        Dimension("袋盖宽", "Pocket flap width", ((0.062, 0.141), (half - 0.028, 0.128)), "on", 0),
    )


def _dress(draft: Draft) -> tuple[Dimension, ...]:
    hem, flare = 0.40 * draft.number("length"), 0.235 * draft.number("flare")
    shoulder = 0.128 if draft.choice("sleeves") != "none" else 0.112
    return (
        Dimension("胸围（半）", "Bust, half", draft.across(0, -0.22), grade=20),
        Dimension("腰围（半）", "Waist, half", ((-0.098, -0.085), (0.098, -0.085)), "on", 20),
        Dimension("下摆（半）", "Hem sweep, half", ((-flare, hem - 0.035), (flare, hem - 0.035)), "below", 25),
        Dimension("肩宽", "Shoulder to shoulder", ((-shoulder, -0.375), (shoulder, -0.375)), "above", 10),
        Dimension("前领深", "Front neck drop", ((0, -0.398), (0, -0.305)), "on", 3),
        Dimension("裙长（腰起）", "Skirt length from waist", ((0.098, -0.085), (0.098, hem)), "right", 15),
        Dimension("全长（肩颈点起）", "Total length from neck point", ((-0.07, -0.398), (-0.07, hem)), "left", 20),
    )


def _scarf(draft: Draft) -> tuple[Dimension, ...]:
    low = 0.36 * draft.number("length")
    return (
        Dimension("展开宽", "Width, opened", draft.across(-0.085, 0.12), times=2),
        Dimension("长端垂下", "Longer end, hanging", ((-0.12, -0.10), (-0.12, low)), "left"),
        Dimension("短端垂下", "Shorter end, hanging", ((0.13, -0.10), (0.13, low - 0.05)), "right"),
        Dimension("流苏长", "Fringe length", ((-0.1, low), (-0.1, low + 0.052)), "on"),
        Dimension("围圈外径", "Loop across", ((-0.195, -0.2), (0.195, -0.2)), "above"),
    )


def _beanie(draft: Draft) -> tuple[Dimension, ...]:
    top, brim = -0.20 * draft.number("height"), 0.115 * draft.number("brim")
    return (
        Dimension("帽口宽（平量）", "Opening width, flat", draft.across(0, 0.2), "below"),
        Dimension("帽高（翻边后）", "Height, brim turned up", ((0, top), (0, 0.248)), "left"),
        Dimension("翻边高", "Brim height", ((0.2, 0.248 - brim), (0.2, 0.248)), "right"),
        Dimension("帽身宽", "Crown width", draft.across(0, 0.05)),
    )


def _socks(draft: Draft) -> tuple[Dimension, ...]:
    (left, _), (_, low) = draft.extent()
    deep = 0.07 if draft.choice("height") != "ankle" else 0.045
    cuff = {"crew": -0.335, "knee": -0.385, "ankle": -0.135}[draft.choice("height")]
    lift = 0.0 if draft.choice("height") != "ankle" else -0.06
    sole = draft.across(-0.1, 0.27 + lift)
    return (
        Dimension("袜口宽", "Cuff width", draft.across(-0.13, cuff + lift + 0.1), grade=5),
        Dimension("罗口高", "Welt height", ((-0.16, cuff + lift + 0.02), (-0.16, cuff + lift + 0.02 + deep)), "left"),
        Dimension("总高", "Total height", ((left, cuff + lift + 0.02), (left, low)), "left", 10),
        Dimension("底长（跟至尖）", "Foot length, heel to toe", ((sole[0][0], low), (sole[1][0], low)), "below", 20),
    )


def _sneaker(draft: Draft) -> tuple[Dimension, ...]:
    collar = (-0.185 if draft.choice("cut") == "high" else -0.105) * draft.number("height")
    thick = 0.062 * draft.number("sole")
    return (
        Dimension("大底长", "Outsole length", ((-0.366, 0.2), (0.376, 0.2)), "below", 7),
        Dimension("鞋高（后帮）", "Heel height", ((-0.3, collar), (-0.3, 0.2)), "left", 1),
        Dimension("大底厚", "Sole thickness", ((-0.3, 0.2 - thick), (-0.3, 0.2)), "left"),
        Dimension("鞋口长", "Top line length", ((-0.292, collar - 0.006), (-0.04, collar - 0.014)), "above", 2),
        Dimension("前掌高", "Toe height", ((0.25, 0.055), (0.25, 0.2)), "right", 1),
    )


CLOTHES = {
    "tshirt": Flat(1220, 1020, _tshirt, _LETTERS, "M", 5, 1.5),
    "hoodie": Flat(1400, 1130, _hoodie, _LETTERS, "M", 5, 1.5, {"front": "pocket"}),
    "coat": Flat(1450, 1330, _coat, _LETTERS, "M", 5, 1.5),
    "dress": Flat(1750, 1330, _dress, _LETTERS, "M", 5, 1.5, {"sleeves": "short"}),
    "scarf": Flat(1100, 1250, _scarf, (), "", 5, 2.0),
    "beanie": Flat(430, 480, _beanie, (), "", 5, 2.0),
    "socks": Flat(620, 620, _socks, ("S 35–38", "M 39–42", "L 43–46"), "M 39–42", 5, 2.0),
    "sneaker": Flat(395, 395, _sneaker, ("38", "39", "40", "41", "42", "43", "44"), "41", 1, 0.8),
}
