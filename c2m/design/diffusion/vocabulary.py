"""The words of prompts: what each attribute of a drawing is called in English and in Chinese, the usual name first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from c2m.design.drawings import CATEGORIES, Choice


@dataclass(frozen=True)
class Words:
    """What one thing is called: the word prompts use, and others that mean the same."""

    en: tuple[str, ...]
    zh: tuple[str, ...] = ()

    @property
    def usual(self) -> str:
        """The word a prompt uses for it unless a synonym is drawn."""
        return self.en[0]


def _words(en: str, zh: str = "") -> Words:
    return Words(tuple(en.split("|")), tuple(zh.split("|")) if zh else ())


CATEGORY_WORDS: Mapping[str, Words] = {
    "tshirt": _words("tshirt|tee", "T恤衫|T恤|t恤|体恤|短袖衫"),
    "hoodie": _words("hoodie|sweatshirt", "连帽卫衣|连帽衫|卫衣|帽衫"),
    "coat": _words("coat|overcoat", "大衣|外套|风衣"),
    "dress": _words("dress|gown", "连衣裙|裙子|长裙|裙"),
    "scarf": _words("scarf|shawl", "围巾|披肩"),
    "beanie": _words("beanie|hat", "毛线帽|针织帽|冷帽|帽子"),
    "socks": _words("socks|sock", "袜子|短袜|长袜|袜"),
    "sneaker": _words("sneaker|sneakers|shoe", "运动鞋|帆布鞋|板鞋|球鞋|跑鞋|鞋子|鞋"),
    "tote": _words("tote bag|shopping bag|tote", "托特包|帆布包|帆布袋|购物袋|手提袋|手提包|包包|包"),
    "backpack": _words("backpack|rucksack", "双肩包|背包|书包"),
    "suitcase": _words("suitcase|luggage", "行李箱|拉杆箱|旅行箱|箱子"),
    "umbrella": _words("umbrella|parasol", "雨伞|遮阳伞|阳伞|伞"),
    "mug": _words("mug|cup", "马克杯|咖啡杯|杯子|水杯|茶杯|杯"),
    "bottle": _words("bottle|flask", "水瓶|保温杯|水壶|瓶子|瓶"),
    "teapot": _words("teapot|kettle", "茶壶|壶"),
    "cup_holder": _words("cup holder", "杯架|杯托"),
    "towel": _words("towel|towels", "毛巾|浴巾|巾"),
    "cushion": _words("cushion|pillow", "抱枕|靠垫|靠枕|枕头"),
    "plush": _words("plush toy|soft toy|plush", "毛绒玩具|毛绒公仔|玩偶|公仔|玩具"),
    "lamp": _words("table lamp|lamp", "台灯|灯具|灯"),
    "chair": _words("chair|seat", "椅子|座椅|椅"),
    "phone_case": _words("phone case|phone cover", "手机壳|手机套|保护壳"),
}

COLOUR_WORDS: Mapping[str, Words] = {
    "white": _words("white", "白色|纯白|米白|白"),
    "beige": _words("beige|cream", "米色|奶油色|杏色|卡其色|驼色|米黄"),
    "grey": _words("grey|gray", "灰色|银灰|银色|灰"),
    "black": _words("black", "黑色|纯黑|黑"),
    "red": _words("red|crimson", "红色|大红|正红|酒红|红"),
    "orange": _words("orange", "橙色|橘色|橘红|橙|橘"),
    "yellow": _words("yellow|golden", "黄色|金黄|金色|柠檬黄|黄"),
    "olive": _words("olive|khaki", "橄榄绿|军绿|橄榄色|墨绿"),
    "green": _words("green", "绿色|草绿|翠绿|绿"),
    "teal": _words("teal|turquoise", "青色|湖蓝|青绿|孔雀蓝|青"),
    "blue": _words("blue", "蓝色|宝蓝|天蓝色|蓝"),
    "navy": _words("navy|indigo", "藏青色|藏青|深蓝|海军蓝|靛蓝"),
    "purple": _words("purple|violet", "紫色|紫罗兰|紫"),
    "pink": _words("pink|rose", "粉色|粉红|浅粉色|玫红|粉"),
    "brown": _words("brown|chocolate", "棕色|咖啡色|褐色|棕|咖色"),
}

PATTERN_WORDS: Mapping[str, Words] = {
    "plain": _words("plain|solid", "纯色|素色|无图案|净色"),
    "stripes": _words("striped|stripes", "横条纹|横纹|条纹"),
    "vertical_stripes": _words("vertical striped|vertical stripes", "竖条纹|竖纹"),
    "pinstripes": _words("pinstriped|pinstripes", "细条纹|细纹"),
    "gingham": _words("gingham|checked|checks", "格子|方格|格纹"),
    "tartan": _words("tartan|plaid", "苏格兰格纹|苏格兰格|英伦格"),
    "dots": _words("dotted|dots|polka", "波点|圆点|波尔卡"),
    "chevron": _words("chevron|zigzag", "人字纹|锯齿纹|之字纹"),
    "argyle": _words("argyle|diamonds", "菱形格|菱格纹|菱格|菱形"),
    "floral": _words("floral|flowers", "花卉|碎花|印花|花朵|花纹"),
    "leaves": _words("leafy|leaves", "叶纹|树叶|叶子"),
    "stars": _words("starry|stars", "星星|五角星|星形"),
    "waves": _words("wavy|waves", "青海波|海浪|波浪|浪纹"),
    "colour_block": _words("twotone|block", "拼色|撞色|双拼"),
}

FINISH_WORDS: Mapping[str, Words] = {
    "cotton": _words("cotton", "纯棉|棉布|棉质|全棉|棉"),
    "canvas": _words("canvas", "帆布"),
    "denim": _words("denim", "牛仔斜纹|牛仔布|牛仔|丹宁"),
    "knit": _words("knit|knitted", "针织|毛线|编织"),
    "fleece": _words("fleece|fuzzy", "绒布|抓绒|摇粒绒|毛绒|绒面|绒"),
    "satin": _words("satin|silk", "缎面|丝绸|真丝|丝质"),
    "nylon": _words("nylon", "尼龙"),
    "leather": _words("leather", "真皮|皮革|皮质|皮"),
    "glazed": _words("glazed|porcelain", "釉面|陶瓷|瓷"),
    "stoneware": _words("stoneware|speckled", "粗陶|陶土|麻点釉"),
    "glossy": _words("glossy|shiny", "亮面|光面|亮光"),
    "matte": _words("matte", "哑光|磨砂|亚光"),
    "metallic": _words("metallic|brushed", "金属拉丝|金属|拉丝|不锈钢"),
}

BACKGROUND_WORDS: Mapping[str, Words] = {
    "studio": _words("studio", "影棚白|影棚|白底|白色背景|纯白背景"),
    "mist": _words("mist", "雾灰|灰底|灰色背景"),
    "sand": _words("sand", "沙色|米色背景|暖色背景"),
    "sky": _words("sky", "浅天蓝|天蓝背景|蓝色背景|天蓝"),
    "sage": _words("sage", "鼠尾草绿|绿色背景|鼠尾草"),
    "blush": _words("blush", "浅粉背景|粉色背景|浅粉"),
}

CHOICE_WORDS: Mapping[str, Mapping[str, Mapping[str, Words]]] = {
    "tshirt": {
        "sleeves": {"short": _words("short sleeves", "短袖"), "long": _words("long sleeves", "长袖")},
        "neck": {"round": _words("round neck", "圆领"), "v": _words("v neck", "V领|v领")},
        "collar": {"contrast": _words("contrast collar", "撞色领|撞色领口")},
    },
    "hoodie": {
        "front": {"pocket": _words("front pocket", "前袋|袋鼠袋|口袋"), "zip": _words("zip front", "拉链")},
        "lining": {"contrast": _words("contrast lining", "撞色里衬|撞色帽里")},
    },
    "coat": {
        "closure": {"single": _words("single breasted", "单排扣"), "double": _words("double breasted", "双排扣")},
        "belt": {"belted": _words("belted", "腰带|系带")},
        "lapel": {"contrast": _words("contrast lapel", "撞色翻领")},
    },
    "dress": {
        "sleeves": {
            "none": _words("sleeveless", "无袖|吊带"),
            "short": _words("short sleeves", "短袖"),
            "long": _words("long sleeves", "长袖"),
        },
        "waist": {"sash": _words("sash waist", "腰带|系带")},
    },
    "scarf": {"ends": {"fringe": _words("fringed", "流苏"), "plain": _words("plain ends", "无流苏")}},
    "beanie": {
        "pompom": {"pompom": _words("pompom", "毛球|绒球"), "none": _words("no pompom", "无毛球")},
        "cuff": {"contrast": _words("contrast cuff", "撞色翻边"), "label": _words("label cuff", "布标|标签")},
    },
    "socks": {
        "height": {
            "crew": _words("crew", "中筒"),
            "knee": _words("knee high", "高筒|过膝|长筒"),
            "ankle": _words("ankle", "短筒|船袜|脚踝"),
        },
        "toes": {"contrast": _words("contrast toes", "撞色袜头")},
    },
    "sneaker": {
        "cut": {"low": _words("low cut", "低帮"), "high": _words("high top", "高帮")},
        "style": {"classic": _words("classic", "经典款|经典"), "runner": _words("runner", "跑步款|慢跑")},
        "rubber": {"gum": _words("gum sole", "生胶底|牛筋底")},
    },
    "tote": {"base": {"contrast": _words("contrast base", "撞色底"), "patch": _words("patch", "贴标|贴布")}},
    "backpack": {"style": {"zip": _words("zip top", "拉链"), "flap": _words("flap top", "翻盖")}},
    "suitcase": {
        "shell": {
            "vertical": _words("vertical ribs", "竖棱"),
            "horizontal": _words("horizontal ribs", "横棱"),
            "smooth": _words("smooth shell", "光滑壳面"),
        },
        "guards": {"contrast": _words("corner guards", "包角|护角")},
    },
    "umbrella": {
        "handle": {"hook": _words("hook handle", "弯柄|弯钩"), "straight": _words("straight handle", "直柄")},
        "gores": {"alternate": _words("alternate panels", "间色伞面|双色伞面")},
    },
    "mug": {
        "body": {
            "straight": _words("straight body", "直筒"),
            "tapered": _words("tapered body", "收底|锥形"),
            "barrel": _words("barrel body", "鼓形|圆肚"),
        },
        "handle": {"contrast": _words("contrast handle", "撞色手柄|撞色把手")},
        "inside": {"contrast": _words("contrast inside", "撞色内壁")},
    },
    "bottle": {
        "body": {
            "round": _words("round body", "圆身"),
            "slim": _words("slim body", "细长|瘦身"),
            "tumbler": _words("tumbler body", "随行杯|锥形"),
        },
        "cap": {"loop": _words("loop cap", "提环|提绳")},
    },
    "teapot": {
        "body": {
            "round": _words("round body", "圆身"),
            "squat": _words("squat body", "扁圆|矮身"),
            "pear": _words("pear body", "梨形"),
        },
        "handle": {"side": _words("side handle", "侧把"), "top": _words("top handle", "提梁")},
        "lid": {"contrast": _words("contrast lid", "撞色壶盖")},
    },
    "cup_holder": {"cups": {"single": _words("single", "单杯"), "double": _words("double", "双杯")}},
    "towel": {"arrangement": {"hung": _words("hanging", "悬挂|挂着"), "stack": _words("stacked", "叠放|折叠")}},
    "cushion": {
        "shape": {"square": _words("square", "方形"), "round": _words("round", "圆形")},
        "trim": {
            "piping": _words("piping", "滚边|包边"),
            "button": _words("button", "纽扣"),
            "tassels": _words("tassels", "流苏"),
        },
    },
    "plush": {
        "animal": {
            "bear": _words("bear", "小熊|熊"),
            "rabbit": _words("rabbit|bunny", "小兔子|兔子|小兔|兔"),
            "cat": _words("cat|kitten", "小猫|猫咪|猫"),
        },
        "ribbon": {"bow": _words("bow", "蝴蝶结")},
    },
    "lamp": {
        "shade": {
            "cone": _words("cone shade", "锥形灯罩"),
            "drum": _words("drum shade", "鼓形灯罩|筒形灯罩"),
            "empire": _words("empire shade", "帝国式灯罩|宫廷灯罩"),
        },
        "base": {
            "vase": _words("vase base", "花瓶底座"),
            "gourd": _words("gourd base", "葫芦底座|葫芦"),
            "column": _words("column base", "立柱底座|立柱"),
        },
    },
    "chair": {
        "style": {"shell": _words("shell", "贝壳|壳形"), "dining": _words("dining", "餐椅")},
        "legs": {"wood": _words("wood legs", "木腿|木脚"), "steel": _words("steel legs", "钢腿|金属腿")},
        "tufts": {"buttons": _words("buttons", "拉扣|纽扣")},
    },
    "phone_case": {
        "camera": {
            "square": _words("square camera", "方形镜头"),
            "pill": _words("pill camera", "竖排镜头"),
            "bar": _words("bar camera", "横排镜头"),
        },
        "ring": {"ring": _words("ring", "指环|支架")},
    },
}

RANGE_WORDS: Mapping[str, tuple[Words, Words]] = {
    "width": (_words("narrow", "窄版|窄款"), _words("wide", "宽版|宽款|加宽")),
    "height": (_words("low", "矮款"), _words("tall", "高款|加高")),
    "length": (_words("cropped", "短款"), _words("longline", "长款|加长")),
}

TRIM_WORDS = ("trim", "details")
GLUE_WORDS = ("and", "with", "in", "on", "a", "photo", "of", "background", *TRIM_WORDS)


def choice_words(category: str) -> Iterator[tuple[str, str, Words]]:
    """Parameter, option and words of every choice of the category that has a name in prompts."""
    for parameter, options in CHOICE_WORDS[category].items():
        for option, words in options.items():
            yield parameter, option, words


def range_words(category: str) -> Iterator[tuple[str, tuple[Words, Words]]]:
    """Parameter and the words for its low and its high end, for every measure of the category named in prompts."""
    for parameter, kind in CATEGORIES[category].shape.items():
        if not isinstance(kind, Choice) and parameter in RANGE_WORDS:
            yield parameter, RANGE_WORDS[parameter]


def prompt_words() -> list[str]:
    """Every English word that may stand in a prompt, sorted."""
    tables = (CATEGORY_WORDS, COLOUR_WORDS, PATTERN_WORDS, FINISH_WORDS, BACKGROUND_WORDS)
    phrases = [phrase for table in tables for words in table.values() for phrase in words.en]
    phrases += [phrase for category in CATEGORIES for *_, words in choice_words(category) for phrase in words.en]
    phrases += [phrase for ends in RANGE_WORDS.values() for words in ends for phrase in words.en]
    return sorted({word for phrase in [*phrases, *GLUE_WORDS] for word in phrase.split()})
