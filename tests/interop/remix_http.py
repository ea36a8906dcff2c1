#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Remixes a playlist that nginx serves, directly and with faults in between: the
right bytes, or an error that names the URI, and no file that looks whole.

  remix_http.py [--counts FILE] [PATTERN...]

nginx runs as the user, out of a folder of its own. A proxy in front of it makes
the faults that nginx cannot."""
import argparse
import concurrent.futures
import contextlib
import http.client
import http.server
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import remix_cases as cases
import remix_judges as judges
import remix_sources as sources
import tools
from remix_run import Run
from tools import Rejected

CONFIGURATION = '''
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format one '$connection $request_uri $status $http_range';
  access_log {folder}/access.log one;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ video/mp4 mp4; application/smil smil; }}
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location /whole/ {{ alias {root}/; max_ranges 0; }}
    location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    location /impatient/ {{ alias {root}/; keepalive_requests 1; }}
    location /forbidden/ {{ deny all; }}
  }}
}}
'''
CLIP = 'M.mp4'
BIG = 'big.mp4'
SECOND = 'second'
FIRST_WINDOW, BLOCK = 256 << 10, 256 << 10  # of the sources and of the element
TITLE = cases.MIDROLL


@contextlib.contextmanager
def nginx(folder, root):
    """Yields the port. One that was free a moment ago: should somebody else have
    taken it, nginx ends, and another one is tried."""
    for _ in range(10):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            port = listener.getsockname()[1]
        configuration = folder / 'nginx.conf'
        configuration.write_text(CONFIGURATION.format(folder=folder, root=root, port=port))
        server = subprocess.Popen([nginx_program(), '-p', folder, '-e', folder / 'error.log', '-c', configuration],
                                  stdin=subprocess.DEVNULL)
        try:
            if is_listening(server, folder / 'nginx.pid'):
                yield port
                return
        finally:
            server.terminate()
            server.wait()
    raise Rejected('nginx does not start: ' + (folder / 'error.log').read_text())


def is_listening(server, pid_file):
    """Waits until nginx has bound its port, which is when it writes its ID."""
    while server.poll() is None:
        if pid_file.exists() and pid_file.read_text():
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.02)
    return False


def nginx_program():
    return shutil.which('nginx') or shutil.which('nginx', path='/usr/sbin:/usr/local/sbin')


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on to nginx; fault(handler, number of the request for that
    file, response, body) may do something else with the answer and say so."""
    daemon_threads = True

    def __init__(self, port, root, fault):
        self.upstream, self.root, self.fault = port, root, fault
        self.counts, self.lock = {}, threading.Lock()
        super().__init__(('127.0.0.1', 0), Handler)

    def count(self, path):
        with self.lock:
            self.counts[path] = self.counts.get(path, 0) + 1
            return self.counts[path]

    def handle_error(self, request, client_address):
        """A client that has heard enough closes the connection."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        name, number = self.path.rsplit('/', 1)[1], self.server.count(self.path)
        self.server.fault.before(self.server, name, number)
        upstream = http.client.HTTPConnection('127.0.0.1', self.server.upstream)
        upstream.request('GET', self.path, headers={field: self.headers[field] for field in (
            'Range', 'If-Range', 'If-None-Match') if self.headers[field]})
        response = upstream.getresponse()
        body = response.read()
        upstream.close()
        self.server.fault.answer(self, name, number, response, body)

    def pass_on(self, response, body, status=None, without=(), **more):
        """Another status, without fields, with others; Content-Length None: chunks."""
        fields = {field: response.headers[field]
                  for field in ('Content-Type', 'Content-Range', 'ETag', 'Last-Modified', 'Location')}
        fields['Content-Length'] = str(len(body))
        fields.update({field.replace('_', '-'): value for field, value in more.items()})
        self.send_response(status or response.status)
        for field, value in fields.items():
            if value is not None and field not in without:
                self.send_header(field, value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        """Ends the connection with a RST."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.connection.close()

    def log_message(self, *args):
        pass


class Fault:
    """None: everything is passed on."""

    def before(self, proxy, name, number):
        """Ahead of the request."""

    def answer(self, handler, name, number, response, body):
        handler.pass_on(response, body)


class Latency(Fault):
    """For each request."""

    def before(self, proxy, name, number):
        time.sleep(1)


class Changes(Fault):
    """The file is another one from the second request for it on, of the same size."""

    def before(self, proxy, name, number):
        path = proxy.root / name
        if name == BIG and number == 2:
            os.utime(path, (1, 1))


class Resets(Fault):
    """In the midst of the body, for the first n answers."""

    def __init__(self, count):
        self.count = count

    def answer(self, handler, name, number, response, body):
        if name != CLIP or number > self.count:
            handler.pass_on(response, body)
            return
        handler.send_response(response.status)
        for field in ('Content-Range', 'ETag', 'Content-Length'):
            handler.send_header(field, response.headers[field])
        handler.end_headers()
        handler.wfile.write(body[:len(body) // 2])
        handler.reset()


class Busy(Fault):
    """503 for the first two answers."""

    def answer(self, handler, name, number, response, body):
        if name == CLIP and number <= 2:
            handler.pass_on(response, b'', 503)
        else:
            handler.pass_on(response, body)


class OtherRange(Fault):
    """Other bytes than those that were asked for."""

    def answer(self, handler, name, number, response, body):
        if name == CLIP and number == 1:
            response.headers.replace_header('Content-Range', 'bytes 1-{}/{}'.format(
                len(body), response.headers['Content-Range'].rsplit('/')[1]))
        handler.pass_on(response, body)


class Short(Fault):
    """Half of what Content-Length says, and a clean close, each time."""

    def answer(self, handler, name, number, response, body):
        if name != CLIP:
            handler.pass_on(response, body)
            return
        handler.send_response(response.status)
        for field in ('Content-Range', 'ETag', 'Content-Length'):
            handler.send_header(field, response.headers[field])
        handler.end_headers()
        handler.wfile.write(body[:len(body) // 2 + 1])
        handler.close_connection = True
        handler.wfile.flush()


class Gate(Fault):
    """The last bytes of the first file are held back until the second is asked for what
    was not read of it when it was opened: who asks only when it gets there never does."""

    def __init__(self):
        self.asked = threading.Event()

    def answer(self, handler, name, number, response, body):
        if name == f'{SECOND}.mp4' and number > 1:
            self.asked.set()
        if name != BIG or not is_last(response):
            handler.pass_on(response, body)
            return
        handler.pass_on(response, body[:len(body) // 2], Content_Length=str(len(body)))
        handler.wfile.flush()
        if self.asked.wait(tools.TIMEOUT):
            handler.wfile.write(body[len(body) // 2:])
        else:
            handler.reset()


def is_last(response):
    """Whether a range reaches to the end of the file."""
    last, total = response.headers['Content-Range'].split('-')[1].split('/')
    return int(last) + 1 == int(total)


class Vanishes(Fault):
    """The second file is gone when more of it is asked for."""

    def answer(self, handler, name, number, response, body):
        if name == f'{SECOND}.mp4' and number > 1:
            handler.pass_on(response, b'', 404)
        else:
            handler.pass_on(response, body)


class Answers(Fault):
    """Other fields, another status, for some of the answers for the clip."""

    def __init__(self, first=1, last=10 ** 6, **options):
        self.first, self.last, self.options = first, last, options

    def answer(self, handler, name, number, response, body):
        if name == CLIP and self.first <= number <= self.last:
            handler.pass_on(response, b'' if 'status' in self.options else body, **self.options)
        else:
            handler.pass_on(response, body)


class Shorter(Fault):
    """A third of what was asked for, and says so."""

    def answer(self, handler, name, number, response, body):
        if name == CLIP and len(body) > 2:
            first, total = response.headers['Content-Range'].split(' ')[1].split('-')[0], \
                response.headers['Content-Range'].split('/')[1]
            body = body[:len(body) // 3]
            response.headers.replace_header('Content-Range', f'bytes {first}-{int(first) + len(body) - 1}/{total}')
        handler.pass_on(response, body)


class Lies(Fault):
    """Fewer bytes than Content-Range says, and a Content-Length that fits them."""

    def answer(self, handler, name, number, response, body):
        handler.pass_on(response, body[:-7] if name == CLIP else body)


class Chunks(Fault):
    """Without a length, in chunks of odd sizes."""

    def answer(self, handler, name, number, response, body):
        if name != CLIP:
            handler.pass_on(response, body)
            return
        handler.pass_on(response, b'', Content_Length=None, Transfer_Encoding='chunked')
        for at in range(0, len(body), 9999):
            piece = body[at:at + 9999]
            handler.wfile.write(b'%x\r\n%s\r\n' % (len(piece), piece))
        handler.wfile.write(b'0\r\n\r\n')


class Trickles(Fault):
    """Byte by byte at first."""

    def answer(self, handler, name, number, response, body):
        slow = body[:500] if name == CLIP else b''
        handler.pass_on(response, b'', Content_Length=str(len(body)))
        for byte in slow:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.001)
        handler.wfile.write(body[len(slow):])


class Stalls(Fault):
    """Says how much there is, and gives none of it."""

    def answer(self, handler, name, number, response, body):
        if name != CLIP:
            handler.pass_on(response, body)
            return
        handler.pass_on(response, b'', Content_Length=str(len(body)))
        handler.wfile.flush()
        handler.connection.settimeout(tools.TIMEOUT)
        with contextlib.suppress(OSError):
            handler.rfile.read(1)  # until the other side gives up
        handler.close_connection = True


def title(folder, name, body):
    (folder / f'{name}.smil').write_text(cases.smil(body), encoding='utf-8')
    return f'{name}.smil'


def clip_two(prefix):
    return cases.video('A5') + '\n' + f'<video src="{prefix}M.mp4" clipEnd="6s"/>' + cases.video('A3')


TWO = cases.video('big') + cases.video('second')

# Name, playlist, fault, what the error says (None: the bytes of the files), properties.
SCENARIOS = [
    ('nothing between', TITLE, None, None),
    ('a proxy between', TITLE, Fault(), None),
    ('redirects', clip_two('/moved/'), None, None),
    ('a connection for each request', clip_two('/impatient/'), None, None),
    ('1 s latency per request', TITLE, Latency(), None),
    ('resets in mid-range, twice', TITLE, Resets(2), None),
    ('bodies that end early', TITLE, Short(), None),
    ('503 twice', TITLE, Busy(), None),
    ('404 on clip 2', cases.video('A5') + '\n' + cases.video('none') + cases.video('A3'), None,
     ['none.mp4', 'line 2', '404']),
    ('403 on clip 2', clip_two('/forbidden/'), None, ['/forbidden/M.mp4', '403']),
    ('no Range', clip_two('/whole/'), None, ['/whole/M.mp4', 'does not give ranges']),
    ('the ETag changes', cases.video('big'), Changes(), ['big.mp4 has changed since it was opened']),
    ('resets in mid-range, always', TITLE, Resets(10 ** 6), ['M.mp4']),
    ('another range', TITLE, OtherRange(), ['M.mp4', 'a range that was not asked for']),
    ('the next clip is asked for while this one comes', TWO, Gate(), None),
    ('less than was asked for', TITLE, Shorter(), None),
    ('chunks', TITLE, Chunks(), None),
    ('byte by byte', TITLE, Trickles(), None),
    ('answers to If-Range without ETag', clip_two(''), Answers(first=2, without=('ETag', 'Last-Modified')), None),
    ('503, Retry-After: 1', TITLE, Answers(last=2, status=503, Retry_After='1'), None),
    ('503, Retry-After: 600', TITLE, Answers(status=503, Retry_After='600'), ['M.mp4', '503']),
    ('500 always', TITLE, Answers(status=500), ['M.mp4', '500']),
    ('416', TITLE, Answers(status=416), ['M.mp4', '416']),
    ('gzip', TITLE, Answers(Content_Encoding='gzip'), ['M.mp4', 'encoded (gzip)']),
    ('lengths that disagree', TITLE, Lies(), ['M.mp4', 'a range that was not asked for']),
    ('no Content-Range', TITLE, Answers(without=('Content-Range',)), ['M.mp4', 'a range that was not asked for']),
    ('a Content-Range that is none', TITLE, Answers(Content_Range='bytes x-y/z'),
     ['M.mp4', 'a range that was not asked for']),
    ('of unknown size', TITLE, Answers(Content_Range='bytes 0-262143/*'), ['M.mp4', 'a range that was not asked for']),
    ('silence', TITLE, Stalls(), ['M.mp4', 'timed out'], 'timeout=1'),
]


@contextlib.contextmanager
def served(port, root, fault):
    """Yields the port to ask at."""
    if fault is None:
        yield port
        return
    proxy = Proxy(port, root, fault)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield proxy.server_port
    finally:
        proxy.shutdown()
        proxy.server_close()


def judge(folder, port, scenario):
    name, body, fault, says, *properties = scenario
    name = title(folder, ''.join(c for c in name if c.isalnum()), body)
    out, wanted = folder / f'{name}.mp4', folder / f'{name}.wanted'
    with served(port, folder, fault) as at:
        uri = f'http://127.0.0.1:{at}/{name}'
        if says is not None:
            refuse(uri, out, says, *properties)
            return
        judges.remix(uri, out)
        for prefix in ('/moved/', '/impatient/'):
            body = body.replace(prefix, '')
        judges.remix(folder / title(folder, f'{name}.files', body), wanted)
        judges.require(out.read_bytes() == wanted.read_bytes(), 'other bytes than over files')


def refuse(uri, out, says, properties=''):
    try:
        judges.remix(uri, out, properties)
    except Rejected as error:
        for text in says:
            judges.require(text in str(error), f'does not say "{text}": {error}')
    else:
        raise Rejected('exit status 0')


def vanish(folder, port):
    """All bytes up to those that are missing come, whatever is asked ahead, and then
    an error that names the clip."""
    name = title(folder, 'vanish', TWO)
    wanted, out = folder / 'vanish.wanted', folder / 'vanish.mp4'
    judges.remix(folder / name, wanted)
    with served(port, folder, Vanishes()) as at:
        refuse(f'http://127.0.0.1:{at}/{name}', out, ['second.mp4', '404'])
    made, whole = out.read_bytes(), wanted.read_bytes()
    judges.require(whole.startswith(made), 'other bytes than over files')
    missing = len(whole) - (folder / f'{SECOND}.mp4').stat().st_size + FIRST_WINDOW
    judges.require(len(made) > missing - 2 * BLOCK, f'an error after {len(made)} bytes, {missing} were there')


def count(folder, here, port):
    """Requests and connections of a title: coalesced, and kept alive."""
    for name, body, requests, connections in (('counted', TITLE, 6, 4), ('counted2', TWO, 7, 4)):
        before = len(read_log(here, port, f'/before-{name}'))
        judges.remix(f'http://127.0.0.1:{port}/{title(folder, name, body)}', folder / f'{name}.mp4')
        lines = read_log(here, port, f'/after-{name}')[before:-1]
        judges.require(len(lines) <= requests, f'{len(lines)} requests for {name}')
        judges.require(len({line[0] for line in lines}) <= connections, f'connections: {lines}')
        for file in {line[1] for line in lines if '=' in line[3]}:
            judges.require(not overlap([line[3] for line in lines if line[1] == file]), f'bytes twice: {lines}')


def read_log(here, port, mark):
    """What nginx has logged up to a request for mark: it does so when it has answered."""
    client = http.client.HTTPConnection('127.0.0.1', port)
    client.request('GET', mark)
    client.getresponse().read()
    client.close()
    until = time.monotonic() + tools.TIMEOUT
    while True:
        lines = [line.split() for line in (here / 'access.log').read_text().splitlines()]
        if any(line[1] == mark for line in lines):
            return lines
        judges.require(time.monotonic() < until, f'{mark} is not logged')
        time.sleep(0.01)


def overlap(ranges):
    spans = sorted(tuple(map(int, text.split('=')[1].split('-'))) for text in ranges)
    return any(a[1] >= b[0] for a, b in zip(spans, spans[1:]))


def play(folder, port):
    """The mid-roll case, pulled and pushed, every picture."""
    case = cases.CASES[0]
    made = judges.make(case, folder, folder)
    name = made.playlist.name
    made.playlist = f'http://127.0.0.1:{port}/{name}'
    judges.qtdemux(made)


def make_big(folder):
    """More than one request is needed for it."""
    sources.ffmpeg(folder, '-f lavfi -i testsrc2=s=640x360:r=25:d=8 -c:v libx264 -preset ultrafast -crf 1 -threads 1 '
                   '-g 25 -pix_fmt yuv420p -movflags +faststart', 'big')


def run_all(run, folder):
    root = folder / 'root'
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        sources.make_mixed(root, pool, only=('M', 'A5', 'A3'))
    make_big(root)
    shutil.copy(root / BIG, root / f'{SECOND}.mp4')
    with nginx(folder, root) as port:
        run.check('over nginx: requests and connections', count, root, folder, port)
        run.check('over nginx: a clip that vanishes', vanish, root, port)
        run_scenarios(run, root, port)


def run_scenarios(run, root, port):
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        waiting = [pool.submit(run.check, f'over nginx: {scenario[0]}', judge, root, port, scenario)
                   for scenario in SCENARIOS]
        waiting.append(pool.submit(run.check, 'over nginx: played', play, root, port))
        for one in waiting:
            one.result()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--counts')
    parser.add_argument('patterns', nargs='*')
    args = parser.parse_args()
    tools.TIMEOUT = 180
    run = Run(args.patterns)
    if nginx_program() is None:
        run.skip('there is no nginx')
    else:
        with tempfile.TemporaryDirectory() as folder:
            run_all(run, pathlib.Path(folder))
    sys.exit(run.finish(args.counts))


if __name__ == '__main__':
    main()
