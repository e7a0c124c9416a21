"""Write a small daily record of two shops whose law is known: demand_daily.csv, beside this file.

python examples/make_demand.py

In shop s on day t (0 is 2023-01-01):

    demand(t) = level_s (1 + t / 2000) week(weekday) (1 - .4 holiday(t)) + 2.5 max(temperature(t) - 18, 0) + noise

with levels 120 and 60, week = 1, .9, .95, 1, 1.2, 1.35, .7 from Monday on, and normal noise of standard deviation 3. The
temperature is 10 - 9 cos(2 pi (t - 15) / 365.25) and an autoregressive wander of coefficient .8. The last 28 days have no
demand: they are to be forecast.
"""

import csv
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("demand_daily.csv")
SHOPS = {"north": 120.0, "south": 60.0}
DAYS, AHEAD = 730, 28
WEEK = np.array([1.0, 0.9, 0.95, 1.0, 1.2, 1.35, 0.7])
HOLIDAYS = ("01-01", "05-01", "10-03", "12-25", "12-26")
NOISE = 3.0


def rows(shop: str, seed: int) -> list[list[object]]:
    """The rows of one shop: day, shop, demand, temperature, holiday."""
    random = np.random.default_rng(seed)
    t = np.arange(DAYS + AHEAD)
    days = np.datetime64("2023-01-01") + t
    weekday = (days.astype(int) + 3) % 7
    holiday = np.isin([str(day)[5:] for day in days], HOLIDAYS)
    wander = np.zeros(len(t))
    for k in range(1, len(t)):
        wander[k] = 0.8 * wander[k - 1] + random.normal(0.0, 1.8)
    temperature = np.round(10.0 - 9.0 * np.cos(2 * np.pi * (t - 15) / 365.25) + wander, 1)
    demand = SHOPS[shop] * (1 + t / 2000) * WEEK[weekday] * (1 - 0.4 * holiday) + 2.5 * np.maximum(temperature - 18.0, 0.0)
    demand = np.round(demand + random.normal(0.0, NOISE, len(t)), 1)
    return [[days[k], shop, demand[k] if k < DAYS else "", temperature[k], int(holiday[k])] for k in range(len(t))]


def main() -> None:
    """Write the file."""
    with open(FILE, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["day", "shop", "demand", "temperature", "holiday"])
        for seed, shop in enumerate(SHOPS):
            writer.writerows(rows(shop, seed))


if __name__ == "__main__":
    main()
