"""300 titles of phones, lipsticks, computers and stationery with their accessories, and queries."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple


class Title(NamedTuple):
    """A product: its title, what is true of it, and the models that it is used with."""

    text: str
    facts: frozenset[str]
    used_with: frozenset[str] = frozenset()


class ChineseQuery(NamedTuple):
    """A query, and what must be true of what is meant; nothing is meant where that is empty."""

    text: str
    expected: frozenset[str]


PHONES = (
    ("华为", "Mate20"), ("华为", "P30 Pro"), ("荣耀", "V20"), ("苹果", "iPhone 11"), ("苹果", "iPhone XR"),
    ("小米", "Mix 3"), ("红米", "Redmi Note 7"), ("OPPO", "R11 Plus"), ("vivo", "X27"), ("一加", "7T"),
)  # fmt: skip
PHONE_PARTS = ("手机壳 硅胶防摔", "钢化膜 高清防爆", "充电器 快充套装", "数据线 1米", "支架 桌面懒人")
COMPUTERS = (
    ("联想", "小新14", "笔记本电脑"), ("戴尔", "XPS13", "笔记本电脑"), ("惠普", "战66", "笔记本电脑"),
    ("苹果", "MacBook Air", "笔记本电脑"), ("华硕", "天选3", "笔记本电脑"), ("联想", "天逸510", "台式电脑"),
    ("戴尔", "成就3690", "台式电脑"), ("华为", "MatePad 11", "平板电脑"),
)  # fmt: skip
COMPUTER_PARTS = (
    "电脑包 14寸",
    "键盘膜 超薄",
    "鼠标 无线静音",
    "散热器 双风扇",
    "电源适配器 65W",
    "显示器支架",
)
LIPSTICKS = ("迪奥", "香奈儿", "圣罗兰", "阿玛尼", "完美日记", "花西子", "雅诗兰黛", "美宝莲")
SHADES = ("正红色", "豆沙色", "玫瑰色", "珊瑚色", "浆果色")
LIPSTICK_PARTS = ("口红收纳盒 亚克力", "口红刷 便携", "唇膜 修护", "卸妆水 400ml", "唇线笔 防水")
PENS = (
    ("晨光", "中性笔 0.5mm"),
    ("得力", "中性笔 0.38mm"),
    ("百乐", "钢笔"),
    ("英雄", "钢笔"),
    ("三菱", "圆珠笔"),
)
STATIONERY = ("订书机", "计算器", "笔记本子", "橡皮", "美工刀", "文件夹", "修正带")
PEN_PARTS = ("笔芯 替换装", "墨水 60毫升", "笔袋 大容量", "笔筒 桌面")


def write_titles() -> list[Title]:
    return [*write_phones(), *write_computers(), *write_lipsticks(), *write_stationery()]


def write_phones() -> Iterator[Title]:
    for (brand, model), (storage, colour) in product(
        PHONES, (("64GB", "黑色"), ("128GB", "白色"), ("256GB", "蓝色"))
    ):
        facts = frozenset({"手机", brand, model, storage, colour})
        yield Title(f"{brand} {model} 手机 {storage} {colour} 全网通", facts)
    for (brand, model), part in product(PHONES, PHONE_PARTS):
        kind = part.split()[0]
        yield Title(f"{part} 适用于{brand}{model}", frozenset({kind}), frozenset({brand, model}))


def write_computers() -> Iterator[Title]:
    for (brand, model, kind), memory in product(COMPUTERS, ("8GB", "16GB", "32GB")):
        facts = frozenset({"电脑", kind, brand, model, memory})
        yield Title(f"{brand} {model} {kind} {memory} 轻薄", facts)
    for (brand, model, _), part in product(COMPUTERS, COMPUTER_PARTS):
        kind = part.split()[0]
        yield Title(f"{part} 适用{brand} {model}", frozenset({kind}), frozenset({brand, model}))


def write_lipsticks() -> Iterator[Title]:
    for brand, shade in product(LIPSTICKS, SHADES):
        yield Title(f"{brand}口红 {shade} 3.5g 持久不脱色", frozenset({"口红", brand, shade}))
    for brand, part in product(LIPSTICKS, LIPSTICK_PARTS):
        yield Title(f"{brand} {part}", frozenset({part.split()[0], brand}))


def write_stationery() -> Iterator[Title]:
    for (brand, kind), amount in product(PENS, ("单支", "3支装", "12支盒装")):
        yield Title(f"{brand}{kind} {amount} 学生", frozenset({kind.split()[0], brand}))
    for kind, brand in product(STATIONERY, ("晨光", "得力", "齐心")):
        yield Title(f"{brand} {kind} 办公用", frozenset({kind, brand}))
    for brand, part in product(("晨光", "得力", "英雄", "百乐", "齐心", "三菱", "真彩", "国誉"), PEN_PARTS):
        yield Title(f"{brand} {part}", frozenset({part.split()[0], brand}))


def write_queries() -> list[ChineseQuery]:
    """146 queries about the titles."""
    found: list[ChineseQuery] = []
    for brand, model in PHONES:
        joined = model.replace(" ", "").lower()
        found += [
            ChineseQuery(joined, frozenset({model})),
            ChineseQuery(f"{brand}{joined}", frozenset({brand, model})),
            ChineseQuery(f"{brand}手机", frozenset({brand, "手机"})),
            ChineseQuery(f"{joined}手机壳", frozenset({"手机壳", model})),
            ChineseQuery(f"{model} 钢化膜", frozenset({"钢化膜", model})),
        ]
    for brand, model, kind in COMPUTERS:
        found += [
            ChineseQuery(f"{brand}{kind}", frozenset({brand, kind})),
            ChineseQuery(f"{model.lower()}", frozenset({model})),
            ChineseQuery(f"{brand}电脑包", frozenset({"电脑包", brand})),
        ]
    for brand in LIPSTICKS:
        found += [
            ChineseQuery(f"{brand}口红", frozenset({brand, "口红"})),
            ChineseQuery(f"好看的{brand}口红", frozenset({brand, "口红"})),
        ]
    return list(dict.fromkeys([*found, *OTHER_QUERIES]))


def query(text: str, *expected: str) -> ChineseQuery:
    return ChineseQuery(text, frozenset(expected))


OTHER_QUERIES = (
    query("手机", "手机"), query("便宜手机", "手机"), query("手机包邮", "手机"),
    query("shouji", "手机"), query("shou ji", "手机"), query("華為手機", "手机", "华为"),
    query("蓝色手机", "手机", "蓝色"), query("手机壳", "手机壳"), query("手機殼", "手机壳"),
    query("防摔手机壳", "手机壳"), query("数据线", "数据线"), query("shujuxian", "数据线"),
    query("充电器", "充电器"), query("快充充电器", "充电器"), query("懒人支架", "支架"),
    query("口红", "口红"), query("好看的口红", "口红"), query("kouhong", "口红"),
    query("kou hong", "口红"), query("正红色口红", "口红", "正红色"), query("豆沙色", "豆沙色"),
    query("口紅", "口红"), query("口红刷", "口红刷"), query("口红收纳盒", "口红收纳盒"),
    query("卸妆水400毫升", "卸妆水"), query("400ml卸妆水", "卸妆水"), query("电脑", "电脑"),
    query("電腦", "电脑"), query("diannao", "电脑"), query("笔记本电脑", "笔记本电脑"),
    query("筆記本電腦", "笔记本电脑"), query("轻薄笔记本", "笔记本电脑"), query("台式电脑", "台式电脑"),
    query("平板", "平板电脑"), query("16gb电脑", "电脑", "16GB"), query("无线鼠标", "鼠标"),
    query("鼠标", "鼠标"), query("键盘膜", "键盘膜"), query("14英寸电脑包", "电脑包"),
    query("散热器", "散热器"), query("中性笔", "中性笔"), query("zhongxingbi", "中性笔"),
    query("便宜的中性笔", "中性笔"), query("钢笔", "钢笔"), query("鋼筆", "钢笔"),
    query("英雄钢笔", "钢笔", "英雄"), query("订书机", "订书机"), query("訂書機", "订书机"),
    query("dsj", "订书机"), query("计算器", "计算器"), query("jisuanqi", "计算器"),
    query("橡皮", "橡皮"), query("笔袋", "笔袋"), query("60ml墨水", "墨水"), query("学生钢笔", "钢笔"),
    # nothing of the kind is there
    query("牙刷"), query("方便面"), query("耳机"), query("洗衣机"), query("🍵"),
)  # fmt: skip

_LITEMALL_LIST = """
四件套 纯棉四件套=棉 蚕丝被 羽绒被 枕头=枕 记忆枕 护颈枕=护颈 抱枕 床笠 凉席=席 草席 地毯
羊毛地毯=地毯 窗帘 懒人沙发 浴巾 盖毯 毯子=毯 钢笔 铸铁锅=锅 煎锅 内裤 男式内裤=男式 女式内裤=女式
娃娃裙 婴童 宠物窝 猫砂盆 牵引绳=牵引 猫抓板 宠物碗=碗 台灯 落地灯 餐椅 书桌 茶几 永生花 摆件 拉杆箱
蛋黄酥 曲奇 粽子=粽 礼盒 魔兽世界 部落护腕=护腕 收纳盒 坐垫 風扇=风扇 臺燈=台灯 羽絨被=羽绒被
taideng=台灯 chuanglian=窗帘 冰箱= 电视机=
"""
LITEMALL_QUERIES = tuple(
    (text, word if is_other else text)
    for text, is_other, word in (each.partition("=") for each in _LITEMALL_LIST.split())
)
"""Queries about the catalogue of litemall, with what the titles of good products have; "" for none."""
