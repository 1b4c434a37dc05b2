"""The page in headless Chromium: what its document shows after what was done to the server."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.server import Fault, LocalServer
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed; it is in the extra browser"
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MARKUP = "<script>document.title = 'foreign'</script><b>&amp;"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        # Without a sandbox of its own it also runs as root, in a container; it visits nothing but this server.
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, server: LocalServer) -> Iterator[Any]:
    """The page, live; it fails for whatever goes wrong in it, or is fetched from elsewhere."""
    opened = chromium.new_page(viewport={"width": 1280, "height": 900})
    wrong: list[str] = []
    fetched: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda request: fetched.append(request.url))
    root = server.url.removesuffix("/v1")
    opened.goto(root + "/")
    playwright.expect(opened.locator("#live")).to_have_text("live")
    yield opened
    opened.close()
    assert wrong == []
    assert all(url.startswith((f"{root}/", "data:")) for url in fetched)


def shows(locator: Any, text: str | re.Pattern[str]) -> None:
    playwright.expect(locator).to_have_text(text)


def test_jobs_appear_move_on_and_end(page: Any, api: Api, server: LocalServer) -> None:
    shows(page.locator("#welcome code"), server.url)
    job_id = api.create(suffix="tone", validation_file=api.training_file(4))["id"]
    row = page.locator("#job-list li").first
    shows(row.locator(".pill"), "validating files")
    server.advance(20 + 3 * 45)
    shows(row.locator(".pill"), "running")
    shows(page.locator("#job-steps"), "step 45 of 100")
    shows(page.locator("#job-title"), "tone")
    shows(page.locator("#job-id"), job_id)
    playwright.expect(page.locator("#simulated")).to_be_visible()
    train, valid = page.locator("#chart polyline").all()
    for curve in (train, valid):
        assert len(curve.get_attribute("points").split()) == 45
    assert page.locator("#chart title").first.text_content().startswith("Simulated training loss from ")
    shows(page.locator("#events li").first, re.compile(r"Step 45/100: training loss="))
    assert page.locator("#events li").count() > 45
    playwright.expect(page.locator("#checkpoints li")).to_have_count(3)
    server.advance(minutes=10)
    shows(row.locator(".pill"), "succeeded")
    shows(page.locator("#job-facts"), re.compile("ft:gpt-4o-mini-2024-07-18:local:tone:"))
    server.fail(api.create()["id"], code="server_error", message="the machine room is wet")
    playwright.expect(page.locator("#job-list li")).to_have_count(2)
    shows(page.locator("#job-error"), "server_error: the machine room is wet")
    server.reset()
    playwright.expect(page.locator("#welcome")).to_be_visible()
    playwright.expect(page.locator("#job")).to_be_hidden()


def test_faults_requests_and_webhooks_are_shown(page: Any, api: Api, server: LocalServer) -> None:
    shows(page.locator("#faults"), "Nothing goes wrong on purpose")
    rule = server.faults.add(Fault.status(503), method="GET", path="/models", times=2)
    shows(page.locator("#faults li"), re.compile(r"status, 0 of 2 hit.*GET /models"))
    api.get("/models?limit=<i>")
    shows(page.locator("#faults li"), re.compile(r"status, 1 of 2 hit"))
    newest = page.locator("#requests li").first
    shows(newest, "503GET /v1/models?limit=<i>status")
    rule.remove()
    shows(page.locator("#faults"), "Nothing goes wrong on purpose")
    server.add_webhook("http://127.0.0.1:9/hook")
    server.fail(api.create()["id"])
    shows(page.locator("#webhooks li .text"), re.compile(r"failed, \d attempt.*http://127.0.0.1:9/hook"))


def test_whatever_a_client_sends_is_text(page: Any, api: Api, server: LocalServer) -> None:
    file_id = api.training_file()
    job_id = api.create(file_id, suffix=MARKUP[:64], metadata={MARKUP[:60]: MARKUP})["id"]
    server.fail(job_id, code=MARKUP, message=MARKUP)
    api.get("/models/%3Cscript%3E")
    shows(page.locator("#job-error"), f"{MARKUP}: {MARKUP}")
    shows(page.locator("#job-title"), MARKUP[:64])
    assert MARKUP in page.locator("#job-facts").text_content()
    assert page.title() == "Local fine-tuning server"
    assert page.locator("main script, main b").count() == 0


def test_an_address_that_names_no_job_shows_so(page: Any, api: Api, server: LocalServer) -> None:
    job_id = api.create()["id"]
    for name in ("%", "%zz", "%ff", "ftjob-none"):
        page.goto(f"{server.url.removesuffix('/v1')}/?{len(name)}#{name}")
        shows(page.locator("#live"), "live")
        playwright.expect(page.locator("#gone")).to_be_visible()
    page.locator(f'#job-list [data-id="{job_id}"] a').click()
    shows(page.locator("#job-title"), job_id)


def test_it_is_used_with_the_keyboard(page: Any, api: Api, server: LocalServer) -> None:
    file_id = api.training_file()
    older, newer = api.create(file_id, suffix="older")["id"], api.create(file_id, suffix="newer")["id"]
    server.advance(20 + 3 * 5)
    shows(page.locator("#job-steps"), "step 5 of 100")
    shows(page.locator("#job-id"), newer)
    page.keyboard.press("Tab")
    shows(page.locator(":focus"), "Skip to the jobs")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.parentElement.dataset.id") == older
    page.keyboard.press("Enter")
    shows(page.locator("#job-id"), older)
    playwright.expect(page.locator("[aria-current]")).to_have_count(1)
    server.advance(3)
    shows(page.locator("#job-steps"), "step 6 of 100")
    # What is redrawn does not take the focus away.
    assert page.evaluate("document.activeElement.parentElement.dataset.id") == older
    page.locator("#chart").focus()
    page.keyboard.press("Home")
    shows(page.locator("#reading"), re.compile(r"^step 1 · training loss \d"))
    page.keyboard.press("ArrowRight")
    shows(page.locator("#reading"), re.compile("^step 2 ·"))
    page.keyboard.press("Escape")
    shows(page.locator("#reading"), "")


def test_it_says_when_the_server_is_gone_and_finds_it_again(chromium: Any) -> None:
    server = LocalServer().start()
    port = int(server.url.split(":")[2].split("/")[0])
    page = chromium.new_page()
    page.goto(server.url.removesuffix("/v1") + "/")
    shows(page.locator("#live"), "live")
    server.stop()
    shows(page.locator("#live"), re.compile("connection lost"))
    with LocalServer(port=port) as again:
        Api(again.url).create(suffix="anew")
        playwright.expect(page.locator("#job-title")).to_have_text("anew", timeout=20_000)
        shows(page.locator("#live"), "live")
        page.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 390), ("dark", 390)])
def test_it_fits_and_can_be_read(chromium: Any, api: Api, server: LocalServer, scheme: str, width: int) -> None:
    """Nothing is wider than the window; every text stands out by the 4.5 to 1 that WCAG 2.2, 1.4.3, asks for."""
    server.fail(api.create(suffix="x" * 64, metadata={"key": "y" * 300})["id"], message="z" * 300)
    api.get("/models/" + "w" * 200)
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(server.url.removesuffix("/v1") + "/")
    playwright.expect(page.locator("#job-error")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRASTS) == []
    page.close()


CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3)
    .map((each) => each / 255).map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    const opaque = channels(colour)[3] !== 0;
    return opaque || !element.parentElement ? colour : ground(element.parentElement);
  };
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll("*")]
    .filter((element) => own(element) && element.checkVisibility() && !element.closest("script, style, svg"))
    .filter((element) => {
      const pair = [light(getComputedStyle(element).color), light(ground(element))];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5;
    })
    .map((element) => element.outerHTML.slice(0, 100));
}"""
