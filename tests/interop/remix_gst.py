#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays playlists through smilremixsrc ! qtdemux, in pull and in push mode, and
prints what comes as JSON, a line for each mode of each layout:
{"mode": …, "duration": ns, "streams": {pad: {"samples": [[time, MD5], …],
"pictures": [[time, MD5], …]}}}; times of the title in ns, null if outside it.

  remix_gst.py play LOCATION [FRAGMENT-DURATION...]
  remix_gst.py ranges LOCATION FILE        random ranges are those of FILE
"""
import hashlib
import json
import pathlib
import random
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

TIMEOUT = 150 * Gst.SECOND


def make(pipeline, factory, **properties):
    element = Gst.ElementFactory.make(factory)
    if element is None:
        sys.exit(f'no element {factory}')
    for name, value in properties.items():
        element.set_property(name.replace('_', '-'), value)
    pipeline.add(element)
    element.sync_state_with_parent()
    return element


def record(pad, found):
    """Adds [time in the title, MD5] of each buffer to found."""
    state = {}

    def on_data(_pad, info):
        if info.type & Gst.PadProbeType.BUFFER:
            buffer, segment = info.get_buffer(), state['segment']
            data = buffer.extract_dup(0, buffer.get_size())
            time = buffer.pts - segment.start + segment.time
            outside = buffer.pts < segment.start or (segment.stop != Gst.CLOCK_TIME_NONE and
                                                     buffer.pts >= segment.stop)
            found.append([None if outside else time, hashlib.md5(data).hexdigest()])
        elif info.get_event().type == Gst.EventType.SEGMENT:
            state['segment'] = info.get_event().parse_segment()
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM, on_data)


def chain(pipeline, *elements):
    for upstream, downstream in zip(elements, elements[1:]):
        upstream.link(downstream)
    return elements


def build(location, fragment_duration, push, streams):
    """A valve only pushes. (A queue in front of qtdemux can deadlock over the
    allocation query in 1.22, with filesrc too.)"""
    pipeline = Gst.Pipeline()
    source = make(pipeline, 'smilremixsrc', location=location, fragment_duration=fragment_duration, encode_cuts=False)
    demuxer = make(pipeline, 'qtdemux')
    chain(pipeline, source, *([make(pipeline, 'valve')] if push else []), demuxer)

    def on_pad(_demuxer, pad):
        stream = streams.setdefault(pad.get_name(), {'samples': [], 'pictures': []})
        record(pad, stream['samples'])
        sink = make(pipeline, 'fakesink', sync=False)
        queue = make(pipeline, 'queue', max_size_buffers=0, max_size_bytes=0, max_size_time=0)
        if pad.get_name().startswith('video'):
            # One thread: what is decoded does not depend on the machine.
            decoder = make(pipeline, 'avdec_h264', max_threads=1)
            record(decoder.get_static_pad('src'), stream['pictures'])
            chain(pipeline, queue, make(pipeline, 'h264parse'), decoder, sink)
        else:
            chain(pipeline, queue, sink)
        pad.link(queue.get_static_pad('sink'))

    demuxer.connect('pad-added', on_pad)
    return pipeline


def play(location, fragment_duration, push):
    streams = {}
    pipeline = build(location, fragment_duration, push, streams)
    duration = None
    pipeline.set_state(Gst.State.PAUSED)
    for state, kinds in ((Gst.State.PAUSED, Gst.MessageType.ASYNC_DONE), (Gst.State.PLAYING, Gst.MessageType.EOS)):
        pipeline.set_state(state)
        message = pipeline.get_bus().timed_pop_filtered(TIMEOUT, kinds | Gst.MessageType.ERROR)
        if message is None:
            sys.exit('the pipeline hangs')
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            pipeline.set_state(Gst.State.NULL)
            sys.exit(f'{error.message}\n{debug}')
        if state == Gst.State.PAUSED:
            duration = pipeline.query_duration(Gst.Format.TIME)[1]
    pipeline.set_state(Gst.State.NULL)
    mode = ('push' if push else 'pull') + (', fragments' if fragment_duration else '')
    print(json.dumps({'mode': mode, 'duration': duration, 'streams': streams}))


def ranges(location, path):
    """500 random ranges, pulled."""
    wanted = pathlib.Path(path).read_bytes()
    source = Gst.ElementFactory.make('smilremixsrc')
    source.set_property('location', location)
    source.set_property('encode-cuts', False)
    source.set_state(Gst.State.READY)
    pad = source.get_static_pad('src')
    if not pad.activate_mode(Gst.PadMode.PULL, True):
        sys.exit('cannot be pulled from')
    numbers = random.Random(1)
    for _ in range(500):
        offset, size = numbers.randrange(len(wanted)), numbers.randrange(1, 70000)
        flow, buffer = pad.get_range(offset, size)
        if flow != Gst.FlowReturn.OK:
            sys.exit(f'{flow} at {offset}')
        if buffer.extract_dup(0, buffer.get_size()) != wanted[offset:offset + size]:
            sys.exit(f'other bytes at {offset}')
    pad.activate_mode(Gst.PadMode.PULL, False)
    source.set_state(Gst.State.NULL)
    print(json.dumps({'ranges': 500}))


def main():
    Gst.init(None)
    if sys.argv[1] == 'ranges':
        ranges(*sys.argv[2:])
        return
    for fragment_duration in sys.argv[3:] or ['0']:
        for push in (False, True):
            play(sys.argv[2], int(fragment_duration), push)


if __name__ == '__main__':
    main()
