"""The site of `make docs`: it builds, every link leads somewhere, and nothing is loaded from other machines."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("myst_parser", reason="needs Sphinx with MyST")
pytest.importorskip("furo", reason="needs Sphinx's theme Furo")

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("lecture", "research", "figures", "lab")


class Links(HTMLParser):
    """The links, loaded files and anchors of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = {""}
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link":
            self.loaded.append(found["href"])
        elif "src" in found:
            self.loaded.append(found["src"])


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Builds a site as `make docs` does."""
    options = ("-q", "-W", "--keep-going", "-b", "html", "-c", ROOT / "docs", source, target)
    command = [sys.executable, "-m", "sphinx", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def dead(site: Path) -> list[str]:
    """Links within a site, and files that its pages load, that aren't there."""
    pages = {page: Links(page) for page in sorted(site.rglob("*.html"))}
    missing = []
    for page, found in pages.items():
        for link in (*found.links, *found.loaded):
            parts = urlsplit(link)
            if parts.scheme or not (parts.path or parts.fragment):
                continue
            place = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not place.is_file() or (place in pages and unquote(parts.fragment) not in pages[place].anchors):
                missing.append(f"{page.relative_to(site)}: {link}")
    return missing


@pytest.fixture(scope="module")
def site(checkout, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = build(checkout, target)
    assert done.returncode == 0, done.stderr
    return target.resolve()


def test_no_link_is_dead(site):
    assert dead(site) == []


def test_nothing_is_loaded_from_elsewhere(site):
    pages = {page: Links(page).loaded for page in site.rglob("*.html")}
    assert not [url for loaded in pages.values() for url in loaded if urlsplit(url).scheme not in ("", "data")]
    foreign = re.compile(r"(@import|url\()\s*[\"']?(https?:)?//")
    assert not [path for path in site.rglob("*.css") if foreign.search(path.read_text("utf-8"))]


def test_the_first_page_leads_to_four_first_steps(site):
    assert "docs/index.html" in (site / "index.html").read_text("utf-8")
    links = Links(site / "docs" / "index.html").links
    assert {f"first_steps/{name}.html" for name in STEPS} <= set(links)


def test_parts_of_readme_have_their_pictures_and_links(site):
    text = (site / "docs" / "own_model.html").read_text("utf-8")
    assert "innerwalk show squeezenet1_0" in text and 'href="figures.html"' in text
    assert "BLENDER 4.5".lower() in (site / "docs" / "blender.html").read_text("utf-8").lower()
    assert "Tested on Linux" in (site / "docs" / "limits.html").read_text("utf-8")


@pytest.mark.parametrize("link", ["[a page](nowhere.md)", "[a part](#nowhere)", "![a picture](nowhere.png)"])
def test_a_dead_link_fails(tmp_path, link):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# A page\n\n{link}\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0 and "nowhere" in done.stderr


def test_the_checker_finds_what_is_missing(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#here">x</a><a href="b.html#gone">x</a><img src="c.png">')
    (tmp_path / "b.html").write_text('<p id="here">y</p>')
    assert dead(tmp_path.resolve()) == ["a.html: b.html#gone", "a.html: c.png"]
