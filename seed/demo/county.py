"""The demo county being made: its tables, its chances, and the invented people in it."""

from __future__ import annotations

import csv
import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEED = 20180929
TOWNSHIPS = [
    ("530427001", "桂山街道"), ("530427002", "古城街道"), ("530427101", "扬武镇"), ("530427102", "漠沙镇"),
    ("530427103", "戛洒镇"), ("530427104", "水塘镇"), ("530427200", "平甸乡"), ("530427201", "新化乡"),
    ("530427202", "建兴乡"), ("530427203", "老厂乡"), ("530427204", "者竜乡"), ("530427205", "平掌乡"),
]  # fmt: skip
SURNAMES = "普李杨白张王罗方刀龙施矣陶鲁沐者马周陈刘".strip()
GIVEN = "小雨佳怡子涵浩然天佑若曦思琪文博俊杰明轩梦瑶雨欣彩凤志强海燕丽萍春花正兴国栋永福慧敏秀英建国晓燕云强"
PLACE_NAMES = [
    "晨光",
    "青松",
    "红枫",
    "石桥",
    "白鹭",
    "山泉",
    "云岭",
    "竹溪",
    "向阳",
    "梨园",
    "桃源",
    "茶山",
    "江畔",
    "鹿鸣",
    "松林",
    "碧水",
    "双河",
    "高峰",
    "和平",
    "新寨",
    "龙泉",
    "凤鸣",
    "星火",
    "金穗",
]
VILLAGES = ["和平村", "新寨村", "大平地村", "小河村", "上坝村", "下坝村", "核桃村", "茶园村", "松树村", "石头村"]
CITIES = ["云南昆明", "云南玉溪", "广东东莞", "广东深圳", "浙江义乌", "江苏苏州", "四川成都", "福建泉州"]
AUTUMN, SPRING = (dt.date(2025, 9, 1), dt.date(2026, 1, 23)), (dt.date(2026, 3, 2), dt.date(2026, 7, 10))
MONTHS = [(2025, 9), (2025, 10), (2025, 11), (2025, 12), (2026, 1), (2026, 3), (2026, 4), (2026, 5), (2026, 6), (2026, 7)]
TERMS = {"2025-1": AUTUMN, "2025-2": SPRING}
DAY = dt.timedelta(days=1)
OUTSIDE, SECRETARY, BUREAU = "9953990001", "2153990001", "0000000001"
"""Out of the county; the school of the demo's secretary, a good one with something of everything left to do; the bureau."""
LAST = dt.date(2026, 8, 31)
"""The cut-off of the round; nothing in the county is later."""

School = dict[str, Any]
"""A school: its row and what the makers of the county ask about it; ``well`` says how well it works."""


def told(side: str, text: str) -> dict[str, str]:
    """What is said of a child's mind stands in a column of its own."""
    return {"mind" if side == "mind" else "text": text}


def good(school: School) -> float:
    """How well a school works, from 0 (the worst) to 1."""
    return float((school["well"] - 0.62) / 0.38)


def boards(school: School) -> bool:
    return bool(school["row"]["boarding"] == "1")


class County:
    def __init__(self) -> None:
        self.random = random.Random(SEED)  # nosec B311 # chance that repeats
        self.files: dict[str, list[dict[str, Any]]] = {}
        self.taken: set[str] = set()
        self.serial = 0

    def draw(self, name: str) -> None:
        """A stream of chances of its own: what is added to one part of the county leaves the others as they are."""
        self.random = random.Random(f"{SEED}/{name}")  # nosec B311 # chance that repeats

    def add(self, table: str, **row: Any) -> None:
        self.files.setdefault(table, []).append(row)

    def person(self, surname: str = "") -> str:
        r = self.random
        return (surname or r.choice(SURNAMES)) + "".join(r.sample(GIVEN, r.choice((1, 2, 2))))

    def phone(self) -> str:
        self.serial += 1
        return f"199{self.serial:08}"

    def id_number(self, born: dt.date, male: bool) -> str:
        while True:
            order = self.random.randrange(0, 500) * 2 + int(male)
            first = f"539999{born:%Y%m%d}{order:03}"
            weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
            number = first + "10X98765432"[sum(w * int(d) for w, d in zip(weights, first, strict=True)) % 11]
            if number not in self.taken:
                self.taken.add(number)
                return number

    def day(self, first: dt.date, last: dt.date) -> dt.date:
        return first + dt.timedelta(days=self.random.randrange((last - first).days + 1))

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def code(self, table: str, letter: str, width: int = 5) -> str:
        """The name of the next row of a table inside the folder."""
        return f"{letter}{len(self.files.get(table, [])) + 1:0{width}}"

    def pick(self, text: str) -> str:
        """One of several phrases with | between them."""
        return self.random.choice(text.split("|"))

    def write(self) -> None:
        for old in HERE.glob("*.csv"):
            old.unlink()
        for table, rows in self.files.items():
            columns = list(dict.fromkeys(k for row in rows for k in row))
            piece = 7000
            for n in range(0, len(rows), piece):
                name = f"{table}.csv" if len(rows) <= piece else f"{table}-{n // piece + 1}.csv"
                with (HERE / name).open("w", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, columns, lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(rows[n : n + piece])


@dataclass
class Stay:
    """A child at a school, from a day to a day."""

    school: School
    start: dt.date
    end: dt.date | None
    teacher: str

    def covers(self, day: dt.date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


@dataclass
class Pupil:
    """A child with what the later parts of the county ask about it."""

    code: str
    row: dict[str, Any]
    stays: list[Stay]
    parents: dict[str, dict[str, Any]]
    states: dict[str, list[dict[str, Any]]]
    carer: dict[str, Any]
    cared: list[dt.date] = field(default_factory=list)
    """The days of its talks, visits and contacts."""

    def at(self, day: dt.date) -> Stay | None:
        return next((stay for stay in self.stays if stay.covers(day)), None)

    @property
    def now(self) -> Stay | None:
        return self.at(LAST)

    @property
    def well(self) -> float:
        return float(self.stays[-1].school["well"])

    @property
    def grade(self) -> str:
        return str(self.row["grade"])

    def state(self, side: str, day: dt.date) -> str:
        return next((r["state"] for r in self.states[side] if r["start"] <= day and (not r["end"] or day < r["end"])), "")

    def left_behind(self, day: dt.date) -> bool:
        """GF13, as the product computes it."""
        both = {self.state("father", day), self.state("mother", day)}
        born = self.row["birth_date"]
        young = (day.year, day.month, day.day) < (born.year + 16, born.month, born.day)
        return young and self.at(day) is not None and "away" in both and not both & {"home", ""}


def pupils_of(c: County, schools: list[School]) -> list[Pupil]:
    """The children in the order they were made."""
    school = {each["code"]: each for each in schools}
    found = {}
    for row, stay in zip(c.files["child"], c.files["enrolment"], strict=True):
        at = Stay(school[stay["school"]], stay["start"], stay["end"] or None, row["class_teacher"])
        found[row["code"]] = Pupil(row["code"], row, [at], {}, {"father": [], "mother": []}, {})
    side = {row["code"]: row["side"] for row in c.files["parent"]}
    for row in c.files["parent"]:
        found[row["child"]].parents[row["side"]] = row
    for row in c.files["parent_status"]:
        found[row["parent"][:-1]].states[side[row["parent"]]].append(row)
    for row in c.files["carer"]:
        found[row["child"]].carer = row
    return list(found.values())
