"""Names of places as people type them: without accents, case and punctuation, in simplified characters.

The pairs of characters are those of Open Chinese Convert (https://github.com/BYVoid/OpenCC, Apache 2.0) that
stand in names of places in China, Taiwan, Hong Kong and Macau.
"""

import unicodedata

TRADITIONAL = (
    "亞佈來侖倉個們倫偉傢僕儀兒兗內兩冊凈凱別則剋剛創劍務勝勢勸勻匯區卽厤叢吳呂員啓啟單噹嚮囌國圍園圖團垻"
    "堅堯場塗墊墰墾壇壘壜壢壩壯壺壽夢夾婁孫學宮實寧審寬寶將尋岡峯島峽崍崑崗崙嵐嶗嶧嶺嶼嶽巒巖師帶幹庫廂廈"
    "廕廟廠廣廬張強彆彌彙彥彿後從復徵恆愛慄慶憑應懞懷戶掃揚撫敘於旂晉暉曆曏會朮東枴柺査棗棲楊業極榦榮樂樅"
    "樑樓樹樺橋橫檯權欒欖欽歷歸沖涇涼淥淨淩淶淺渦渾湞湯準溝溫溮滄滎滙滿漢漣漵潁潛潤潯澗澠澤澱濃濛濟濰濱瀋"
    "瀏瀘瀝瀰瀾灘灣灤為烏無煙煩燈營爐爲爾猶獅獨獲獻現琿瑤瑪環瓊甌甕產産甦甯畢當疇疊發監盤盧眞矇硤硯碩碭確"
    "礄礦祿禪禮稜稱穀積穫窩窪競箇節範簡糰紅納紮細紹結絳綏經綜綠維綵綿緑線縉縣績織罈罎羅羣義習聖聞聯聶肅脩"
    "脫腳膠臘臥臨臺興舊舘荊莊華菴菸萊萬葉蒼蓋蓮蔭蕪蕭薊薌薑薩藍藴藺蘄蘆蘇蘊蘭蘿術衕衚衛衝裏裡複覺觀託訥許"
    "詔誌誼調諸諾謀謙謝謨譙譜讓讚豐貝貞貢貴費賀資賈賓賚賢賽贊贛趙車軍載輋輝輪輿轉農迴連週進遊運達遙遜遠遷"
    "遼邁邊郟郵鄆鄉鄒鄖鄧鄭鄰鄲鄴鈡鉅鉛銀銅鋒鋼錢錦錫錯鍾鎣鎭鎮鏡鐘鐵鑲鑼鑽長門開間閔閘閣閤閩閬閻關陘陝陰"
    "陳陸陽隨隴雙雜雞離雲電霑霧靈靜鞏韆韓響頂項順頗頭額類風颱餘館饒馬駐騰驊驗驛體髮鬆鬍鬥鬱魚魯鮁鮮鯉鰂鱲"
    "鳥鳩鳳鳴鴨鶯鶴鷄鷹鹹鹼鹽麗麥麯麴黃點黨齊龍龜"
)
SIMPLIFIED = (
    "亚布来仑仓个们伦伟家仆仪儿兖内两册净凯别则克刚创剑务胜势劝匀汇区即历丛吴吕员启启单当向苏国围园图团坝"
    "坚尧场涂垫坛垦坛垒坛坜坝壮壶寿梦夹娄孙学宫实宁审宽宝将寻冈峰岛峡崃昆岗仑岚崂峄岭屿岳峦岩师带干库厢厦"
    "荫庙厂广庐张强别弥汇彦佛后从复征恒爱栗庆凭应蒙怀户扫扬抚叙于旗晋晖历向会术东拐拐查枣栖杨业极干荣乐枞"
    "梁楼树桦桥横台权栾榄钦历归冲泾凉渌净凌涞浅涡浑浈汤准沟温浉沧荥汇满汉涟溆颍潜润浔涧渑泽淀浓蒙济潍滨沈"
    "浏泸沥弥澜滩湾滦为乌无烟烦灯营炉为尔犹狮独获献现珲瑶玛环琼瓯瓮产产苏宁毕当畴叠发监盘卢真蒙硖砚硕砀确"
    "硚矿禄禅礼棱称谷积获窝洼竞个节范简团红纳扎细绍结绛绥经综绿维彩绵绿线缙县绩织坛坛罗群义习圣闻联聂肃修"
    "脱脚胶腊卧临台兴旧馆荆庄华庵烟莱万叶苍盖莲荫芜萧蓟芗姜萨蓝蕴蔺蕲芦苏蕴兰萝术同胡卫冲里里复觉观托讷许"
    "诏志谊调诸诺谋谦谢谟谯谱让赞丰贝贞贡贵费贺资贾宾赉贤赛赞赣赵车军载𪨶辉轮舆转农回连周进游运达遥逊远迁"
    "辽迈边郏邮郓乡邹郧邓郑邻郸邺钟巨铅银铜锋钢钱锦锡错钟蓥镇镇镜钟铁镶锣钻长门开间闵闸阁合闽阆阎关陉陕阴"
    "陈陆阳随陇双杂鸡离云电沾雾灵静巩千韩响顶项顺颇头额类风台余馆饶马驻腾骅验驿体发松胡斗郁鱼鲁鲅鲜鲤鲗𫚭"
    "鸟鸠凤鸣鸭莺鹤鸡鹰咸碱盐丽麦曲曲黄点党齐龙龟"
)
TO_SIMPLIFIED = str.maketrans(TRADITIONAL, SIMPLIFIED)

UNACCENTED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ŋ": "n"}
)
"""Letters that Unicode does not take apart into a letter and an accent."""


def fold_name(name: str) -> str:
    """The letters and digits of a name that remain when it is typed carelessly: "São Paulo" is "saopaulo"."""
    plain = remove_accents(name).casefold().translate(UNACCENTED).translate(TO_SIMPLIFIED)
    return "".join(each for each in plain if each.isalnum() or unicodedata.category(each)[0] == "M")


def remove_accents(name: str) -> str:
    """The name without accents; letters of Hangul and other scripts stay whole."""
    parts = unicodedata.normalize("NFKD", name)
    letters = "".join(each for each in parts if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", letters)
