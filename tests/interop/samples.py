#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what comes out of a graph, sample by sample, as JSON: for each stream
its caps and a list of [PTS in ns, size, MD5].

  samples.py FILE                      filesrc ! qtdemux, no decryptor
  samples.py FILE --front KEYS         filesrc ! cencdecrypt ! qtdemux
  samples.py FILE --behind KEYS        filesrc ! qtdemux ! cencdecrypt
  samples.py FILE --playbin KEYS       playbin3, decoded frames and sound

--push has qtdemux work in push mode. --seek T (seconds, may be repeated) seeks
there and prints what comes from there to the end, once for each T.
An error of the pipeline goes to stderr, with exit status 1."""
import argparse
import hashlib
import json
import pathlib
import sys

import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

TIMEOUT = 150 * Gst.SECOND


class Recorder:
    """Records what arrives at sinks; a flush forgets it."""

    def __init__(self):
        self.streams = {}

    def watch(self, name, pad):
        stream = self.streams.setdefault(name, {'caps': None, 'samples': []})

        def on_data(_pad, info):
            if info.type & Gst.PadProbeType.BUFFER:
                buffer = info.get_buffer()
                data = buffer.extract_dup(0, buffer.get_size())
                stream['samples'].append([buffer.pts, len(data), hashlib.md5(data).hexdigest()])
            elif info.get_event().type == Gst.EventType.CAPS:
                stream['caps'] = info.get_event().parse_caps().to_string()
            elif info.get_event().type == Gst.EventType.FLUSH_STOP:
                stream['samples'].clear()
            return Gst.PadProbeReturn.OK

        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM |
                      Gst.PadProbeType.EVENT_FLUSH, on_data)


def make(pipeline, factory, **properties):
    element = Gst.ElementFactory.make(factory)
    if element is None:
        sys.exit(f'no element {factory}')
    for name, value in properties.items():
        element.set_property(name.rstrip('_').replace('_', '-'), value)
    pipeline.add(element)
    element.sync_state_with_parent()
    return element


def demuxing(args, recorder):
    """filesrc … qtdemux, and a sink for each of its streams."""
    pipeline = Gst.Pipeline()
    chain = [make(pipeline, 'filesrc', location=args.file, blocksize=65536)]
    if args.push:
        # It only pushes. (A queue in front of qtdemux can deadlock over the
        # allocation query in 1.22.)
        chain.append(make(pipeline, 'valve'))
    if args.front is not None:
        chain.append(make(pipeline, 'cencdecrypt', keys=args.front))
    demuxer = make(pipeline, 'qtdemux')
    chain.append(demuxer)

    # Streams that have not come to their end; None: nor is it known which there are.
    open_streams = [None]

    def on_event(_pad, info, name):
        if info.get_event().type == Gst.EventType.EOS:
            ended(name)
        return Gst.PadProbeReturn.OK

    def ended(name):
        """The queues hold all: a seek while stock qtdemux 1.22 still reads moofs now
        and then has it take a fragment's samples from another place."""
        if name in open_streams:
            open_streams.remove(name)
            if not open_streams:
                pipeline.post_message(Gst.Message.new_application(pipeline, Gst.Structure.new_empty('all-read')))

    def on_pad(_demuxer, pad):
        # Not async: whether a bin waits for a sink that comes while it changes its
        # state is a race, by which now and then it never says that it is ready.
        sink = make(pipeline, 'fakesink', sync=False, async_=False)
        queue = make(pipeline, 'queue', max_size_buffers=0, max_size_bytes=0,
                     max_size_time=0)
        recorder.watch(pad.get_name(), sink.get_static_pad('sink'))
        open_streams.append(pad.get_name())
        queue.get_static_pad('sink').add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, on_event, pad.get_name())
        queue.link(sink)
        target = queue
        if args.behind is not None and pad.query_caps().to_string().startswith('application/x-cenc'):
            target = make(pipeline, 'cencdecrypt', keys=args.behind)
            target.link(queue)
        pad.link(target.get_static_pad('sink'))

    def on_all_pads(_demuxer):
        ended(None)

    demuxer.connect('pad-added', on_pad)
    demuxer.connect('no-more-pads', on_all_pads)
    for upstream, downstream in zip(chain, chain[1:]):
        upstream.link(downstream)
    return pipeline


def playing(args, recorder):
    """playbin3, the keys given to each decryptor that it plugs."""
    player = Gst.ElementFactory.make('playbin3')
    player.set_property('uri', pathlib.Path(args.file).absolute().as_uri())
    # Video and audio, neither converted.
    player.set_property('flags', 0x1 | 0x2 | 0x20 | 0x40)
    for kind in ('video', 'audio'):
        sink = Gst.ElementFactory.make('fakesink')
        sink.set_property('sync', False)
        recorder.watch(kind, sink.get_static_pad('sink'))
        player.set_property(f'{kind}-sink', sink)

    def on_element(_player, _bin, element):
        if element.get_factory() and element.get_factory().get_name() == 'cencdecrypt':
            element.set_property('keys', args.playbin)

    player.connect('deep-element-added', on_element)
    return player


def wait_for(pipeline, kinds):
    """Waits for a message of kinds, or exits at an error."""
    message = pipeline.get_bus().timed_pop_filtered(TIMEOUT, kinds | Gst.MessageType.ERROR)
    if message is None:
        sys.exit('the pipeline hangs')
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        print(f'{error.domain} {error.code}: {error.message}\n{debug}', file=sys.stderr)
        pipeline.set_state(Gst.State.NULL)
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('file')
    parser.add_argument('--front', metavar='KEYS')
    parser.add_argument('--behind', metavar='KEYS')
    parser.add_argument('--playbin', metavar='KEYS')
    parser.add_argument('--push', action='store_true')
    parser.add_argument('--seek', type=float, action='append', default=[])
    args = parser.parse_args()

    Gst.init(None)
    recorder = Recorder()
    if args.playbin is None:
        build, ready = demuxing, Gst.MessageType.APPLICATION
    else:
        build, ready = playing, Gst.MessageType.ASYNC_DONE
    pipeline = build(args, recorder)
    pipeline.set_state(Gst.State.PAUSED)
    wait_for(pipeline, ready)
    for time in args.seek or [None]:
        if time is not None:
            pipeline.set_state(Gst.State.PAUSED)
            if not pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT,
                                        int(time * Gst.SECOND)):
                sys.exit(f'cannot seek to {time} s')
            if args.playbin is not None:
                wait_for(pipeline, ready)
        pipeline.set_state(Gst.State.PLAYING)
        wait_for(pipeline, Gst.MessageType.EOS)
        print(json.dumps(recorder.streams))
    pipeline.set_state(Gst.State.NULL)


if __name__ == '__main__':
    main()
