"""Words of needs in Chinese and English that mean the same, so that a need finds its like in the other language.

One line a meaning: the name it goes by, then its words. Kinds of product name the catalogue's category too. Colours and
clothing sizes say which variant of a product is meant, uses whom it is for, and neither which product: they are left
out of comparisons, as are the words people wrap a need in.
"""

from collections.abc import Iterator, Mapping

KINDS = """
tshirt/tshirt: T恤 t恤 T恤衫 短袖衫 体恤 文化衫 广告衫 班服 tee t-shirt tshirt
polo/tshirt: polo衫 POLO衫 翻领衫 polo
shirt/tshirt: 衬衫 衬衣 shirt
hoodie/hoodie: 卫衣 连帽衫 连帽卫衣 帽衫 hoodie sweatshirt hooded_sweatshirt
coat/coat: 大衣 外套 风衣 coat overcoat jacket windbreaker 冲锋衣
vest/coat: 马甲 背心 马夹 vest gilet waistcoat
dress/dress: 连衣裙 长裙 裙子 dress gown
skirt/dress: 半身裙 短裙 skirt
apron/general: 围裙 apron
pyjamas/general: 睡衣 家居服 pyjamas pajamas pajama sleepwear
scarf/scarf: 围巾 披肩 scarf scarves shawl
beanie/beanie: 毛线帽 针织帽 冷帽 beanie knit_hat woolly_hat
cap/general: 棒球帽 鸭舌帽 遮阳帽 渔夫帽 baseball_cap cap bucket_hat
glove/general: 手套 glove
sock/socks: 袜子 短袜 中筒袜 长袜 棉袜 袜 sock
towel/towel: 毛巾 浴巾 方巾 towel
blanket/general: 毯子 毛毯 盖毯 空调毯 blanket throw
cushion/cushion: 抱枕 靠垫 靠枕 cushion pillow
tote/tote: 托特包 帆布包 帆布袋 购物袋 手提袋 环保袋 tote tote_bag shopping_bag shopper
backpack/backpack: 双肩包 背包 书包 backpack rucksack schoolbag school_bag
pouch/general: 化妆包 收纳袋 收纳包 束口袋 抽绳袋 pouch cosmetic_bag drawstring_bag toiletry_bag makeup_bag
lunchbag/general: 饭盒袋 保温袋 午餐包 冰包 lunch_bag cooler_bag insulated_bag
suitcase/suitcase: 行李箱 拉杆箱 旅行箱 登机箱 suitcase luggage
mug/mug: 杯 杯子 cup 马克杯 咖啡杯 陶瓷杯 mug coffee_mug coffee_cup
glass/general: 玻璃杯 glass_cup tumbler_glass
bottle/bottle: 保温杯 水壶 水瓶 水杯 运动水壶 随行杯 bottle water_bottle thermos flask tumbler vacuum_flask
teapot/teapot: 茶壶 teapot tea_pot
teaset/teapot: 茶具 功夫茶具 tea_set teaset
cupholder/cup_holder: 杯架 杯托 cup_holder cupholder
coaster/general: 杯垫 coaster
plate/general: 盘子 餐盘 plate
bowl/general: 碗 饭碗 bowl
lunchbox/general: 饭盒 便当盒 午餐盒 lunch_box lunchbox bento bento_box
phonecase/phone_case: 手机壳 手机套 保护壳 phone_case phone_cover
phonestand/general: 手机支架 懒人支架 phone_stand phone_holder
powerbank/general: 充电宝 移动电源 power_bank powerbank
cable/general: 数据线 充电线 charging_cable usb_cable data_cable
lamp/lamp: 台灯 lamp desk_lamp table_lamp
nightlight/lamp: 小夜灯 夜灯 night_light nightlight
sneaker/sneaker: 运动鞋 跑鞋 板鞋 球鞋 帆布鞋 sneaker trainer running_shoe
slipper/sneaker: 拖鞋 棉拖鞋 棉拖 slipper
umbrella/umbrella: 雨伞 遮阳伞 阳伞 晴雨伞 伞 umbrella parasol
raincoat/general: 雨衣 raincoat poncho
plush/plush: 毛绒玩具 毛绒公仔 玩偶 公仔 plush plush_toy soft_toy stuffed_toy stuffed_animal
keyring/general: 钥匙扣 挂件 keyring keychain
notebook/general: 笔记本 记事本 本子 手账本 notebook journal
pen/general: 签字笔 中性笔 圆珠笔 pen ballpoint
chair/chair: 椅子 座椅 餐椅 chair
stool/chair: 凳子 小板凳 折叠凳 stool
yogamat/general: 瑜伽垫 yoga_mat
petbed/general: 狗窝 猫窝 宠物窝 pet_bed dog_bed cat_bed
mousepad/general: 鼠标垫 mouse_pad mousepad mouse_mat
candle/general: 香薰蜡烛 蜡烛 candle
calendar/general: 台历 日历 calendar
tent/general: 帐篷 tent
badge/general: 徽章 胸章 胸针 badge lapel_pin enamel_pin pin_badge
magnet/general: 冰箱贴 fridge_magnet
fan/general: 风扇 小风扇 手持风扇 电风扇 fan hand_fan
comb/general: 梳子 木梳 梳 comb
storagebox/general: 收纳箱 收纳盒 整理箱 storage_box storage_bin
"""

QUALITIES = """
cotton: 纯棉 全棉 棉质 棉布 棉 cotton
canvas: 帆布 canvas
denim: 牛仔 牛仔布 丹宁 denim
linen: 亚麻 棉麻 linen
wool: 羊毛 羊绒 毛呢 wool woollen woolen cashmere
knit: 针织 毛线 编织 knit knitted
fleece: 摇粒绒 抓绒 绒布 加绒 fleece
flannel: 法兰绒 珊瑚绒 flannel coral_fleece
bamboo: 竹纤维 竹制 竹 bamboo
silk: 真丝 丝绸 缎面 silk satin
nylon: 尼龙 牛津布 nylon oxford_cloth
nonwoven: 无纺布 nonwoven non-woven non_woven
leather: 皮面 真皮 皮革 皮质 牛皮 leather
silicone: 硅胶 silicone
steel: 不锈钢 304 316 stainless_steel stainless steel
ceramic: 陶瓷 骨瓷 ceramic porcelain bone_china
stoneware: 粗陶 陶土 紫砂 stoneware clay earthenware
glassy: 玻璃 高硼硅 glass borosilicate
wood: 木质 实木 木制 wood wooden
plastic: 塑料 plastic pp
clear: 透明 clear transparent
matte: 磨砂 哑光 matte matt frosted
stripes: 条纹 横条纹 striped stripe
checks: 格子 格纹 方格 checked plaid gingham tartan
dots: 波点 圆点 dotted polka_dot
floral: 碎花 花卉 floral flower
logo: logo 标志 商标 店标 logos
printed: 印花 丝印 印字 印刷 印 printed print printing
embroidered: 刺绣 绣花 绣字 绣 embroidered embroidery
engraved: 刻 激光刻 刻名字 刻字 激光刻字 镭雕 engraved engraving laser_engraved
threefold: 三折 三折叠 three-fold threefold
foldable: 折叠 可折叠 便携 foldable folding collapsible portable
automatic: 自动 全自动 automatic auto-open auto_open
waterproof: 防水 防泼水 waterproof water-resistant
windproof: 防风 抗风 windproof
uvproof: 防晒 防紫外线 黑胶 uv uv-proof sun-proof uv_protection
reflective: 反光 reflective hi-vis high-visibility
insulated: 保温 保冷 真空 insulated vacuum
straw: 吸管 straw
handle: 手柄 提手 handle
zip: 拉链 zip zipper
thick: 加厚 厚款 thick thickened heavyweight
light: 轻便 轻薄 超轻 lightweight light
oversized: 宽松 oversize oversized loose
longsleeve: 长袖 long_sleeve long-sleeve long-sleeved long_sleeved
shortsleeve: 短袖 short_sleeve short-sleeve
kids: 儿童 宝宝 小孩 小朋友 童款 小学生 幼儿园 孩子 kids kid child children childrens toddler kindergarten
baby: 婴儿 新生儿 baby infant newborn
mens: 男士 男款 男 men mens
womens: 女士 女款 女 women womens ladies
pet: 宠物 猫 狗 pet dog cat
outdoor: 户外 露营 outdoor camping
travel: 旅行 旅游 出差 travel
gym: 健身 健身房 gym fitness
running: 跑步 马拉松 running marathon
car: 车载 汽车 车用 car
wireless: 无线 wireless
rechargeable: 充电款 可充电 rechargeable
dimmable: 调光 可调光 dimmable
magnetic: 磁吸 磁性 magnetic magsafe
usbc: type-c typec type_c usb-c usbc usb_c
fast: 快充 fast_charging fast-charging
giftbox: 礼盒 礼盒装 gift_box
bearish: 小熊 熊 bear teddy
rabbit: 兔子 兔 rabbit bunny
panda: 熊猫 panda
dinosaur: 恐龙 dinosaur
dragon: 龙 dragon
horse: 马 horse
cartoon: 卡通 cartoon
nonslip: 防滑 non-slip non_slip anti-slip anti_slip
quickdry: 速干 快干 quick-dry quick_dry
sport: 运动 体育 sport
student: 学生 大学生 student pupil
winter: 冬季 冬天 冬 winter
summer: 夏季 夏天 夏日 夏 summer
large: 大号 大容量 特大 超大 大 large big
small: 迷你 小号 小 mini small
washable: 可拆洗 拆洗 可水洗 耐洗 washable
laptop: 电脑 笔记本电脑 电脑包 laptop
foil: 烫金 gold_foil foil_stamped foil_stamping
spine: 护脊 spine_protection ergonomic
adjustable: 可调节 adjustable
microfibre: 超细纤维 microfibre microfiber
doublewalled: 双层 double_wall double-wall double-walled double_walled
lid: 带盖 盖子 盖 lid
compartments: 分格 分隔 compartment compartments
wheels: 带轮 轮子 万向轮 静音轮 spinner wheel
handheld: 手持 handheld hand-held
couple: 情侣 couple
home: 居家 家用 家居 home household
soy: 大豆 大豆蜡 soy
scented: 香薰 香氛 scented
enamel: 珐琅 enamel
metal: 金属 metal
sandalwood: 檀木 绿檀 sandalwood
thicksole: 厚底 thick_sole
retro: 复古 vintage retro
handmade: 手工 handmade
eco: 环保 可降解 eco eco-friendly biodegradable
"""

COLOURS = """
白色 纯白 米白 白 米色 奶油色 杏色 卡其 驼色 灰色 银色 灰 黑色 纯黑 黑 红色 大红 酒红 红 橙色 橘色 黄色 金色
绿色 墨绿 军绿
浅绿 深绿 青色 蓝色 天蓝 宝蓝 深蓝 浅蓝 藏青 藏蓝 紫色 粉色 浅粉 粉红 玫红 棕色 咖啡色 褐色 咖色 本色 原色 彩色
浅灰 深灰
white ivory beige cream grey gray silver black red burgundy orange yellow gold green olive teal turquoise blue navy
purple lilac pink rose brown khaki natural colour color colours colors coloured colored dark
xs s m l xl xxl xxxl 2xl 3xl 4xl 均码 size sizes 尺码 大号 中号 小号
"""

USES = """
办公 办公室 office
学校 校园 开学 school
酒店 民宿 hotel guesthouse
咖啡店 咖啡馆 奶茶店 cafe coffee_shop
婚礼 结婚 伴手礼 wedding
圣诞 圣诞节 christmas xmas
新年 春节 过年 spring_festival chinese_new_year
礼品 礼物 赠品 伴手 gift giveaway
公司 企业 员工 团建 年会 company corporate staff employee team
商务 business
纪念品 文创 纪念 旅游纪念 souvenir
母亲节 妈妈 母亲 mother
会议 展会 conference fair
"""

FRAME = """
想要 想 要 需要 需 求购 求 采购 定制 定做 订做 订制 定 做 找 找人 找厂 找工厂 厂家 工厂 求推荐 有没有 有人 谁
谁能 能 可以 能不能 帮忙
一批 一些 一款 批 款 个 只 件 条 双 把 套 份 的 和 与 加 带 有 是 我 我们 你们 请 吗 呢 吧 了 上 在 用 给 送
要求 左右 大概 大约
图案 预算 单价 价格 每个 每件 每只 每条 每双 以内 不超过 之前 前 底 月底 年前 交货 到货 发货 急 急用 尽快 数量
质量好 质量 好看 好 店里 门店
店 开业 活动 用的 那种 这种 类似 图片 图 同款 来图 来样 现货 也行 都行 即可 可 适合 最好 或 或者 并 及 且 起 就
都 还 再 各 几 多 少 些
a an the and or with in on of for to my our we i need needs needed want wants wanted looking look like would seeking
buy order get make made custom customised customized customise customize bespoke wholesale bulk some about around
approx approximately please can could who anyone factory manufacturer supplier quote budget price each per piece
pieces pcs unit units pair pairs set sets under below max before by until end early mid asap urgent deliver delivered
delivery quality good nice cheap same as similar picture photo is are be it that this which must should have has one
any also hi hello thanks thank you from at up them our their your not too so just us own shop store event opening
january february march april may june july august september october november december jan feb mar apr jun jul aug sep
sept oct nov dec week weeks month months year day days next spring summer autumn winter
"""

LONGEST_PHRASE = 3  # English words of one entry
LONGEST_WORD = 6  # Chinese characters of one entry


def _lines(table: str) -> Iterator[tuple[str, list[str]]]:
    for line in table.strip().splitlines():
        name, words = line.split(":", 1)
        yield name, [word.replace("_", " ") for word in words.lower().split()]


def _meanings() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for table in (KINDS, QUALITIES):
        for name, words in _lines(table):
            meaning = name.split("/")[0]
            for word in words:
                found.setdefault(word, meaning)
                if word.isascii() and word.replace("-", "").isalpha() and not word.endswith("s"):
                    found.setdefault(f"{word}es" if word.endswith(("x", "ch", "sh")) else f"{word}s", meaning)
                elif word.isascii() and " " in word:
                    found.setdefault(f"{word}s", meaning)
    return found


MEANINGS: Mapping[str, str] = _meanings()
CATEGORY_OF: Mapping[str, str] = dict(name.split("/") for name, _words in _lines(KINDS))
PASSED_OVER: frozenset[str] = frozenset(word.replace("_", " ") for word in (COLOURS + USES + FRAME).lower().split())


def _names() -> Mapping[str, tuple[str, str]]:
    """What each meaning is called in Chinese and in English."""
    found: dict[str, tuple[str, str]] = {}
    for table in (KINDS, QUALITIES):
        for line in table.strip().splitlines():
            name, words = line.split(":", 1)
            listed = [word.replace("_", " ") for word in words.split()]
            english = next((word for word in listed if word.isascii()), name)
            chinese = next((word for word in listed if not word.isascii()), english)
            found[name.split("/")[0]] = (chinese, english)
    return found


NAMES: Mapping[str, tuple[str, str]] = _names()
