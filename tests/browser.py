"""A real browser for the tests: headless Chromium, which reaches nothing but this machine."""
import base64
import contextlib
import os
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from rig import SLOWNESS, wait_for

DARK = [{"name": "prefers-color-scheme", "value": "dark"}]
LIGHT = [{"name": "prefers-color-scheme", "value": "light"}]
# What a page writes to its console when the other side is gone, or answers with an error, whatever
# its script does: the browser's own words.
NETWORK_WORDS = ("net::ERR_", "Failed to load resource", "WebSocket connection to")


def options_of(folder, names):
    """names: what this browser believes to be on this machine, as in a rebound DNS."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    rules = ", ".join([*(f"MAP {name} 127.0.0.1" for name in names), "MAP * ~NOTFOUND",
                       "EXCLUDE 127.0.0.1", "EXCLUDE localhost"])
    for word in ("--headless=new", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
                 "--disable-gpu", "--disable-extensions", "--disable-background-networking",
                 "--disable-component-update", "--disable-default-apps", "--hide-scrollbars",
                 "--window-size=1440,1000", f"--user-data-dir={folder}/profile",
                 f"--host-resolver-rules={rules}"):
        options.add_argument(word)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return options


class Browser:
    """One process for many tests, each with a window of its own; its profile ends with it."""

    def __init__(self, *names):
        self.folder = tempfile.TemporaryDirectory(prefix="dg-browser-", dir="/tmp",
                                                  ignore_cleanup_errors=True)
        service = Service("/usr/bin/chromedriver", log_path=os.devnull)
        self.driver = webdriver.Chrome(service=service, options=options_of(self.folder.name, names))
        self.driver.set_script_timeout(30 * SLOWNESS)
        self.first = self.driver.current_window_handle

    def quit(self):
        self.driver.quit()
        self.folder.cleanup()

    @contextlib.contextmanager
    def window(self):
        """A new one, which is closed with all that it opened."""
        self.driver.switch_to.new_window("window")
        self.complaints()
        try:
            yield self
        finally:
            for handle in self.driver.window_handles:
                if handle != self.first:
                    self.driver.switch_to.window(handle)
                    self.driver.close()
            self.driver.switch_to.window(self.first)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def look(self, width=1440, height=1000, scheme=LIGHT, is_phone=False, motion=True):
        """As a window of this size would show it."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=2 if is_phone else 1, mobile=is_phone)
        reduced = {"name": "prefers-reduced-motion",
                   "value": "no-preference" if motion else "reduce"}
        self.cdp("Emulation.setEmulatedMedia", features=[*scheme, reduced])
        return self

    def open(self, url):
        self.driver.get(url)
        return self

    def run(self, script, *arguments):
        """The value of a script's return."""
        return self.driver.execute_script(script, *arguments)

    def before_page(self, script):
        """Runs in each page that is opened from now on, ahead of its own scripts."""
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)

    def run_async(self, script, *arguments):
        """The value that the body of an async function returns; or its error, as a text."""
        return self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async (...args) => {{ {script} }})(...arguments)"
            ".then(done, (error) => done(`failed: ${error}`));", *arguments)

    def text(self, selector):
        """What a person sees there; "" for what is hidden."""
        return self.run(
            "const found = document.querySelector(arguments[0]);"
            "return found && found.checkVisibility() ? found.innerText : '';", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".filter((one) => one.checkVisibility()).map((one) => one.innerText);",
                        selector)

    def sees(self, selector, word, seconds=15):
        """Waits until a word is shown there."""
        return wait_for(lambda: word in self.text(selector) and self.text(selector), seconds,
                        f"{selector} says {word!r}")

    def write(self, selector, text):
        field = self.driver.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text)
        return field

    def click(self, selector):
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def shoot(self, file, whole=True):
        """A picture of the page, all of its height unless told otherwise."""
        self.run_async("await new Promise((drawn) =>"
                       " requestAnimationFrame(() => requestAnimationFrame(drawn)));")
        size = self.run("const all = document.documentElement;"
                        "return [all.clientWidth, Math.max(all.scrollHeight, innerHeight)];")
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        picture = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole,
                           **({"clip": clip} if whole else {}))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(picture["data"]))

    def complaints(self, network=False):
        """Errors and warnings in the console since the last look; those of the network apart."""
        found = [f"{line['level']} {line['message']}" for line in self.driver.get_log("browser")
                 if line["level"] in ("SEVERE", "WARNING")]
        return [line for line in found
                if network or not any(word in line for word in NETWORK_WORDS)]
