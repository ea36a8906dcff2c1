#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The license message as others see it: every field of it under
`gst-launch-1.0 -m`, and what tests/examples/player.py says of it to a viewer.
Exits with 77, skipped, where there is no gst-launch-1.0 or no PyGObject.

  license-message.py HELPER"""
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import gi
    gi.require_version('Gst', '1.0')
    from gi.repository import Gst
except (ImportError, ValueError):
    print('no PyGObject with Gst: skipped')
    sys.exit(77)

PLAYER = pathlib.Path(__file__).parent.parent / 'examples' / 'player.py'
DAY = 24 * 3600
HOUR = 3600

# What helper's rental says: 30 days from now, two days from first play.
NOW = int(time.time())
END = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(NOW + 30 * DAY))
SHOWN = {
    'license-id': r'\(string\)lic-1',
    'state': r'\(string\)loaded',
    'rights-type': r'\(string\)Rental',
    'persistent': r'\(boolean\)true',
    'expiration-source': r'\(string\)window',
    'expiration': re.escape(f'(datetime){END}'),
    'license-remaining': r'\(guint64\)[0-9]{15,17}\b',
    'playback-remaining': r'\(guint64\)172800000000000\b',
    'key-ids': r'\(string\)< 6b69642d6f6e652d31362d6279746573, 6b69642d74776f2d31362d6279746573 >',
}

# Fields of a message, and what the player makes of them.
SPOKEN = [
    ('state=loaded, license-remaining=(guint64){}'.format((DAY + 3 * HOUR) * 10**9), 'expires in 1 d 3 h'),
    ('state=loaded, license-remaining=(guint64){}'.format((2 * HOUR + 300) * 10**9), 'expires in 2 h 5 min'),
    ('state=loaded, license-remaining=(guint64){}'.format(59 * 10**9), 'expires in 0 min'),
    ('state=loaded, license-remaining=(guint64){}, playback-remaining=(guint64){}'.format(
        30 * DAY * 10**9, 2 * DAY * 10**9), '2 d 0 h to watch, once started; expires in 30 d 0 h'),
    ('state=first-play, first-play=(string)x, license-remaining=(guint64){}, playback-remaining=(guint64){}'.format(
        30 * DAY * 10**9, 2 * DAY * 10**9), 'expires in 2 d 0 h'),
    ('state=loaded', 'yours'),
    ('state=refused, reason=clock-turned-back', 'refused: clock-turned-back'),
    ('state=expired, reason=playback-over', 'expired: playback-over'),
    ('state=released', 'released'),
]

failures = []


def expect(what, ok, got):
    print('ok  ' if ok else 'FAIL', what)
    if not ok:
        failures.append(what)
        print(f'     {got}')


def load_player():
    spec = importlib.util.spec_from_file_location('player', PLAYER)
    player = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(player)
    return player


def issue(helper, folder):
    """A license in folder, and the properties by which a source takes it."""
    env = {**os.environ, 'GST_PLUGIN_PATH_1_0': '', 'GST_REGISTRY_1_0': f'{folder}/none'}
    subprocess.run([helper, 'keys', 'issuer.pem', 'issuers.pem', str(NOW)], cwd=folder, env=env, check=True)
    subprocess.run([helper, 'keys', 'device.pem', 'device-certificate.pem', str(NOW)], cwd=folder, env=env, check=True)
    document = subprocess.run([helper, 'write', 'issuer.pem', 'device.pem', str(NOW)], cwd=folder, env=env, check=True,
                              stdout=subprocess.PIPE).stdout
    (pathlib.Path(folder) / 'title.license').write_bytes(document)
    return (f'offlinelicensesrc location={folder}/title.license store={folder}/licenses.db '
            f'device-key={folder}/device.pem issuers={folder}/issuers.pem')


def under_gst_launch(source):
    done = subprocess.run(['gst-launch-1.0', '-m', *source.split(), '!', 'fakesink'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding='utf-8', timeout=180, check=False)
    lines = [line for line in done.stdout.splitlines() if 'offline-license' in line]
    expect('gst-launch-1.0 -m shows one message', done.returncode == 0 and len(lines) == 1, done.stdout)
    for field, value in SHOWN.items():
        expect(f'gst-launch-1.0 -m shows {field}', any(re.search(rf'\b{field}={value}', line) for line in lines), lines)


def in_python(source, player):
    pipeline = Gst.parse_launch(f'{source} ! fakesink')
    pipeline.set_state(Gst.State.PLAYING)
    wanted = Gst.MessageType.ELEMENT | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(150 * Gst.SECOND, wanted)
    words = player.words(message.get_structure())
    pipeline.set_state(Gst.State.NULL)
    expect('the player reads the message', re.fullmatch(
        r'2 d 0 h to watch, once started; expires in [0-9]+ d [0-9]+ h', words), words)


def main(helper):
    if not shutil.which('gst-launch-1.0'):
        print('no gst-launch-1.0: skipped')
        sys.exit(77)
    Gst.init(None)
    player = load_player()
    for fields, wanted in SPOKEN:
        words = player.words(Gst.Structure.new_from_string(f'offline-license, {fields}'))
        expect(f'the player says "{wanted}"', words == wanted, words)
    with tempfile.TemporaryDirectory() as folder:
        source = issue(os.path.abspath(helper), folder)
        under_gst_launch(source)
        in_python(source, player)
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main(sys.argv[1])
