#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks for keys where they must not be: logs at every level, messages, graph
dumps, caps, readable properties; and in all of the process's memory, while the
graph is paused, while a buffer is in its sink, at its end, and when it is gone: as
the key is, as hexadecimal and as base64.

  run.py PLAYER [--counts FILE]      (PLAYER: the program made of player.c)

First the search itself is tried: it has to find keys that were put there."""
import base64
import hmac
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import xml.sax.saxutils

HERE = pathlib.Path(__file__).resolve().parent
KID = 'a7e61c373e219033c21091fa607bf3b8'
KEY = '76a6c65c5ea762046bd749a2e632ccbb'
SEED = '5f0d1c2b3a49586776655443322110ffeeddccbbaa99887766554433221100aa'
SOURCE = ('videotestsrc num-buffers=60 ! video/x-raw,width=160,height=120,framerate=30/1 ! '
          'x264enc key-int-max=30 ! h264parse ! mp4mux fragment-duration=1000')
CPIX = '''<?xml version="1.0" encoding="UTF-8"?>
<CPIX xmlns="urn:dashif:org:cpix" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc">
  <ContentKeyList>
    <ContentKey kid="{kid}" commonEncryptionScheme="cenc">
      <Data><pskc:Secret><pskc:PlainValue>{value}</pskc:PlainValue></pskc:Secret></Data>
    </ContentKey>
  </ContentKeyList>
  <ContentKeyUsageRuleList>
    <ContentKeyUsageRule kid="{kid}"><VideoFilter/></ContentKeyUsageRule>
  </ContentKeyUsageRuleList>
</CPIX>
'''
PAGE = 4096


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


def search_core(name, data, key):
    """The key, and strings of 8 and of 16 bits a character."""
    for form, needle in needles(key).items():
        wide = b''.join(bytes([c, 0]) for c in needle)
        if needle in data or wide in data:
            raise Leak(f'the key stands in the {name} as {form}')


def mapped(memory, at, end):
    """The bytes of a mapping, in pieces; some of its pages may not be there."""
    while at < end:
        memory.seek(at)
        try:
            piece = memory.read(end - at)
        except OSError:
            piece = b''
        yield piece
        at += len(piece) or PAGE


class Run:
    """One run of the player, with all that it says, and all of its memory whenever it
    stands still. value: text, or bytes without a line's end."""

    stops = ('paused', 'playing', 'ready', 'over')

    def __init__(self, player, directory, property_name, value, graph, env=None, stops=stops):
        self.directory = pathlib.Path(directory)
        self.stops = stops
        env = {**os.environ, 'GST_DEBUG': '*:9', 'GST_DEBUG_NO_COLOR': '1',
               'GST_DEBUG_FILE': str(self.directory / 'debug.log'),
               'GST_DEBUG_DUMP_DOT_DIR': str(self.directory), 'MALLOC_PERTURB_': '0', **(env or {})}
        with open(self.directory / 'messages', 'wb') as messages, \
                subprocess.Popen([player, property_name, *graph.split()], env=env, stderr=messages,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write((value.encode() if isinstance(value, str) else value) + b'\n')
            process.stdin.flush()
            for when in stops:
                if process.stdout.readline() != when.encode() + b'\n':
                    process.kill()
                    raise Leak('the graph fails: ' + (self.directory / 'messages').read_text()[-600:])
                self.dump_core(process.pid, when)
                process.stdin.write(b'.')
                process.stdin.flush()
            process.stdin.close()
            if process.wait(60) != 0:
                raise Leak('the graph fails at its end')

    def dump_core(self, pid, when):
        """What a core has of the memory, and more: the pages too that are left out of it,
        as those are that GstCencKey keeps. Files as they are on disk have no keys."""
        mappings = re.findall(r'^([0-9a-f]+)-([0-9a-f]+) (r\S+) \S+ \S+ (\d+) *(.*)$',
                              pathlib.Path(f'/proc/{pid}/maps').read_text(encoding='utf-8'), re.M)
        with open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory, open(self.directory / f'{when}.core', 'wb') as core:
            for start, end, rights, inode, name in mappings:
                if (rights[1] == 'w' or inode == '0') and not name.startswith('[v'):
                    core.writelines(mapped(memory, int(start, 16), int(end, 16)))

    def texts(self):
        """(name, bytes) of what the run said."""
        for path in sorted(self.directory.iterdir()):
            if path.suffix in ('.dot', '.log') or path.name == 'messages':
                yield path.name, path.read_bytes()

    def search(self, key):
        for name, data in self.texts():
            search(name, data, key)
        for when in self.stops:
            memory = (self.directory / f'{when}.core').read_bytes()
            if len(memory) < 1 << 20:
                raise Leak('nothing to search')
            search_core(f"graph's memory ({when})", memory, key)
        if not list(self.directory.glob('*.dot')):
            raise Leak('nothing to search')
        return self

    def search_text(self, what, secret):
        """For what is no key: in all that was said, not in memory."""
        for name, data in self.texts():
            if secret.encode() in data:
                raise Leak(f'the {what} stands in the {name}')


def check_search(player, directory):
    """The search finds the same key in a property that anybody can read, and in memory."""
    graph = 'fakesrc num-buffers=9 ! fakesink name=secret silent=false'
    run = Run(player, directory, 'name', 'secret', f'{graph} fakesrc num-buffers=1 name=shown{KEY} ! fakesink')
    try:
        run.search(KEY)
    except Leak:
        pass
    else:
        raise Leak('the search does not find a key that is shown')
    run = Run(player, directory, 'kept', bytes.fromhex(KEY), graph)
    for when in run.stops:
        run.stops = [when]
        try:
            run.search(KEY)
        except Leak as leak:
            if f'memory ({when}) as raw' in str(leak):
                continue
        raise Leak(f'the search does not find a key in memory ({when})')


def check_encrypt(player, directory):
    Run(player, directory, 'key', KEY,
        f'{SOURCE} ! cencencrypt name=secret scheme=cbcs key-id={KID} ! '
        f'filesink location={directory}/out.mp4').search(KEY)


def check_cpix(player, directory):
    """The key comes in a document."""
    value = base64.b64encode(bytes.fromhex(KEY)).decode()
    uuid = re.sub('(.{8})(.{4})(.{4})(.{4})(.{12})', r'\1-\2-\3-\4-\5', KID)
    document = pathlib.Path(directory) / 'keys.cpix'
    document.write_text(CPIX.format(kid=uuid, value=xml.sax.saxutils.escape(value)), encoding='ascii')
    Run(player, directory, '-', '-',
        f'{SOURCE} ! cencencrypt cpix={document} ! filesink location={directory}/out.mp4').search(KEY)


def check_periods(player, directory):
    """Keys by period, for periods of half a second: two are used."""
    other = KID[:-1] + '9'
    ran = Run(player, directory, 'period-keys', f'{KID}:{KEY};{other}:{KEY[::-1]};{other[:-1]}a:{KEY[2:]}00',
        f'{SOURCE} ! cencencrypt name=secret scheme=cenc crypto-period=1000000000 ! '
        f'filesink location={directory}/out.mp4')
    ran.search(KEY).search(KEY[::-1])


def check_tracks(player, directory):
    """Keys by label."""
    Run(player, directory, 'track-keys', f'SD={KID}:{KEY},AUDIO={KID}:{KEY}',
        f'{SOURCE} ! cencencrypt name=secret scheme=cenc ! filesink location={directory}/out.mp4').search(KEY)


def check_seed(player, directory):
    """Neither the seed nor a key that is made of it."""
    ran = Run(player, directory, 'key-seed', SEED,
              f'{SOURCE} ! cencencrypt name=secret scheme=cenc key-id={KID} crypto-period=1000000000 ! '
              f'filesink location={directory}/out.mp4')
    ran.search(SEED).search(derived(SEED, KID))


def derived(seed, kid):
    """HKDF-SHA-256 (RFC 5869), as docs/cencencrypt.md says."""
    secret = hmac.digest(bytes(32), bytes.fromhex(seed), 'sha256')
    info = b'gst-plugins-cenc content key' + bytes.fromhex(kid)
    return hmac.digest(secret, info + b'\1', 'sha256')[:16].hex()


def protected(directory):
    clear = f'{SOURCE} ! cencencrypt scheme=cenc key-id={KID} key={KEY} ! filesink location={directory}/in.mp4'
    subprocess.run(['gst-launch-1.0', '-q', *clear.split()], check=True, stdin=subprocess.DEVNULL)


def check_session(player, directory):
    """A session in the graph's context, in front of the demuxer and behind it."""
    protected(directory)
    for graph in ('cencdecrypt ! qtdemux', 'qtdemux ! cencdecrypt'):
        Run(player, directory, 'key-session', f'{KID}:{KEY}',
            f'filesrc location={directory}/in.mp4 ! {graph} ! fakesink').search(KEY)


def buy(url):
    """A token of the example server, for a rental."""
    form = {'customerAuthenticator': 'secret', 'actionTokenType': 1, 'errorFormat': 'json',
            'contentId': f'urn:marlin:kid:{KID}', 'contentKey': KEY, 'rightsType': 'Rental',
            'rental.periodEndTime': '+2592000', 'rental.playDuration': 172800}
    with urllib.request.urlopen(f'{url}/token', urllib.parse.urlencode(form).encode(), timeout=60) as answer:
        return answer.read().decode().strip()


def check_license(player, directory):
    """A license is acquired for a token, played from the device's store, and played
    by the license pad: none of it shows the key, nor acquiring the token."""
    protected(directory)
    device, license_file = pathlib.Path(directory) / 'device', f'{directory}/title.license'
    env = {'GST_OFFLINE_LICENSE_DIR': str(device)}
    with subprocess.Popen(['license-server', '--port', '0', '--folder', f'{directory}/server'],
                          env={**os.environ, 'CUSTOMER_AUTHENTICATOR': 'secret'}, stdout=subprocess.PIPE) as server:
        try:
            url = server.stdout.readline().decode().strip()
            device.mkdir()
            (device / 'issuers.pem').write_bytes((pathlib.Path(directory) / 'server' / 'issuer.pem').read_bytes())
            token = buy(url)
            ran = Run(player, directory, 'token', token,
                      f'offlinelicensesrc name=secret ! filesink location={license_file}', env,
                      ('paused', 'ready', 'over')).search(KEY)
            ran.search_text('token', json.loads(token)['token'])
        finally:
            server.kill()
    graph = f'filesrc location={directory}/in.mp4 ! cencdecrypt name=dec ! qtdemux ! fakesink'
    Run(player, directory, '-', '-', graph, env).search(KEY)
    graph = f'offlinelicensesrc location={license_file} ! dec.license {graph}'
    Run(player, directory, '-', '-', graph, env).search(KEY)


def decrypted(graph):
    def check(player, directory):
        protected(directory)
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
    'cencencrypt, a CPIX document': check_cpix,
    'cencencrypt, keys by track': check_tracks,
    'cencencrypt, keys by period': check_periods,
    'cencencrypt, a seed': check_seed,
    'a key session in the context': check_session,
    'a license: acquired, stored, played, by the pad': check_license,
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
