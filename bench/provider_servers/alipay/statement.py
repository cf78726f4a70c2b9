"""The trade bill of a day as Alipay gives it out: two CSV files in GB18030, in a ZIP."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from decimal import Decimal

from bench.provider_servers.alipay.book import Trade, beijing_now

COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
ZERO = "0.00"


def write_trade_bill(trades: Iterable[Trade], seller_id: str, day: str) -> bytes:
    payments, refunds = list[str](), list[str]()
    received, returned = Decimal(ZERO), Decimal(ZERO)
    for trade in trades:
        if trade.paid_at.startswith(day):
            payments.append(write_row(trade, "交易", trade.total_amount, trade.paid_at, "", -trade.fee))
            received += Decimal(trade.total_amount)
        for number, refund in trade.refunds.items():
            if refund.at.startswith(day):
                amount = f"-{refund.amount}"
                refunds.append(write_row(trade, "退款", amount, refund.at, number, Decimal(ZERO)))
                returned -= Decimal(refund.amount)
    lines = [
        "#支付宝业务明细查询",
        f"#账号：[{seller_id}0156]",
        f"#起始日期：[{day} 00:00:00]   终止日期：[{day} 23:59:59]",
        f"#{'-' * 41}业务明细列表{'-' * 40}",
        COLUMNS,
        *payments,
        *refunds,
        f"#{'-' * 41}业务明细列表结束{'-' * 36}",
        f"#交易合计：{len(payments)}笔，商家实收共{received}元，商家优惠共0.00元",
        f"#退款合计：{len(refunds)}笔，商家实收退款共{returned}元，商家优惠退款共0.00元",
        f"#导出时间：[{beijing_now()}]",
    ]
    summary = ["#支付宝业务汇总查询", "门店编号,门店名称,交易订单总笔数", f"合计\t,\t,{len(payments)}"]
    prefix = f"{seller_id}0156_{day.replace('-', '')}"
    return zip_files({f"{prefix}_业务明细.csv": lines, f"{prefix}_业务明细(汇总).csv": summary})


def write_row(trade: Trade, kind: str, amount: str, at: str, request: str, fee: Decimal) -> str:
    cells = [f"{trade.trade_no}\t", f"{trade.out_trade_no}\t", f"{kind}\t", trade.subject.replace(",", " ")]
    cells += [trade.created_at, at, "\t", "\t", "\t", "\t", "*梅(mei***@example.com)\t", amount, amount]
    cells += [ZERO, ZERO, ZERO, ZERO, ZERO, "", f"{ZERO}\t", ZERO, f"{request}\t", str(fee), ZERO, ""]
    return ",".join(cells)


def zip_files(files: dict[str, Sequence[str]]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in files.items():
            archive.writestr(name, "\r\n".join([*lines, ""]).encode("gb18030"))
    return content.getvalue()
