#!/usr/bin/env python3
"""Makes traffic.jsonl, the traffic that the server's load driver replays.

  examples/data/make_traffic.py > examples/data/traffic.jsonl

Each line is one step of one customer's session: what is sent, as JSON or (raw) as it stands, under
which name the number in the answer is kept ("as"; "$name" stands for it in later steps), and what
the answer must be ("expect": "ok" or the code of an error). The steps of different sessions are
mixed, as a server would see them; those of one session are in order. Always the same file.
"""

import json
import random

SESSIONS = 192
SYMBOLS = {"ACME": 12_50, "GLOBEX": 88_10, "INITECH": 4_75, "UMBRELLA": 31_00, "HOOLI": 204_40,
           "STARK": 57_25, "WAYNE": 143_00, "TYRELL": 9_99}
FIRST = ["Alice", "Bob", "Carol", "Dora", "Emil", "Fatima", "Georg", "Hana", "Ivan", "Jorge",
         "Kaito", "Lena", "Mei", "Nils", "Olga", "Priya", "Quentin", "Rosa", "Søren", "Tariq",
         "Uma", "Željka"]
LAST = ["Andersson", "Berg", "Costa", "Diaz", "Eriksen", "Fischer", "García", "Haddad", "Ito",
        "Jensen", "Kowalski", "Lindqvist", "Moreau", "Novák", "Okafor", "Patel", "Rossi", "Schäfer"]
RISK_LIMIT = 100_000_000  # cents; the server's risk check refuses an order of a greater value
MALFORMED = [
    ('{"id":@,"do":"deposit","account":', "malformed"),
    ('{"id":@ "do":"get_account"}', "malformed"),
    ("deposit 100 to my account please", "malformed"),
    ('{"id":@,"do":"open_account","owner":"\\ud800"}', "malformed"),
    ('{"id":@,"do":"deposit","account":"seven","amount":100}', "bad_request"),
    ('{"id":@,"do":"deposit","account":1.5,"amount":100}', "bad_request"),
    ('{"id":@,"do":"deposit","account":1}', "bad_request"),
    ('{"id":@,"do":"make_me_rich"}', "unknown_command"),
    ('{"id":@,"owner":"Mallory"}', "bad_request"),
    ("[1,2,3]", "bad_request"),
    ("17", "bad_request"),
]


class Session:
    """One customer, who knows what the account holds."""

    def __init__(self, rng, index):
        self.rng = rng
        self.index = index
        self.balance = 0
        self.orders = {}  # open ones: name -> value
        self.closed = []  # names of cancelled ones
        self.count = 0
        self.steps = []
        self.send({"do": "open_account", "owner": f"{rng.choice(FIRST)} {rng.choice(LAST)}"},
                  name="account")
        self.deposit()
        for _ in range(rng.randint(8, 28)):
            rng.choices([self.order, self.cancel, self.deposit, self.withdraw, self.look, self.list,
                         self.mistake, self.malformed], [34, 16, 12, 6, 16, 6, 7, 3])[0]()

    def send(self, command, expect="ok", name=None):
        step = {"session": self.index, "send": command}
        if name:
            step["as"] = name
        if expect != "ok":
            step["expect"] = expect
        self.steps.append(step)

    def deposit(self):
        amount = self.rng.choice([50_00, 100_00, 250_00, 1000_00, 5000_00])
        amount += self.rng.randint(0, 99)
        self.balance += amount
        self.send({"do": "deposit", "account": "$account", "amount": amount})

    def withdraw(self):
        if self.balance < 20_00:
            return
        amount = self.rng.randint(10_00, self.balance // 2)
        self.balance -= amount
        self.send({"do": "withdraw", "account": "$account", "amount": amount})

    def order(self):
        symbol = self.rng.choice(list(SYMBOLS))
        price = max(1, round(SYMBOLS[symbol] * self.rng.uniform(0.96, 1.04)))
        most = self.balance // price
        if most < 1:
            return self.deposit()
        quantity = self.rng.randint(1, max(1, most // 3))
        self.count += 1
        name = f"order{self.count}"
        self.orders[name] = quantity * price
        self.balance -= quantity * price
        self.send({"do": "place_order", "account": "$account", "symbol": symbol,
                   "quantity": quantity, "price": price}, name=name)

    def cancel(self):
        if not self.orders:
            return self.order()
        name = self.rng.choice(list(self.orders))
        self.balance += self.orders.pop(name)
        self.closed.append(name)
        self.send({"do": "cancel_order", "order": f"${name}"})

    def look(self):
        self.send({"do": "get_account", "account": "$account"})

    def list(self):
        self.send({"do": "list_orders", "account": "$account"})

    def mistake(self):
        kind = self.rng.randrange(7)
        if kind == 0:
            self.send({"do": "withdraw", "account": "$account",
                       "amount": self.balance + self.rng.randint(1, 500_00)}, "insufficient_funds")
        elif kind == 1:
            price = SYMBOLS["HOOLI"]
            self.send({"do": "place_order", "account": "$account", "symbol": "HOOLI",
                       "quantity": self.balance // price + 1, "price": price}, "insufficient_funds")
        elif kind == 2:
            self.send({"do": "deposit", "account": 999_000_000_000, "amount": 100_00},
                      "unknown_account")
        elif kind == 3:
            self.send({"do": "deposit", "account": "$account", "amount": -5_00}, "bad_amount")
        elif kind == 4 and self.closed:
            closed = self.rng.choice(self.closed)
            self.send({"do": "cancel_order", "order": f"${closed}"}, "not_open")
        elif kind == 5:
            self.send({"do": "place_order", "account": "$account", "symbol": "no such",
                       "quantity": 1, "price": 1_00}, "bad_symbol")
        else:
            # A great deposit, an order too great for the risk check, and the money back.
            amount = 2 * RISK_LIMIT
            self.send({"do": "deposit", "account": "$account", "amount": amount})
            self.send({"do": "place_order", "account": "$account", "symbol": "STARK",
                       "quantity": 3, "price": RISK_LIMIT // 2}, "risk_refused")
            self.send({"do": "withdraw", "account": "$account", "amount": amount})

    def malformed(self):
        raw, expect = self.rng.choice(MALFORMED)
        self.steps.append({"session": self.index, "raw": raw, "expect": expect})


def main():
    rng = random.Random(2025)
    waiting = [Session(rng, index).steps for index in range(SESSIONS)]
    active, waiting = waiting[:48], waiting[48:]
    while active:
        steps = rng.choice(active)
        print(json.dumps(steps.pop(0), ensure_ascii=False, separators=(",", ":")))
        if not steps:
            active.remove(steps)
            if waiting:
                active.append(waiting.pop(0))


if __name__ == "__main__":
    main()
