#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plays what smilremixsrc makes in Chromium: fragments by MSE, with joins of other
parameter sets, and a progressive file as it is, with joins of the same ones. Needs
ffmpeg, gst-launch-1.0 with the plugin in GST_PLUGIN_PATH, and chromium."""
import functools
import http.server
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading

import chromium

PAGE = b'''<video id=v muted></video><script>
const v = document.getElementById('v');
const send = x => fetch('/report', {method: 'POST', body: JSON.stringify(x)});
v.onended = () => send({ended: true, time: v.currentTime, frames: v.getVideoPlaybackQuality().totalVideoFrames});
v.onerror = () => send({ended: false, error: v.error.message, time: v.currentTime});
v.src = '/o.mp4'; v.playbackRate = 4; v.play();
</script>'''
VIDEO = '-c:v libx264 -preset veryfast -g 50 -keyint_min 50 -sc_threshold 0 -bf 2 -pix_fmt yuv420p'
AUDIO = '-c:a aac -ac 2 -ar 48000'


def make(folder, name, source, seconds, options):
    subprocess.run(f'ffmpeg -loglevel error -y -f lavfi -i {source}=s=320x180:r=25:d={seconds} '
                   f'-f lavfi -i sine=440:r=48000:d={seconds} {VIDEO} {options} {AUDIO} {name}'.split(),
                   cwd=folder, check=True)


def remix(folder, body, options):
    playlist = f'<smil><body>{body}</body></smil>'
    (folder / 'o.smil').write_text(playlist)
    subprocess.run(['gst-launch-1.0', '-q', 'smilremixsrc', f'location={folder}/o.smil', *options,
                    '!', 'filesink', f'location={folder}/o.mp4'], check=True)
    return folder / 'o.mp4'


def play_file(path):
    files = {'/p.html': ('text/html', PAGE), '/o.mp4': ('video/mp4', path.read_bytes())}
    reports = queue.Queue()
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0),
                                             functools.partial(chromium.Handler, files, reports))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        return chromium.browse(f'http://127.0.0.1:{server.server_port}/p.html', reports, 40)
    finally:
        server.shutdown()
        server.server_close()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make(folder, 'a.mp4', 'smptebars', 5, '-refs 2 -crf 30')
        make(folder, 'm.mp4', 'testsrc2', 8, '')
        joined = remix(folder, '<video src="a.mp4"/><video src="m.mp4" clipEnd="6s"/>', ['fragment-duration=2000'])
        by_mse = chromium.play([(joined, ['avc1.640020', 'mp4a.40.2'])], {}, None)
        print('fragments by MSE:', by_mse)
        plain = remix(folder, '<video src="m.mp4" clipBegin="2s"/><video src="m.mp4" clipEnd="4s"/>', [])
        as_file = play_file(plain)
        print('progressive:', as_file)
    return not (by_mse['ended'] and by_mse['frames'] == 275 and as_file['ended'] and abs(as_file['time'] - 10) < 0.05)


if __name__ == '__main__':
    sys.exit(main())
