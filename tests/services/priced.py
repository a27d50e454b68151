"""A service on loopback whose file has a price list, and whose answers may name what a job cost."""

import json
from typing import Any, Self

from tests.services.declared import DeclaredService

PRICED = """
language = 1
name = "priced"
title = "Priced"
base_url = "https://priced.example.com/v1"
limits = { poll_s = 0.1, shortest_s = 0.1 }
[accepts]
max_count = 4
default_model = "small"
models = [{ id = "small" }, { id = "large" }, { id = "odd" }]
aspect_ratios = { "1:1" = {}, "16:9" = {} }
options = { quality = { type = "string", enum = ["low", "high", "max"] } }
[price]
unit = "USD"
source = "https://priced.example.com/pricing"
date = "2026-11-28"
lines = [
  { model = "small", amount = 0.1 },
  { model = "large", given = { "options.quality" = ["low", "high"] }, amount = 0.25 },
  { model = "large", amount = 1.5 },
]
[submit]
path = "/make"
job = "/id"
cost = { at = "/price", unit = "USD", estimate = true }
body = { prompt = "$prompt", model = "$model", count = "$count", ratio = "$aspect_ratio", quality = "$options.quality" }
[read]
path = "/jobs/{job}"
status = "/status"
cost = { at = "/cents", unit = "USD", times = 0.01 }
error = "/error"
words = { running = ["busy"], done = ["done"], failed = ["failed"] }
[pictures]
each = "/pictures/*"
url = ""
[[rules]]
on = "submit"
status = 422
code = "moderated"
"""


class PricedService(DeclaredService):
    """It finishes a job at its first look, with as many pictures as were asked for, and says what `costs` has."""

    def __init__(self, text: str = PRICED, *, refuses: bool = False, **costs: Any) -> None:
        super().__init__(text)
        self.says["submit"] = [(422, {"error": "no"}) if refuses else (200, {"id": "j", "price": costs.get("price")})]
        self.costs = costs

    def __enter__(self) -> Self:
        service = super().__enter__()
        self.says["read"] = [(200, self._done)]
        return service

    def _done(self) -> Any:
        count = json.loads(self.posts[-1].body)["count"]
        links = [f"{self.origin}/files/{number}.png" for number in range(1, count + 1)]
        return {"status": "done", "pictures": links} | {n: v for n, v in self.costs.items() if n != "price"}
