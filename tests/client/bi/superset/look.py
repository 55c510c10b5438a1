"""Opens the dashboard in headless Chromium: python look.py URL PICTURE CHARTS. Prints "ok …" or "FAILED: …" a check.

CHARTS is a file of lines "name<tab>text": a chart of that name must be on the page, rendered, without an error, and show the
text; without a text it must have drawn its lines or bars on a canvas.
"""
import os
import sys
import tempfile
import time

import requests
from selenium import webdriver
from selenium.webdriver.common.by import By

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--window-size=1600,1260"]
PATIENCE = 120
# What each chart of the page shows: name, text, canvases, whether it still loads, and an error.
CHARTS = """
return [...document.querySelectorAll('[data-test="chart-grid-component"]')].map(chart => ({
  name: chart.getAttribute('data-test-chart-name'),
  text: (chart.querySelector('[data-test="slice-container"]') || {}).innerText || '',
  canvases: [...chart.querySelectorAll('canvas')].filter(canvas => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let painted = 0;
    for (let i = 3; i < pixels.length; i += 4) painted += pixels[i] > 0;
    return painted > 5000;
  }).length,
  loading: !chart.querySelector('[data-test="slice-container"]') || !!chart.querySelector('.loading, [data-test="loading-indicator"]'),
  error: [...chart.querySelectorAll('[role="alert"], [data-test="error-message"], .ant-empty')].map(e => e.innerText).join(' '),
}))
"""


def main(url, picture, charts):
    with open(charts, encoding="utf-8") as file:
        wanted = dict(line.rstrip("\n").split("\t") for line in file)
    origin = "/".join(url.split("/")[:3])
    session = requests.Session()
    session.post(f"{origin}/login/", data={"username": "admin", "password": os.environ["SUPERSET_SECRET_KEY"]}, timeout=60).raise_for_status()
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ["CHROMIUM"]
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(os.environ["CHROMEDRIVER"]))
        try:
            look(browser, url, origin, session.cookies, wanted, picture)
        finally:
            browser.quit()


def look(browser, url, origin, cookies, wanted, picture):
    browser.set_page_load_timeout(PATIENCE)
    browser.get(f"{origin}/static/assets/favicon.png")
    for cookie in cookies:
        browser.add_cookie({"name": cookie.name, "value": cookie.value})
    browser.get(url)
    until = time.monotonic() + PATIENCE
    last, since = None, time.monotonic()
    while time.monotonic() < until:
        charts = {chart["name"]: chart for chart in browser.execute_script(CHARTS)}
        # Twice the same: what is drawn is no longer in motion.
        if set(wanted) <= set(charts) and all(done(charts[name], text) for name, text in wanted.items()) and charts == last:
            break
        if charts != last:
            last, since = charts, time.monotonic()
        # Nor does anything else come.
        if time.monotonic() - since > 20 and set(wanted) <= set(charts) and not any(chart["loading"] for chart in charts.values()):
            break
        time.sleep(1)
    browser.execute_script("document.activeElement.blur()")
    browser.save_screenshot(picture)
    for name, text in wanted.items():
        chart = charts.get(name)
        if chart is None:
            print(f"FAILED: {name} is not on the page: {browser.find_element(By.TAG_NAME, 'body').text[:300]!r}")
        elif chart["error"]:
            print(f"FAILED: {name} shows an error: {chart['error']}")
        elif not done(chart, text):
            print(f"FAILED: {name}: expected {text or 'a drawing'!r}, found {chart}")
        else:
            print(f"ok {name}")


def done(chart, text):
    return not chart["loading"] and not chart["error"] and (text in " ".join(chart["text"].split()) if text else chart["canvases"] > 0)


main(*sys.argv[1:])
