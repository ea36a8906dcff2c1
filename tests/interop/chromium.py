# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium as a judge: plays files by MSE and EME ClearKey and says how far it
came. A job is served on the loopback interface together with player.html,
which posts its report back; nothing drives the browser from outside."""
import functools
import http.server
import json
import os
import pathlib
import queue
import signal
import subprocess
import tempfile
import threading

HERE = pathlib.Path(__file__).parent
FLAGS = ('--headless --no-sandbox --disable-gpu --disable-quic --no-first-run '
         '--disable-background-networking --disable-component-update --disable-sync '
         '--disable-default-apps --disable-extensions --mute-audio '
         '--disable-dev-shm-usage --autoplay-policy=no-user-gesture-required').split()
# Names other than the loopback address do not resolve.
RESOLVER = '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'
PATIENCE = 120


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the files of one job and takes its report."""

    def __init__(self, files, reports, *args):
        self.files, self.reports = files, reports
        super().__init__(*args)

    def do_GET(self):
        content = self.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        kind, data = content
        self.send_response(200)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        length = int(self.headers['Content-Length'])
        self.reports.put(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def play(tracks, keys, scheme, rate=4, patience=PATIENCE):
    """The report of player.html on tracks, a list of (file, codecs), with
    keys, a dict of hexadecimal KID to key. scheme None: the files
    are clear. patience: how many seconds it may
    take to come to the end."""
    job = {'tracks': [{'url': f'track{i}.mp4', 'codecs': codecs} for i, (_, codecs) in enumerate(tracks)],
           'keys': keys, 'scheme': scheme, 'rate': rate, 'patience': patience}
    files = {'/job.json': ('application/json', json.dumps(job).encode()),
             '/player.html': ('text/html', (HERE / 'player.html').read_bytes())}
    for i, (path, _) in enumerate(tracks):
        files[f'/track{i}.mp4'] = ('video/mp4', pathlib.Path(path).read_bytes())
    reports = queue.Queue()
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, files, reports))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        return browse(f'http://127.0.0.1:{server.server_port}/player.html', reports, patience + 60)
    finally:
        server.shutdown()
        server.server_close()


def browse(url, reports, patience):
    """Opens url in a browser of its own until a report comes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            ['chromium', *FLAGS, RESOLVER, f'--user-data-dir={profile}', url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        try:
            return reports.get(timeout=patience)
        except queue.Empty:
            return {'ended': False, 'error': 'the browser did not report', 'kids': [], 'frames': 0}
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
