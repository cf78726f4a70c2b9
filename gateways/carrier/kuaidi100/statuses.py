"""What kuaidi100's codes and names of states mean to the shop, as data."""

from collections.abc import Mapping

from models import ShipmentStatus as S

STATUSES: Mapping[str, S] = {
    "0": S.IN_TRANSIT,
    "1001": S.IN_TRANSIT,  # has come to the city it is brought to
    "1002": S.IN_TRANSIT,  # on a trunk line
    "1003": S.IN_TRANSIT,  # passed on to another carrier
    "1": S.PICKED_UP,
    "101": S.PENDING,  # ordered
    "102": S.PENDING,  # waits to be collected
    "103": S.PICKED_UP,
    "2": S.ON_HOLD,
    "201": S.ON_HOLD,  # not signed for in time
    "202": S.ON_HOLD,  # nothing new for long
    "203": S.DELIVERY_FAILED,  # the customer refused it
    "204": S.ON_HOLD,
    "205": S.ON_HOLD,  # not collected from the locker in time
    "206": S.ON_HOLD,  # the customer is not reached
    "207": S.ON_HOLD,  # beyond the area
    "208": S.ON_HOLD,  # stays somewhere
    "209": S.ON_HOLD,  # damaged
    "210": S.ON_HOLD,  # the waybill was cancelled
    "3": S.DELIVERED,
    "301": S.DELIVERED,
    "302": S.DELIVERED,  # after a problem
    "303": S.DELIVERED,  # by somebody else
    "304": S.DELIVERED,  # from a locker or shop
    "4": S.RETURNED,
    "401": S.ON_HOLD,  # the waybill was cancelled
    "5": S.OUT_FOR_DELIVERY,
    "501": S.READY_FOR_PICKUP,
    "6": S.RETURNING,
    "7": S.IN_TRANSIT,
    "8": S.CUSTOMS,
    "10": S.CUSTOMS,
    "11": S.CUSTOMS,
    "12": S.CUSTOMS,
    "13": S.CUSTOMS,
    "14": S.DELIVERY_FAILED,
}

CODES_BY_NAME: Mapping[str, str] = {
    "在途": "0",
    "到达派件城市": "1001",
    "干线": "1002",
    "转递": "1003",
    "揽收": "1",
    "已下单": "101",
    "待揽收": "102",
    "已揽收": "103",
    "疑难": "2",
    "超时未签收": "201",
    "超时未更新": "202",
    "拒收": "203",
    "派件异常": "204",
    "柜或驿站超时未取": "205",
    "无法联系": "206",
    "超区": "207",
    "滞留": "208",
    "破损": "209",
    "销单": "210",
    "签收": "3",
    "本人签收": "301",
    "派件异常后签收": "302",
    "代签": "303",
    "投柜或站签收": "304",
    "退签": "4",
    "已销单": "401",
    "派件": "5",
    "投柜或驿站": "501",
    "退回": "6",
    "转投": "7",
    "清关": "8",
    "待清关": "10",
    "清关中": "11",
    "已清关": "12",
    "清关异常": "13",
    "拒签": "14",
}
"""Events of older subscriptions have the name of a state and no code."""

END_OF_LIFE: frozenset[S] = frozenset({S.DELIVERED, S.RETURNED})
