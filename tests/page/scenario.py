"""Documents as GET /status.json of a monitor gives them, made up: of a shop, or as a test wants."""

import math
import random

TOTALS = ["offered", "accepted", "rejected", "handled", "failed", "dropped", "abandoned",
          "unrouted", "overran", "scheduled", "retries"]
RATES = ["offered", "rejected", "handled", "failed", "dropped", "abandoned", "unrouted", "retries"]
SINCE = 1_900_000_000.0


def component(name, kind="consumer", executor="io_context 1", rates=(), totals=(), **more):
    """A component without trouble, but for what is given."""
    made = {
        "id": "c1", "name": name, "kind": kind, "executor": executor, "state": "open",
        "waiting": 0, "capacity": 1024, "oldest": 0, "in_flight": 0, "limit": 1, "scheduled": 0,
        "totals": {**dict.fromkeys(TOTALS, 0), **dict(totals)},
        "rates": {**dict.fromkeys(RATES, 0), **dict(rates)},
        "wait": None, "handle": None, "breakers": [], "dead_letters": 0, "blocked_senders": 0,
        "last_error": None, "handlers": [],
    }
    assert not set(more) - set(made)
    return {**made, **more}


def failure(number, time, where, message, text, handler="", repeated=False):
    return {"id": number, "time": time, "component": where, "message": message,
            "handler": handler or f"handler of {message}", "text": text, "repeated": repeated}


def letter(number, time, where, message, reason, attempts=5):
    return {"id": number, "component": where, "handler": f"handler of {message}",
            "message": message, "reason": reason, "attempts": attempts, "time": time,
            "replayable": True, "replaying": False}


def edge(start, end, messages=(), **more):
    made = {"from": start, "to": end, "group": "", "pick": "", "messages": list(messages),
            "received": bool(end), "shared": False, "offered": 0, "failed": 0, "offered_rate": 0,
            "failed_rate": 0}
    assert not set(more) - set(made)
    return {**made, **more}


def status(components=(), time=SINCE + 400, senders=(), edges=(), letters=(), **more):
    """The document. `senders`: (name, kind) of producers and the like. In `edges` the names of
    components and senders stand for their ids."""
    components = [{**each, "id": f"c{i}"} for i, each in enumerate(components, 1)]
    nodes = [{"id": each["id"], "name": each["name"], "kind": each["kind"], "family": "async",
              "executor": each["executor"], "detail": "", "hosted": True,
              "handlers": max(1, len(each["handlers"]))} for each in components]
    nodes += [{"id": f"c{i}", "name": name, "kind": kind, "family": "async", "executor": "",
               "detail": "", "hosted": False, "handlers": 0}
              for i, (name, kind) in enumerate(senders, len(components) + 1)]
    ids = {**{node["name"]: node["id"] for node in nodes}, "": ""}
    made = {
        "version": 1, "msgbus": "0.1.0", "title": "shop", "time": time, "since": SINCE,
        "interval": 1, "allow_actions": False, "state": "serving", "stalled": [],
        "components": components, "nodes": nodes,
        "edges": [{**each, "from": ids[each["from"]], "to": ids[each["to"]]} for each in edges],
        "links": [], "warnings": [], "failures": [],
        "dead_letters": {"kept": len(letters), "added": len(letters), "replayed": 0,
                         "discarded": 0, "dropped": 0, "letters": list(letters)},
    }
    assert not set(more) - set(made)
    return {**made, **more}


def quantiles(p50, p99):
    return {"p50": p50, "p99": p99}


def shop(second, stuck=False):
    """A shop amid its work, `second` seconds after its start: always the same for one second.
    A bank that does not answer makes trouble from second 220 on; `stuck`: also a thread pool."""
    chance = random.Random(second)
    time = SINCE + second
    wave = 1 + 0.35 * math.sin(second / 23) + 0.12 * math.sin(second / 5)
    burst = 2.2 if 120 <= second % 400 < 150 else 1
    placed = 420 * wave * burst * chance.uniform(0.93, 1.07)
    bad_bank = second >= 220
    down = min(second - 220, 80) / 80 if bad_bank else 0
    charged = placed * (0.18 - 0.12 * down)
    failed = charged * 0.3 * down
    waiting = int(down * 61)
    handled = 160_000 + int(second * 420)
    last = failure(311, time - 4.2, "billing", "charge",
                   "bank: connection refused (127.0.0.1:7443)", repeated=True) if bad_bank else None
    texts = ["bank: connection refused (127.0.0.1:7443)", "bank: timeout after 2 s",
             "bank: connection refused (127.0.0.1:7443)", "no such article: 1183"]
    failures = [failure(311 - i, time - 4.2 - 2.6 * i, "billing" if i % 4 != 3 else "orders",
                        "charge" if i % 4 != 3 else "order_placed", texts[i % 4],
                        repeated=i % 3 == 0) for i in range(40)] if bad_bank else []
    letters = [letter(f"1-{9 - i}", time - 7 - 11.3 * i, "billing", "charge", texts[i % 2])
               for i in range(4)] if bad_bank else []
    components = [
        component("gateway", "service", rates={"offered": placed, "handled": placed},
                  totals={"offered": handled, "accepted": handled, "handled": handled},
                  in_flight=3, limit=16, waiting=chance.randint(0, 4),
                  wait=quantiles(21e-6, 180e-6), handle=quantiles(310e-6, 2.1e-3), oldest=40e-6,
                  handlers=[handler("operation 'place_order'", "place_order", placed * 0.8, 250e-6),
                            handler("operation 'balance'", "balance", placed * 0.2, 80e-6)]),
        component("orders", rates={"offered": placed, "handled": placed},
                  totals={"offered": handled, "accepted": handled, "handled": handled - 12,
                          "failed": 12},
                  in_flight=1, waiting=chance.randint(0, 9), oldest=41e-6,
                  wait=quantiles(35e-6, 240e-6), handle=quantiles(4.2e-6, 31e-6),
                  last_error=failure(300, time - 190, "orders", "order_placed",
                                     "no such article: 1183") if bad_bank else None,
                  handlers=[handler("handler of order_placed", "order_placed", placed, 4.2e-6)]),
        component("billing", executor="thread_pool 1", capacity=64, limit=8, waiting=waiting,
                  in_flight=8 if bad_bank else 2, oldest=9.4 * down,
                  rates={"offered": charged, "handled": charged - failed, "failed": failed,
                         "retries": failed * 1.7},
                  totals={"offered": 31_200, "accepted": 31_200, "handled": 30_700, "failed": 430,
                          "retries": 812},
                  wait=quantiles(0.0021 + 2.2 * down, 0.009 + 8.8 * down),
                  handle=quantiles(0.041 + down * 0.4, 0.16 + 1.84 * down),
                  breakers=[{"name": "bank", "state": "half_open" if bad_bank else "closed"}],
                  dead_letters=len(letters), blocked_senders=3 if down > 0.9 else 0,
                  last_error=last,
                  handlers=[handler("handler of charge", "charge", charged, 0.041, running=8,
                                    running_for=14.2 if stuck else 0.3)]),
        component("stock", executor="io_context 1", rates={"offered": placed, "handled": placed},
                  totals={"offered": handled, "accepted": handled, "handled": handled},
                  waiting=chance.randint(0, 20), oldest=80e-6, in_flight=1,
                  wait=quantiles(52e-6, 410e-6), handle=quantiles(11e-6, 95e-6),
                  handlers=[handler("handler of order_placed", "order_placed", placed, 11e-6)]),
        component("audit", executor="strand 2", capacity=4096, waiting=chance.randint(100, 240),
                  rates={"offered": placed * 1.2, "handled": placed * 1.2}, in_flight=1,
                  totals={"offered": handled, "accepted": handled, "handled": handled - 150},
                  oldest=0.21, wait=quantiles(0.11, 0.24), handle=quantiles(160e-6, 900e-6),
                  handlers=[handler("handler of order_placed", "order_placed", placed, 160e-6)]),
        component("mail", "subscriber", executor="io_context 2", capacity=256,
                  rates={"offered": placed * 0.1, "handled": placed * 0.1}, in_flight=2, limit=4,
                  totals={"offered": 18_900, "accepted": 18_900, "handled": 18_898},
                  wait=quantiles(90e-6, 0.004), handle=quantiles(0.012, 0.048),
                  handlers=[handler("handler of notice on 'mail.*'", "notice", placed * 0.1,
                                    0.012)]),
        component("metrics sink", "subscriber", executor="io_context 2", capacity=128,
                  rates={"offered": 6, "handled": 0, "unrouted": 6},
                  totals={"offered": 1_900, "accepted": 1_900, "handled": 1_900,
                          "unrouted": 1_900}),
    ]
    edges = [
        edge("commands", "gateway", ["place_order", "balance"], offered_rate=placed),
        edge("gateway", "sales", [], offered_rate=placed),
        edge("sales", "orders", ["order_placed"], offered_rate=placed),
        edge("sales", "stock", ["order_placed"], offered_rate=placed),
        edge("sales", "audit", ["order_placed", "paid"], offered_rate=placed * 1.2, shared=True),
        edge("orders", "charges", [], offered_rate=charged),
        edge("charges", "billing", ["charge"], offered_rate=charged, failed_rate=failed),
        edge("billing", "news", [], offered_rate=placed * 0.1),
        edge("news", "mail", ["mail.*"], offered_rate=placed * 0.1),
        edge("news", "metrics sink", ["metrics.#"], offered_rate=6, received=False),
        edge("returns", ""),
    ]
    senders = [("commands", "link"), ("sales", "producer"), ("charges", "producer"),
               ("news", "publisher"), ("returns", "producer")]
    warnings = []
    if bad_bank:
        warnings.append(warning("unrouted", "metrics sink", "no handler accepts its messages: "
                                "6 of 6 in the last second", SINCE + 220))
    if down > 0.9:
        warnings.append(warning("mailbox_full", "billing", "its mailbox has been over 80 % full "
                                f"for {int(down * 40)} s: {waiting} of 64", SINCE + 284))
        warnings.append(warning("slow_handler", "billing", "handler of charge is slower than its "
                                "messages come: 25 handled and 34 offered a second", SINCE + 277))
    stalled = []
    if stuck:
        stalled = [{"executor": "thread_pool 1", "since": time - 14.2, "seconds": 14.2,
                    "components": ["billing"], "running": [
                        {"component": "billing", "message": "charge",
                         "handler": "handler of charge", "count": 8, "seconds": 14.2}]}]
        warnings.append(warning("stalled_executor", "",
                                "thread_pool 1 has run no function for 14.2 s: "
                                "handler of charge of \"billing\" runs there", SINCE + 297))
    links = [{"bridge": "nats", "name": "durable orders.>", "now": {"in_flight": 2, "waiting": 0},
              "totals": {"received": 48_211, "acked": 48_209, "redelivered": 3}}]
    return status(components, time, senders, edges, letters, allow_actions=True, links=links,
                  warnings=warnings, stalled=stalled, failures=failures)


def handler(name, message, calls, p50, running=1, running_for=0.0):
    return {"handler": name, "message": message, "calls": int(calls * 300), "rate": calls,
            "running": running, "running_for": running_for, "handle": quantiles(p50, p50 * 7.5)}


def warning(kind, where, text, since):
    return {"kind": kind, "component": where, "text": text, "since": since}
