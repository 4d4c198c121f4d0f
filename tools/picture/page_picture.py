#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes pictures of a page in Chromium, light and dark, on a telephone and on screens, once it has
been open for a while: page-SCHEME-WIDTH.png.

usage: page_picture.py URL DIRECTORY
"""

import base64
import itertools
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

DRIVER = "http://127.0.0.1:9515"
SECONDS_OPEN = 3
SIZES = (360, 780), (1280, 1400), (2560, 1440)


def command(path, parameters):
    """A command of WebDriver (W3C Recommendation), tried until the driver listens."""
    request = urllib.request.Request(
        DRIVER + path,
        data=json.dumps(parameters).encode(),
        headers={"Content-Type": "application/json"},
    )
    for _ in range(100):
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            sys.exit(f"page_picture.py: {path}: {error.read().decode()}")
        except OSError:
            time.sleep(0.1)
    sys.exit("page_picture.py: chromedriver does not listen")


def main():
    url, directory = sys.argv[1:]
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    options = {"binary": "/usr/bin/chromium", "args": arguments}
    driver = subprocess.Popen(["chromedriver", "--port=9515", "--log-level=OFF"], stdout=subprocess.DEVNULL)
    try:
        made = command(
            "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        )
        session = "/session/" + made["sessionId"]

        def emulate(name, parameters):
            return command(f"{session}/goog/cdp/execute", {"cmd": name, "params": parameters})

        command(f"{session}/url", {"url": url})
        for scheme, (width, height) in itertools.product(("light", "dark"), SIZES):
            size = {"width": width, "height": height, "deviceScaleFactor": 1}
            emulate("Emulation.setDeviceMetricsOverride", {**size, "mobile": False})
            feature = {"name": "prefers-color-scheme", "value": scheme}
            emulate("Emulation.setEmulatedMedia", {"features": [feature]})
            time.sleep(SECONDS_OPEN)
            picture = emulate("Page.captureScreenshot", {"format": "png"})["data"]
            with open(f"{directory}/page-{scheme}-{width}.png", "wb") as file:
                file.write(base64.b64decode(picture))
        urllib.request.urlopen(urllib.request.Request(DRIVER + session, method="DELETE")).close()
    finally:
        driver.terminate()
        driver.wait()


if __name__ == "__main__":
    main()
