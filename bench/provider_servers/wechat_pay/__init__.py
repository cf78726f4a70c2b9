"""WeChat Pay API v3 as the shop sees it: `python -m bench.provider_servers.wechat_pay PORT FOLDER`.

The folder keeps keys and book, so that a server that is killed goes on where it was. The first line of its
output is JSON: `url`, and `environment`, the settings of a shop that uses it. Tests use `/control`:

- `POST pay {reference, notify, amount}`: the customer pays; `GET book`: everything the server knows.
- `POST refund {reference, status}`: a refund ends; `POST refunds {status}`: how refunds begin (PROCESSING).
- `POST faults {fault, path, times}`: of answers: server_error, frequency, forged_refusal (nothing is done);
  hang, drop, error_after, nonsense, wrong_signature, unsigned, probe, stale, ahead, slow_after (it is done);
  slow.
- `POST notice_faults {fault, times}`: lost, doubled, held (until `POST release`, the newest first), probe,
  wrong_signature.
- `POST notice {reference, kind, event, content, envelope, offset_seconds}`: a signed notice that is not sent.
- `POST signing {by}`: public_key or certificate signs notices; `POST rotate {keep}`: a new certificate;
  `POST clock {offset_seconds}`; `POST reset` forgets faults, clock and choices.
"""
