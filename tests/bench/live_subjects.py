#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a daemon takes to answer for many new subjects over one connection of the provider `live`.

    build/release/flagstaff serve &
    python3 tests/bench/live_subjects.py build/release/tests/live_driver http://127.0.0.1:8080 5000
"""
import json
import subprocess
import sys
import threading
import time

program, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
driver = subprocess.Popen([program, f"url={url}", f"max_watches={count}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def answer():
    while "answer" not in (message := json.loads(driver.stdout.readline())):
        pass
    return message["answer"]


def tell(*commands):
    driver.stdin.writelines(command + "\n" for command in commands)
    driver.stdin.flush()


assert answer() == "OK", "it does not start"
begun = time.monotonic()
threading.Thread(target=tell, args=[f"get bool any subject-{number}" for number in range(count)]).start()
for _ in range(count):
    answer()
asked = time.monotonic()
while True:
    tell("stats")
    if (stats := answer())["snapshots"] >= count:
        break
    time.sleep(0.005)
print(f"{count} subjects: evaluated once after {asked - begun:.2f} s, all have values after {time.monotonic() - begun:.2f} s; "
      f"connections {stats['connections']}, watches {stats['watches']}, evicted {stats['evicted']}")
driver.stdin.close()
driver.wait()
