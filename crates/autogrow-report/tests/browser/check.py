"""Opens pages of `autogrow report` in Chromium and checks what only a browser can.

Needs selenium (from PyPI), and chromium and chromedriver (Debian: chromium, chromium-driver):

    python check.py RUN... [--compare PAGE] [--screenshots FOLDER]

RUN is a run folder with a report.html. At 1280 and 390 pixels, light and dark: nothing is asked of
the network, the console is silent, nothing is wider than the window, the pointer and the arrow
keys bring up values, the theme switch works and is remembered, the slider takes the network back
to its seed, and what is shown equals result.json.
"""

import argparse
import base64
import json
import pathlib
import shutil
import sys
import tempfile

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

SIZES = {1280: 900, 390: 844}
failures = []


def check(fine, what):
    if not fine:
        failures.append(what)
        print(f"FAILED  {what}")


def browser(profile):
    options = webdriver.ChromeOptions()
    for argument in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        f"--user-data-dir={profile}",
    ]:
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = Service(shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


def view(driver, width, scheme):
    metrics = {"width": width, "height": SIZES[width], "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def screenshot(driver, path, width):
    height = driver.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    path.write_bytes(base64.b64decode(shot["data"]))


def lightness(driver):
    colour = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(map(int, colour.strip("rgba()").split(",")[:3])) / 3


# Whatever reaches beyond the window and does not lie in something that scrolls by itself.
OVERFLOW = """
const wide = document.documentElement.clientWidth;
const scrolls = (e) => { for (; e; e = e.parentElement) {
  const o = getComputedStyle(e).overflowX; if (o === 'auto' || o === 'hidden') return true; } };
return [...document.body.querySelectorAll('*')].filter((e) => {
  const box = e.getBoundingClientRect();
  return box.width && (box.right > wide + 1 || box.left < -1) && !scrolls(e) && !e.closest('svg');
}).map((e) => e.outerHTML.slice(0, 90)).concat(
  document.documentElement.scrollWidth > wide ? ['the document scrolls sideways'] : []);
"""

# Text in charts that lies on other text.
OVERLAP = """
const found = [];
for (const svg of document.querySelectorAll('svg')) {
  if (!svg.getClientRects().length) continue;
  const all = [...svg.querySelectorAll('text:not(.halo)')].map((t) => [t, t.getBoundingClientRect()]);
  all.forEach(([a, p], i) => all.slice(i + 1).forEach(([b, q]) => {
    const w = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (w > 1 && h > 4) found.push(a.textContent + ' / ' + b.textContent);
  }));
}
return found;
"""


def soon(driver, is_so):
    """Whether something is so within five seconds: pages are drawn when the browser likes."""
    try:
        return WebDriverWait(driver, 5, 0.1).until(lambda _: is_so())
    except TimeoutException:
        return False


def values(driver):
    pairs = driver.execute_script(
        "return [...document.querySelectorAll('data[data-name]')].map((d) => [d.dataset.name, d.value])"
    )
    return dict(pairs)


def check_numbers(driver, run, prefix=""):
    result = run / "result.json"
    if not result.exists():
        return
    result = json.loads(result.read_text())
    shown = values(driver)
    check(shown.get(f"{prefix}found") == result["found"], f"{run}: found")
    for name in ["test_accuracy", "val_accuracy", "parameters", "macs"]:
        own = shown.get(prefix + name)
        check(own is not None and float(own) == result[name], f"{run}: {name} {own}")


def check_charts(driver, page):
    for figure in driver.find_elements(By.CSS_SELECTOR, "figure.chart[data-chart]"):
        name = f"{page}: {figure.get_attribute('data-chart')}"
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", figure)
        tip = figure.find_element(By.CLASS_NAME, "tip")
        ActionChains(driver).move_to_element(figure).perform()
        check(tip.is_displayed() and any(c.isdigit() for c in tip.text), f"{name}: hover")
        check(figure.find_elements(By.CSS_SELECTOR, ".cross circle"), f"{name}: no dots")
        inside = driver.execute_script(
            "const a = arguments[0].getBoundingClientRect();"
            "return a.left >= -1 && a.right <= document.documentElement.clientWidth + 1", tip
        )
        check(inside, f"{name}: the values are cut off")
        figure.send_keys(Keys.HOME)
        first = tip.text
        figure.send_keys(Keys.END)
        check(tip.is_displayed() and tip.text != first, f"{name}: arrow keys")
        figure.send_keys(Keys.ESCAPE)
        check(not tip.is_displayed(), f"{name}: Escape")


def check_axis(driver, page):
    shown = "svg[data-place]"

    def labels():
        return [s.get_attribute("aria-label") for s in driver.find_elements(By.CSS_SELECTOR, shown) if s.is_displayed()]

    before = len(labels())
    driver.find_element(By.CSS_SELECTOR, "[data-against=time].switch, .switch [data-against=time]").click()
    time = driver.find_elements(By.CSS_SELECTOR, ".against-time svg")
    check(any(svg.is_displayed() for svg in time), f"{page}: time axis")
    check(len(labels()) == before, f"{page}: one form of each chart")
    check_charts(driver, f"{page} by time")
    driver.find_element(By.CSS_SELECTOR, ".switch [data-against=epochs]").click()


def check_slider(driver, page):
    for scrub in driver.find_elements(By.ID, "scrub"):
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", scrub)
        scrub.send_keys(Keys.HOME)
        later = driver.find_elements(By.CSS_SELECTOR, "li.later:not(.stopped)")
        grown = driver.find_elements(By.CSS_SELECTOR, ".modules li:not(.seed):not(.stopped)")
        check(len(later) == len(grown), f"{page}: the slider goes back to the seed")
        scrub.send_keys(Keys.END)
        check(not driver.find_elements(By.CSS_SELECTOR, "li.later"), f"{page}: and to the end")


def check_theme(driver, page):
    button = driver.find_element(By.ID, "theme")
    driver.execute_script("scrollTo(0, 0)")
    for name, dark in [("Light", False), ("Dark", True)]:
        button.click()
        check(button.text == name, f"{page}: theme is called {button.text}")
        check(soon(driver, lambda: (lightness(driver) < 128) == dark), f"{page}: theme {name}")
    driver.refresh()
    check(soon(driver, lambda: lightness(driver) < 128), f"{page}: the theme is remembered")
    driver.find_element(By.ID, "theme").click()


def check_page(driver, path, runs, shots):
    for width in SIZES:
        for scheme in ["light", "dark"]:
            page = f"{path.parent.name}/{path.name} at {width} px, {scheme}"
            view(driver, width, scheme)
            driver.get(path.as_uri())
            check((lightness(driver) < 128) == (scheme == "dark"), f"{page}: follows the system")
            for found in driver.execute_script(OVERFLOW):
                check(False, f"{page}: cut off: {found}")
            for found in driver.execute_script(OVERLAP):
                check(False, f"{page}: text on text: {found}")
            for index, run in enumerate(runs):
                check_numbers(driver, run, f"{index}." if len(runs) > 1 else "")
            if shots:
                screenshot(driver, shots / f"{path.parent.name}-{path.stem}-{width}-{scheme}.png", width)
            check_charts(driver, page)
            check_axis(driver, page)
            check_slider(driver, page)
            check_theme(driver, page)
            for entry in driver.get_log("browser"):
                check(False, f"{page}: console: {entry['message']}")
            for entry in driver.get_log("performance"):
                message = json.loads(entry["message"])["message"]
                url = message["params"].get("request", {}).get("url", "")
                asked = message["method"] == "Network.requestWillBeSent"
                check(not asked or not url.startswith(("http", "ws", "ftp")), f"{page}: asks for {url}")
            print(f"{'fine' if not failures else 'seen'}    {page}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=pathlib.Path)
    parser.add_argument("--compare", type=pathlib.Path, help="the page that compares all runs")
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        driver = browser(profile)
        try:
            for run in arguments.runs:
                page = (run / "report.html").resolve()
                check_page(driver, page, [run], arguments.screenshots)
            if arguments.compare:
                page = arguments.compare.resolve()
                check_page(driver, page, arguments.runs, arguments.screenshots)
        finally:
            driver.quit()
    print(f"{len(failures)} failed" if failures else "all fine")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
