#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks for keys where they must not be: logs at every level, messages, graph
dumps, caps, readable properties, the strings of a core dump.

  run.py PLAYER [--counts FILE]      (PLAYER: the program made of player.c)

First the search itself is tried: it has to find a key that was put there."""
import base64
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KID = 'a7e61c373e219033c21091fa607bf3b8'
KEY = '76a6c65c5ea762046bd749a2e632ccbb'
SOURCE = ('videotestsrc num-buffers=60 ! video/x-raw,width=160,height=120,framerate=30/1 ! '
          'x264enc key-int-max=30 ! h264parse ! mp4mux fragment-duration=1000')


class Leak(Exception):
    """A key was found, or the search could not be made."""


def needles(key):
    """The forms in which a key could show, by name."""
    raw = bytes.fromhex(key)
    spaced = re.sub('(..)(?!$)', r'\1 ', key)
    return {
        'hex': key.encode(), 'upper-case hex': key.upper().encode(),
        'spaced hex': spaced.encode(),
        'base64': base64.b64encode(raw).rstrip(b'='),
        'base64url': base64.urlsafe_b64encode(raw).rstrip(b'='),
        'raw': raw,
    }


def search(name, data, key):
    for form, needle in needles(key).items():
        if needle in data:
            raise Leak(f'the key stands in the {name} as {form}')


def search_core(data, key):
    """The strings of a core, of 8 and of 16 bits a character. The raw key is in
    it: AES needs it, and OpenSSL keeps it where it cannot be left out."""
    for form, needle in needles(key).items():
        wide = b''.join(bytes([c, 0]) for c in needle)
        if form != 'raw' and (needle in data or wide in data):
            raise Leak(f'the key stands in the core dump as {form}')


class Run:
    """One run of the player, with all that it says and a core of it."""

    def __init__(self, player, directory, property_name, value, graph):
        self.directory = pathlib.Path(directory)
        env = {**os.environ, 'GST_DEBUG': '*:9', 'GST_DEBUG_NO_COLOR': '1',
               'GST_DEBUG_FILE': str(self.directory / 'debug.log'),
               'GST_DEBUG_DUMP_DOT_DIR': str(self.directory), 'MALLOC_PERTURB_': '0'}
        with open(self.directory / 'messages', 'wb') as messages, \
                subprocess.Popen([player, property_name, *graph.split()], env=env, stderr=messages,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(value.encode() + b'\n')
            process.stdin.flush()
            if process.stdout.readline() != b'ready\n':
                process.kill()
                raise Leak('the graph fails: ' + (self.directory / 'messages').read_text()[-600:])
            self.dump_core(process.pid)
            process.stdin.write(b'.')
            process.stdin.close()
            if process.wait(60) != 0:
                raise Leak('the graph fails at its end')

    def dump_core(self, pid):
        """What the kernel would write: without the pages that are left out."""
        core = self.directory / 'core'
        subprocess.run(['gdb', '-q', '-batch', '-p', str(pid), '-ex', 'set dump-excluded-mappings off',
                        '-ex', f'generate-core-file {core}'], stdin=subprocess.DEVNULL, timeout=120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def search(self, key):
        for path in sorted(self.directory.iterdir()):
            if path.name == 'core':
                search_core(path.read_bytes(), key)
            elif path.suffix != '.mp4':
                search(path.name, path.read_bytes(), key)
        if not list(self.directory.glob('*.dot')) or not (self.directory / 'core').stat().st_size:
            raise Leak('nothing to search')


def check_search(player, directory):
    """The search finds the same key in a property that anybody can read."""
    run = Run(player, directory, 'name', 'secret', f'fakesrc num-buffers=1 ! fakesink name=secret silent=false '
              f'fakesrc num-buffers=1 name=shown{KEY} ! fakesink')
    try:
        run.search(KEY)
    except Leak:
        return
    raise Leak('the search does not find a key that is shown')


def check_encrypt(player, directory):
    Run(player, directory, 'key', KEY,
        f'{SOURCE} ! cencencrypt name=secret scheme=cbcs key-id={KID} ! filesink location={directory}/out.mp4').search(KEY)


def decrypted(graph):
    def check(player, directory):
        clear = f'{SOURCE} ! cencencrypt scheme=cenc key-id={KID} key={KEY} ! filesink location={directory}/in.mp4'
        subprocess.run(['gst-launch-1.0', '-q', *clear.split()], check=True, stdin=subprocess.DEVNULL)
        Run(player, directory, 'keys', f'{KID}:{KEY}', graph.format(file=f'{directory}/in.mp4')).search(KEY)
    return check


def check_launch(_player, directory):
    """gst-launch-1.0 -v prints what notifies."""
    line = (f'{SOURCE} ! cencencrypt scheme=cenc key-id={KID} key={KEY} ! '
            f'cencdecrypt keys={KID}:{KEY} ! qtdemux ! fakesink silent=false')
    done = subprocess.run(['gst-launch-1.0', '-v', *line.split()], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Leak('the graph fails: ' + done.stdout.decode(errors='replace')[-600:])
    search('output of gst-launch-1.0 -v', done.stdout, KEY)


CHECKS = {
    'the search finds what is shown': check_search,
    'cencencrypt': check_encrypt,
    'cencdecrypt in front of the demuxer':
        decrypted('filesrc location={file} ! cencdecrypt name=secret ! qtdemux ! fakesink'),
    'cencdecrypt behind the demuxer':
        decrypted('filesrc location={file} ! qtdemux ! cencdecrypt name=secret ! fakesink'),
    'gst-launch-1.0 -v': check_launch,
}


def main():
    player = sys.argv[1]
    counts = sys.argv[3] if len(sys.argv) > 3 and sys.argv[2] == '--counts' else None
    failed = 0
    for name, check in CHECKS.items():
        with tempfile.TemporaryDirectory() as directory:
            try:
                check(player, directory)
                print(f'ok   {name}', flush=True)
            except (Leak, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f'FAIL {name}: {error}', flush=True)
    if counts:
        pathlib.Path(counts).write_text(f'{len(CHECKS) - failed} {failed} 0\n', encoding='ascii')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
