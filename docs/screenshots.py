"""Takes the pictures in `docs/images`: `python docs/screenshots.py [--progress runs/NAME/progress.html]`.

The run behind the review pages is made on the spot by the scripted engine, from the texts below; since that engine
writes no sensible instructions, those of the texts take their place. The page of progress is that of a run that works
meanwhile, and is left as it is where none is given. Needs playwright and a Chromium (`CHROMIUM`, else found by name).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from starlette.routing import Route

from humpback.config import load_config
from humpback.pipeline import run_pipeline
from humpback.records import Candidate
from humpback.review.arena import read_arena
from humpback.review.arena.pages import ArenaPages
from humpback.review.guard import Person
from humpback.review.label_app import LabelPages
from humpback.review.serve import bind, guarded, hosts_of
from humpback.workspace import part_files, read_part, write_rows

IMAGES = Path(__file__).resolve().with_name("images")

# Heading, instruction, text.
DOCUMENTS: dict[str, list[tuple[str, str, str]]] = {
    "Bicycles": [
        (
            "A flat tyre",
            "How do I repair a flat bicycle tyre on the road?",
            "Take the wheel out and lever one side of the tyre over the rim, beginning opposite the valve. Pull "
            "the tube out, pump it up a little and hold it to your cheek or under water until you feel or see "
            "where air escapes.\n\nRoughen the place with the sandpaper of the kit, spread the glue thinly, and "
            "wait until it no longer shines: about five minutes. Press the patch on from its middle outwards.\n\n"
            "Before the tube goes back, run your fingers along the inside of the tyre. What made the hole is often "
            "still there, and would make the next one within the hour.",
        ),
        (
            "A squeaking chain",
            "My bike chain squeaks even though I oiled it last week. What could be the reason?",
            "A chain squeaks when its pins run dry, and oil on the outside does not reach them. Wipe the chain "
            "with a rag until the rag stays clean, put one drop on each roller, turn the cranks backwards for a "
            "minute and wipe off everything that you can still see.\n\nIf it squeaks again after one rainy ride, "
            "the oil was too thin for your weather. If it squeaks at once, listen closer: the small wheels of the "
            "derailleur sound much the same, and want a drop too.",
        ),
        (
            "Brakes that rub",
            "Explain how to centre rim brakes so that they stop rubbing.",
            "Spin the wheel and look at the gap on either side. If the rim itself wanders from left to right the "
            "wheel is out of true, and no setting of the brake will help. If it runs straight, loosen the bolt "
            "behind the brake half a turn, squeeze the lever, and tighten the bolt while you hold it: both pads "
            "now stand equally far away.\n\nOn arms with small screws at their sides, turn the screw of the side "
            "that rubs inwards, a quarter turn at a time.",
        ),
    ],
    "Kitchen": [
        (
            "Bread without kneading",
            "Give me a recipe for a bread that I do not have to knead.",
            "Stir 400 g of flour, 8 g of salt and 1 g of dry yeast together, add 300 g of water and mix until no "
            "dry flour is left. Cover the bowl and leave it alone for 14 to 18 hours: time does what kneading "
            "would.\n\nFold the dough over itself four times and let it rest for an hour on a floured cloth. "
            "Meanwhile heat a heavy pot with its lid in the oven to 240 °C. Bake for 30 minutes with the lid on "
            "and 15 without. It is done when it sounds hollow from below.",
        ),
        (
            "Rice that does not stick",
            "Rice?",
            "Rinse the rice until the water runs clear, for it is loose starch that glues the grains together. Use "
            "one and a half parts of water to one of rice, bring it to the boil without a lid, then cover it and "
            "turn the heat as low as it goes for twelve minutes.\n\nTake the pot off and do not lift the lid for "
            "ten more. The steam evens out what the bottom has too much and the top too little of. Loosen it with "
            "a fork, never with a spoon.",
        ),
        (
            "Sharpening a knife",
            "Describe how to sharpen a kitchen knife with a whetstone, for somebody who has never done it.",
            "Soak the stone until no more bubbles rise and lay it on a wet towel so that it cannot slide. Hold the "
            "blade at about 15 degrees: as high as two stacked coins under its back.\n\nPush it over the stone as "
            "if you wanted to cut a thin slice off it, from heel to tip, ten times. You will feel a fine burr on "
            "the other side. Turn the knife and take the burr away with as many strokes, then with fewer and "
            "fewer, changing sides. A sharp knife cuts paper by its own weight.",
        ),
    ],
    "Garden": [
        (
            "Watering in summer",
            "When is the best time of day to water vegetables in summer, and how much do they need?",
            "Water early in the morning. The ground is cool, little is lost to the sun, and leaves that got wet "
            "dry before night, when mildew likes them best. In the evening slugs thank you for it.\n\nTwo thorough "
            "waterings a week are better than a little every day, since roots grow to where the water is. Give 10 "
            "to 15 litres a square metre each time, slowly, so that it sinks in. If the earth is dry a finger "
            "deep, it is time.",
        ),
        (
            "Compost",
            "Subscribe to our newsletter for more tips about compost!",
            "A good heap is built like a sandwich: something brown, such as leaves, straw or torn cardboard, on "
            "everything green. Brown brings carbon and air, green brings nitrogen and water. Too much green "
            "smells, too much brown does nothing at all.\n\nTurn it every few weeks, keep it as moist as a "
            "wrung-out sponge, and leave out meat and cooked food, which rats find before it rots. After nine "
            "months what was kitchen waste smells like a wood.",
        ),
        (
            "Pruning an apple tree",
            "Write a short guide to pruning an old apple tree in winter.",
            "Choose a dry day without hard frost. First take out what is dead, what is ill, and what rubs against "
            "another branch; often that is half of the work. Then let light in: a hat thrown through the crown "
            "should not get caught.\n\nCut back to a side branch and not to a stump, close to the collar where the "
            "bark wrinkles. Never take more than a quarter of the crown in a year, or the tree answers with a "
            "forest of upright shoots.",
        ),
    ],
}
ANSWERS = [
    (
        "What is the difference between weather and climate?",
        "Weather is what you see when you look out of the window: rain this afternoon, wind tonight. Climate is "
        "the average of the weather at a place over decades.\n\nA cold week says little about climate, just as one "
        "throw says little about whether dice are fair. Thirty years are the usual span over which climate is "
        "measured.",
        "Weather and climate are both very important topics. Weather is weather and climate is climate. Many "
        "people ask about the difference between weather and climate. In conclusion, there is a difference between "
        "them, and it is good to know it.",
    ),
    (
        "Name three uses of vinegar besides cooking.",
        "Descaling kettles, cleaning windows, and killing weeds.",
        "Vinegar.",
    ),
    ("Why do leaves turn red?", "Sugars that stay in the leaf are made into red pigments.", "Because it is autumn."),
]


def main() -> None:
    """Writes the pictures anew."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--progress", type=Path, help="the page of a run that is in the middle of its work")
    progress: Path | None = parser.parse_args().progress
    page = progress.read_text(encoding="utf-8") if progress else None
    IMAGES.mkdir(exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.chdir(folder)  # so that sources in the pictures are short
        run = make_run(Path())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        label_pictures(browser, run)
        arena_pictures(browser, run)
        if page:
            progress_picture(browser, page)
        browser.close()


def make_run(folder: Path) -> Path:
    """A run of two rounds over the texts, with their instructions in place of the scripted ones."""
    documents = folder / "documents"
    documents.mkdir()
    for title, sections in DOCUMENTS.items():
        body = "\n\n".join(f"## {heading}\n\n{text}" for heading, _, text in sections)
        (documents / f"{title.lower()}.md").write_text(f"# {title}\n\n{body}\n", encoding="utf-8")
    seed = folder / "seed.jsonl"
    sentences = [one for sections in DOCUMENTS.values() for _, _, text in sections for one in text.split(". ")]
    pairs = [
        {"instruction": f"Tell me {n} things.", "output": ". ".join(sentences[n % 40 : n % 40 + 4]) + "."}
        for n in range(2, 62)
    ]
    seed.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    given = {
        "model": str(folder / "none"),
        "seed": str(seed),
        "corpus": str(documents),
        "name": "handbooks",
        "runs_dir": str(folder),
        "rounds": 2,
        "engine": {"kind": "scripted"},
        "ingest": {"min_chars": 200, "max_chars": 900, "merge_short": False, "calibration_fraction": 0.4},
        "rate": {"judge": "calibrated", "unfit": "warn"},
    }
    config = folder / "humpback.yaml"
    config.write_text(json.dumps(given), encoding="utf-8")
    settings = load_config(config)
    run_pipeline(settings)
    instructions = {text[:40]: told for sections in DOCUMENTS.values() for _, told, text in sections}
    for part in part_files(settings.folder / "candidates"):
        rows = list(read_part(part, Candidate))
        write_rows(part, [replace(row, instruction=instructions[row.output[:40]]) for row in rows], Candidate)
    return settings.folder


@contextmanager
def served(routes: list[Route], person: Person) -> Iterator[str]:
    """The address of a server with these pages."""
    import uvicorn

    listening = bind("127.0.0.1", 0)
    hosts = hosts_of("127.0.0.1", listening.getsockname()[1])
    settings = uvicorn.Config(guarded(routes, [person], hosts), log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://{hosts[0]}/?token={person.token}"
    server.should_exit = True
    thread.join()


def label_pictures(browser: Browser, run: Path) -> None:
    """The label page, light, dark and narrow."""
    person = Person("anna")
    with served(LabelPages(run, [person.name]).routes(), person) as address:
        page = opened(browser, address, "light")
        for key in ("a", "a", "r", "a"):
            page.keyboard.press(key)
            page.wait_for_function("() => !document.querySelector('#status').className.includes('wrong')")
            page.wait_for_timeout(150)
        page.wait_for_timeout(2500)  # until the message is gone
        page.locator("article details summary").last.click()
        taken(page, "review-label-light.png")
        page = opened(browser, page.url, "dark", address)
        taken(page, "review-label-dark.png")
        page.set_viewport_size({"width": 400, "height": 800})
        page.emulate_media(color_scheme="light")
        taken(page, "review-label-narrow.png")


def arena_pictures(browser: Browser, run: Path) -> None:
    """A question of the arena, light and dark."""
    files = run.parent / "a.json", run.parent / "b.json"
    for place, file in enumerate(files, 1):
        rows = [{"instruction": row[0], "output": row[place], "generator": file.stem} for row in ANSWERS]
        file.write_text(json.dumps(rows), encoding="utf-8")
    person = Person("anna")
    arena = read_arena(*files, None, 0.8, 0)
    with served(ArenaPages(arena, run, [person.name]).routes(), person) as address:
        page = opened(browser, address, "light")
        page.set_viewport_size({"width": 1280, "height": 620})
        while not page.get_by_text(ANSWERS[0][0]).count():  # questions come in a random order
            page.keyboard.press("0")
            page.wait_for_load_state("networkidle")
        taken(page, "review-arena.png")


def progress_picture(browser: Browser, text: str) -> None:
    """The page of progress as far as a window shows it."""
    page = browser.new_context(viewport={"width": 900, "height": 1130}, color_scheme="light").new_page()
    page.set_content(text)
    taken(page, "progress-light.png")


def opened(browser: Browser, url: str, scheme: str, token_address: str | None = None) -> Page:
    """The page, after the token was exchanged."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    if token_address:
        page.goto(token_address)
    page.goto(url)
    return page


def taken(page: Page, name: str) -> None:
    """Writes a picture of what the window shows."""
    page.screenshot(path=IMAGES / name)


if __name__ == "__main__":
    main()
