#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays a protected title and says how long its license lasts.

  player.py title.mp4 [title.license]

What is shown comes from the element message `offline-license` (docs/licenses.md)."""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402


def duration(ns):
    minutes = ns // (60 * Gst.SECOND)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def remaining(message, field):
    """Nanoseconds, None = unlimited."""
    known, ns = message.get_uint64(field)
    return ns if known else None


def words(message):
    """One line for a viewer. Both remainders matter: which one counts changes with first play."""
    state = message.get_string("state")
    window = remaining(message, "license-remaining")
    playback = remaining(message, "playback-remaining")
    if state in ("refused", "expired"):
        return f"{state}: {message.get_string('reason')}"
    if state in ("released", "removed"):
        return state
    if not message.has_field("first-play") and playback is not None:
        text = f"{duration(playback)} to watch, once started"
        return text if window is None else f"{text}; expires in {duration(window)}"
    left = [ns for ns in (window, playback) if ns is not None]
    return f"expires in {duration(min(left))}" if left else "yours"


def pipeline(title, license_file):
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in (title, license_file or "")]
    source = f'location="{quoted[1]}"' if license_file else f'content="{quoted[0]}"'
    return Gst.parse_launch(
        f"offlinelicensesrc action=play {source} ! dec.license "
        f'filesrc location="{quoted[0]}" ! cencdecrypt name=dec ! decodebin3 name=d '
        "d. ! queue ! videoconvert ! autovideosink d. ! queue ! audioconvert ! autoaudiosink")


def on_message(_bus, message, loop):
    structure = message.get_structure()
    if message.type == Gst.MessageType.ELEMENT and structure.has_name("offline-license"):
        print(f"[{structure.get_string('state')}] {structure.get_string('license-id')}: {words(structure)}", flush=True)
    elif message.type == Gst.MessageType.ERROR:
        print(message.parse_error()[0].message, file=sys.stderr)
        loop.quit()
    elif message.type == Gst.MessageType.EOS:
        loop.quit()


def main():
    Gst.init(None)
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    player = pipeline(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None)
    loop = GLib.MainLoop()
    bus = player.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message, loop)
    player.set_state(Gst.State.PLAYING)
    try:
        loop.run()
    finally:
        player.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
